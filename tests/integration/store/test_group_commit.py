"""Promises of the group-commit writer."""

from __future__ import annotations

import asyncio

import pytest

from fhir_profiles.errors import Category, FhirError
from server.store import Store, Tx, Version


def _create(name: str):
    def op(tx: Tx) -> Version:
        version = Version(tx.new_rid(), "Basic", name, 1, tx.now, "C", None, b"{}")
        tx.put(version, None, {"idx_uri": [(1, "urn:x")]})
        tx.audit("tester", "create", version, 201)
        return version

    return op


def test_a_write_is_read_back(store: Store) -> None:
    """What a write answered is there for the next read."""
    written = store.write_sync(_create("a"))
    assert store.read("Basic", "a") == written
    assert store.query("SELECT who, action, id FROM audit") == [("tester", "create", "a")]


async def test_many_writes_share_commits(store: Store) -> None:
    """Concurrent writes are all kept, in far fewer commits than writes."""
    await asyncio.gather(*(store.write(_create(f"r{n}")) for n in range(300)))
    assert store.query("SELECT count(*) FROM resource") == [(300,)]
    assert store.writer.commits < 100


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
    assert store.query("SELECT id FROM resource ORDER BY id") == [("a",), ("b",), ("c",)]
    assert store.query("SELECT count(*) FROM idx_uri") == [(3,)]


def test_a_full_queue_says_busy(store: Store) -> None:
    """A queue that is full refuses at once instead of growing."""
    store.writer._limit = 0
    with pytest.raises(FhirError) as refused:
        store.write_sync(_create("a"))
    assert refused.value.category is Category.BUSY
