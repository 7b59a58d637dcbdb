"""Seal again what is stored: a clear database for the first time, or a sealed one with new keys.

Each step is one transaction that also notes how far the run is: a process that is killed leaves nothing half done.
https://doi.org/10.6028/NIST.SP.800-57pt1r5
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from server.phi.envelope import is_sealed, number_of, unwrap, wrap

from . import texts
from .ring import FIXED, JOBS
from .sealing import Sealing, owner_of
from .store import Store
from .tx import Tx

BATCH = 100
Wanted = Callable[[bytes], bool]
"""Whether a stored value is to be sealed again."""

_BODIES = {
    "resource": "SELECT rid, version, type, id, patient, body FROM resource WHERE rid > ? AND version > ? - 1"
    " ORDER BY rid LIMIT ?",
    "history": "SELECT rid, version, type, id, patient, body FROM history WHERE (rid, version) > (?, ?)"
    " ORDER BY rid, version LIMIT ?",
}
_OLD_OWNERS = (
    "SELECT owner, max(number) FROM phi_key WHERE length(wrapped) > 0 AND owner NOT IN (?, ?, ?)"
    " GROUP BY owner HAVING max(number) < ? ORDER BY owner LIMIT ?"
)


def rewrap(store: Store) -> Iterator[int]:
    """Wrap every data key with the newest key; gives how many are done after each step."""
    sealing, done = _sealing(store), 0
    newest = sealing.ring.keys.newest

    def step(tx: Tx) -> int:
        sql = "SELECT number, owner, kek, wrapped FROM phi_key WHERE kek <> ? AND length(wrapped) > 0 LIMIT ?"
        rows = tx.query(sql, (newest, BATCH))
        for number, owner, kek, wrapped in rows:
            key = unwrap(sealing.ring.keys.of(kek), kek, number, owner, bytes(wrapped))
            again = wrap(sealing.ring.keys.of(newest), newest, number, owner, key)
            sql = "UPDATE phi_key SET kek = ?, wrapped = ? WHERE number = ? AND kek = ? AND length(wrapped) > 0"
            tx.execute(sql, (newest, again, number, kek))
        return len(rows)

    while found := store.write_sync(step):
        done += found
        yield done


def renew(store: Store) -> Iterator[int]:
    """Give every owner a new data key, seal all with it, remove the old keys; gives how much is done."""
    place = store.write_sync(lambda tx: _place(tx, "renew") or _begin(tx, "renew"))
    cutoff = place["cutoff"]
    while store.write_sync(lambda tx: _new_keys(tx, cutoff)):
        pass
    # Who still seals with an old key holds its row: after this, nobody does.
    store.write_sync(lambda tx: tx.execute("UPDATE phi_key SET kek = kek WHERE number < ?", (cutoff,)))
    yield from _walk(store, "renew", place, lambda data: number_of(data) < cutoff)
    store.write_sync(lambda tx: _drop_old(tx, cutoff))


def encrypt(store: Store) -> Iterator[int]:
    """Seal what stands in clear in a database that is opened for that; counts what is done."""
    place = store.write_sync(lambda tx: _place(tx, "encrypt") or _begin(tx, "encrypt"))
    yield from _walk(store, "encrypt", place, lambda data: not is_sealed(data))


def indexed_types(store: Store) -> list[str]:
    """The types whose index rows a run of `encrypt` has made again already."""
    return [row[0].removeprefix("indexed ") for row in store.query(_INDEXED)]


def note_indexed(store: Store, kind: str) -> None:
    """Say that the index rows of a type are made again."""
    sql = "INSERT INTO phi_state (name, value) VALUES (?, '') ON CONFLICT (name) DO NOTHING"
    store.write_sync(lambda tx: tx.execute(sql, (f"indexed {kind}",)))


def close(store: Store) -> None:
    """Take what was in clear out of the file, then say that everything is sealed."""
    scrub(store)

    def end(tx: Tx) -> None:
        tx.execute("DELETE FROM phi_state WHERE name = 'encrypt' OR (name >= 'indexed ' AND name < 'indexed!')")
        tx.execute("UPDATE phi_state SET value = 'on' WHERE name = 'mode'")

    store.write_sync(end)


def scrub(store: Store) -> None:
    """Write the database anew, so that nothing that was removed lies in its free pages or its log."""
    raw = store.engine.raw_connection()
    connection: Any = raw.driver_connection
    try:
        if store.dialect == "sqlite":
            for statement in (_OPTIMIZE, "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                connection.execute(statement).fetchall()
        else:
            connection.autocommit = True
            for statement in ("VACUUM FULL", "CHECKPOINT"):
                connection.execute(statement)
    finally:
        raw.close()


_INDEXED = "SELECT name FROM phi_state WHERE name >= 'indexed ' AND name < 'indexed!'"
_OPTIMIZE = "INSERT INTO idx_words (idx_words) VALUES ('optimize')"


def _sealing(store: Store) -> Sealing:
    assert store.sealing is not None
    return store.sealing


def _place(tx: Tx, run: str) -> dict[str, Any] | None:
    rows = tx.query("SELECT value FROM phi_state WHERE name = ?", (run,))
    return json.loads(rows[0][0]) if rows else None


def _begin(tx: Tx, run: str) -> dict[str, Any]:
    place = {"cutoff": tx.new_rid(), "table": "resource", "at": [0, 0], "done": 0}
    tx.execute("INSERT INTO phi_state (name, value) VALUES (?, ?)", (run, json.dumps(place)))
    return place


def _new_keys(tx: Tx, cutoff: int) -> int:
    rows = tx.query(_OLD_OWNERS, (*FIXED, cutoff, BATCH))
    for owner, last in rows:
        tx.renew_key(owner, max(last, cutoff))
    return len(rows)


def _drop_old(tx: Tx, cutoff: int) -> None:
    sql = "DELETE FROM phi_key WHERE number < ? AND length(wrapped) > 0 AND owner NOT IN (?, ?, ?)"
    tx.execute(sql, (cutoff, *FIXED))
    tx.execute("DELETE FROM phi_state WHERE name = 'renew'")


def _walk(store: Store, run: str, place: dict[str, Any], wanted: Wanted) -> Iterator[int]:
    """Every sealed column, table by table from where the run stands."""
    tables = [*_BODIES, "jobs"]
    for table in tables[tables.index(place["table"]) :]:
        at = place["at"] if table == place["table"] else [0, 0]
        more: list[int] | None = at
        while more is not None:
            now = {**place, "table": table, "at": more}
            more, count = store.write_sync(lambda tx, now=now: _step(tx, run, now, wanted))  # type: ignore[misc]
            place = {**now, "done": now["done"] + count}
            yield place["done"]


def _step(tx: Tx, run: str, place: dict[str, Any], wanted: Wanted) -> tuple[list[int] | None, int]:
    table = place["table"]
    after, count = _jobs(tx, wanted) if table == "jobs" else _bodies(tx, table, place["at"], wanted)
    told = {**place, "at": after or place["at"], "done": place["done"] + count}
    tx.execute("UPDATE phi_state SET value = ? WHERE name = ?", (json.dumps(told), run))
    return after, count


def _bodies(tx: Tx, table: str, at: list[int], wanted: Wanted) -> tuple[list[int] | None, int]:
    rows, count = tx.query(_BODIES[table], (*at, BATCH)), 0
    for rid, version, kind, name, patient, data in rows:
        if len(data) and wanted(bytes(data)):
            body = tx.body(kind, name, version, bytes(data))
            sealed = tx.seal(owner_of(kind, name, patient), (kind, name, version, "body"), body)
            sql = f"UPDATE {table} SET body = ? WHERE rid = ? AND version = ? AND change <> 'D'"
            count += tx.execute(sql, (sealed, rid, version))
    if not rows:
        return None, count
    return [rows[-1][0], rows[-1][1] if table == "history" else 0], count


def _jobs(tx: Tx, wanted: Wanted) -> tuple[None, int]:
    """What is no body, all at once: requests that are answered later are few and kept for hours, so are grants."""
    count, sealing = 0, tx.sealing
    assert sealing is not None
    for name, result in tx.query("SELECT id, result FROM later"):
        if result and wanted(bytes(result)):
            where = ("later", name, "result")
            again = tx.seal(JOBS, where, sealing.read(tx.query, where, bytes(result)))
            count += tx.execute("UPDATE later SET result = ? WHERE id = ?", (again, name))
    texts.blind_names(tx)
    texts.seal_steps(tx)
    count += texts.seal_again(tx, wanted)
    for request, n, body in tx.query("SELECT request, n, body FROM later_chunk"):
        if wanted(bytes(body)):
            chunk = ("later_chunk", request, n)
            again = tx.seal(JOBS, chunk, sealing.read(tx.query, chunk, bytes(body)))
            count += tx.execute("UPDATE later_chunk SET body = ? WHERE request = ? AND n = ?", (again, request, n))
    return None, count
