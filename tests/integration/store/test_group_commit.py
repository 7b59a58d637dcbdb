"""Promises of the group-commit writer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from fhir_profiles.errors import Category, FhirError
from server.access.caller import server_as
from server.audit.chain import events_of
from server.audit.event import by, decode, line_of
from server.http.errors import headers_of, status_of
from server.store import Store, Tx, Version


def _create(name: str):
    def op(tx: Tx) -> Version:
        version = Version(tx.new_rid(), "Basic", name, 1, tx.now, "C", None, b"{}")
        tx.put(version, None, {"idx_uri": [(1, "urn:x")]})
        tx.audit(line_of(by(server_as("tester"), "create", 201, (version.type, version.id, 1))))
        return version

    return op


def test_a_write_is_read_back(store: Store) -> None:
    """What a write answered is there for the next read."""
    written = store.write_sync(_create("a"))
    assert store.read("Basic", "a") == written
    [(seq, data)] = events_of(store)
    assert (seq, decode(data).code) == (1, "create")


async def test_many_writes_share_commits(store: Store) -> None:
    """Concurrent writes are all kept, in far fewer commits than writes."""
    await asyncio.gather(*(store.write(_create(f"r{n}")) for n in range(300)))
    assert store.query("SELECT count(*) FROM resource") == [(300,)]
    assert store.writer.commits < 100


async def test_lookups_share_statements(store: Store) -> None:
    """Lookups at the same time get each their own resource, or None, in fewer statements where that pays."""
    await asyncio.gather(*(store.write(_create(f"r{n}")) for n in range(50)))
    asked = 0
    get = store.reader.get

    def counted(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        nonlocal asked
        asked += 1
        return get(sql, params)

    store.reader.get = counted  # type: ignore[method-assign]
    names = [f"r{n % 60}" for n in range(300)]
    found = await asyncio.gather(*(store.lookup("Basic", name) for name in names))
    assert [version and version.id for version in found] == [name if int(name[1:]) < 50 else None for name in names]
    assert asked == 300 if store.reader.inline else asked < 30


async def test_a_lookup_that_fails_says_so(store: Store) -> None:
    """What the database raises reaches every lookup that waited, and the next one works."""
    get = store.reader.get

    def fail(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        raise RuntimeError("lost")

    store.reader.get = fail  # type: ignore[method-assign]
    failed = await asyncio.gather(*(store.lookup("Basic", "a") for _ in range(3)), return_exceptions=True)
    assert [str(error) for error in failed] == ["lost"] * 3
    store.reader.get = get  # type: ignore[method-assign]
    assert await store.lookup("Basic", "a") is None


async def test_one_failure_is_one_failure(store: Store) -> None:
    """Refused, crashed and duplicate operations leave their neighbours in the same commit alone."""

    def refuse(tx: Tx) -> None:
        tx.query("SELECT 1")
        raise FhirError.of(Category.INCORRECT, "invalid", "no")

    def crash_late(tx: Tx) -> None:
        _create("late")(tx)
        tx.flush()
        raise RuntimeError("boom")

    def bad_sql(tx: Tx) -> None:
        tx.execute("INSERT INTO nowhere VALUES (1)")

    ops = [_create("a"), refuse, _create("b"), crash_late, _create("a"), bad_sql, _create("c")]
    results = await asyncio.gather(*(store.write(op) for op in ops), return_exceptions=True)
    assert [type(r) for r in results] == [Version, FhirError, Version, RuntimeError, FhirError, FhirError, Version]
    assert [status_of(results[n]) for n in (4, 5)] == [409, 503]
    assert all((b"retry-after", b"1") in headers_of(results[n]) for n in (4, 5))
    assert store.query("SELECT id FROM resource ORDER BY id") == [("a",), ("b",), ("c",)]
    assert store.query("SELECT count(*) FROM idx_uri") == [(3,)]


def test_a_full_queue_says_busy(store: Store) -> None:
    """A queue that is full refuses at once instead of growing."""
    store.writer._limit = 0
    with pytest.raises(FhirError) as refused:
        store.write_sync(_create("a"))
    assert refused.value.category is Category.BUSY
