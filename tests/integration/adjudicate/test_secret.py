"""The secret of a data directory: one for all processes, wrapped when encryption is on."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from server.adjudication.secret import derived, open_secret
from server.phi.keys import Keys, KeysError, parse

ONE = f"1:{base64.b64encode(b'a' * 32).decode()}"
BOTH = f"{ONE}\n2:{base64.b64encode(b'b' * 32).decode()}"


def keys(text: str) -> Keys:
    return Keys(lambda: parse(text))


def test_a_secret_is_made_once_and_is_the_owners(tmp_path: Path) -> None:
    """The second time it is the same, and nobody else can read it; what is derived differs by use."""
    secret = open_secret(tmp_path / "a", None)
    assert open_secret(tmp_path / "a", None) == secret and len(secret) == 32
    assert (tmp_path / "a" / "secret").stat().st_mode & 0o077 == 0
    assert open_secret(tmp_path / "b", None) != secret
    assert len({secret, derived(secret, "answers"), derived(secret, "stand-ins")}) == 3


def test_a_secret_is_wrapped_when_encryption_is_on(tmp_path: Path) -> None:
    """Also one that stood there in clear; a newer key wraps it anew, and the older is then not needed."""
    secret = open_secret(tmp_path, None)
    assert open_secret(tmp_path, keys(ONE)) == secret
    assert secret not in (tmp_path / "secret").read_bytes()
    assert open_secret(tmp_path, keys(BOTH)) == secret
    assert open_secret(tmp_path, keys(BOTH.splitlines()[1])) == secret


def test_a_secret_whose_key_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    """Without the key, with another, or damaged: refused with what to do, never replaced in silence."""
    open_secret(tmp_path, keys(ONE))
    kept = (tmp_path / "secret").read_bytes()
    for wrong in (None, keys(f"1:{base64.b64encode(b'c' * 32).decode()}")):
        with pytest.raises(KeysError):
            open_secret(tmp_path, wrong)
    (tmp_path / "secret").write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    with pytest.raises(KeysError):
        open_secret(tmp_path, keys(ONE))
