"""Results by content hash, within a bound."""

from __future__ import annotations

import os
from pathlib import Path

from server.jobs.cache import ContentCache


def test_what_was_put_is_got(tmp_path: Path) -> None:
    """Bytes come back under their key, and None under any other."""
    cache = ContentCache(tmp_path / "cache", 1000)
    cache.put("a:b/../c", b"one")
    assert cache.get("a:b/../c") == b"one"
    assert cache.get("b") is None


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    """The files hold text of documents."""
    cache = ContentCache(tmp_path / "cache", 1000)
    cache.put("k", b"text")
    for path in [tmp_path / "cache", *(tmp_path / "cache").rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0


def test_the_least_used_goes_first_when_it_is_full(tmp_path: Path) -> None:
    """A hit counts as use."""
    cache = ContentCache(tmp_path / "cache", 20)
    for number, key in enumerate(("old", "used", "new")):
        cache.put(key, b"0123456789")
        for path in (tmp_path / "cache").glob("??/*"):
            if path.stat().st_mtime > 1000:
                os.utime(path, (number, number))
    assert cache.get("used")
    cache.sweep()
    assert cache.get("old") is None
    assert cache.get("used") == cache.get("new") == b"0123456789"


def test_keys_tell_apart_what_they_are_made_of() -> None:
    """Moving a character from one part to the next is another key."""
    assert ContentCache.key("ab", "c") != ContentCache.key("a", "bc")
