"""Destroy one patient's data by destroying the keys that seal it (NIST SP 800-88 rev. 1, cryptographic erase).

The keys go first, in one transaction that notes what is left to do; then versions become deletions and leave the index.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from fhir_profiles.errors import FhirError
from server.phi.envelope import Broken, number_of

from .holds import refuse_held
from .ring import CACHE
from .store import Store
from .tx import Tx

BATCH = 200
_BINARY = re.compile(rb'"(?:[^"\\]*/)?Binary/([A-Za-z0-9\-.]{1,64})[/"]')
_OF_PATIENT = "SELECT type, id, version, body FROM {table} WHERE patient = ?"
_LEFT = (
    "SELECT rid, version, body FROM {table} WHERE {whose} AND change <> 'D' AND (rid, version) > (?, ?)"
    " ORDER BY rid, version LIMIT ?"
)


class Shredded(msgspec.Struct, frozen=True):
    """What was destroyed: keys, and versions that are gone with them."""

    keys: int
    versions: int


def shred(store: Store, patient: str) -> Shredded:
    """Destroy the keys of a patient and of the files that only its documents name; safe to run again.

    FhirError CONFLICT while the patient is on legal hold.
    """
    note: dict[str, Any] = store.write_sync(lambda tx: _left(tx, patient) or _destroy(tx, patient))
    if store.sealing is not None:
        store.sealing.ring.forget()
    numbers = frozenset(note["numbers"])
    versions = 0
    for owner in note["owners"]:
        kind, _, name = owner.partition("/")
        whose, params = ("patient = ?", (name,)) if kind == "Patient" else ("type = 'Binary' AND id = ?", (name,))
        for table in ("resource", "history"):
            at: tuple[int, int] | None = (0, 0)
            while at is not None:
                at, count = store.write_sync(
                    lambda tx, at=at, table=table, whose=whose, params=params: _blank(  # type: ignore[misc]
                        tx, table, (whose, params), at, numbers
                    )
                )
                versions += count
    store.write_sync(lambda tx: tx.execute("DELETE FROM phi_state WHERE name = ?", (_name(patient),)))
    return Shredded(len(numbers), versions)


def _name(patient: str) -> str:
    return f"shred {patient}"


def _left(tx: Tx, patient: str) -> dict[str, Any] | None:
    rows = tx.query("SELECT value FROM phi_state WHERE name = ?", (_name(patient),))
    return json.loads(rows[0][0]) if rows else None


def _destroy(tx: Tx, patient: str) -> dict[str, Any]:
    """Empty the keys, and forget what was kept of everybody: caches, and answers that wait to be fetched."""
    refuse_held(tx.query, patient)
    owners = [f"Patient/{patient}", *sorted(f"Binary/{name}" for name in _files(tx, patient))]
    numbers: list[int] = []
    for owner in owners:
        found = tx.query("SELECT number FROM phi_key WHERE owner = ? AND length(wrapped) > 0", (owner,))
        numbers += [row[0] for row in found]
        tx.execute("UPDATE phi_key SET wrapped = ? WHERE owner = ?", (b"", owner))
    for (last,) in tx.query("SELECT max(number) FROM phi_key WHERE owner = ?", (CACHE,)):
        tx.execute("UPDATE phi_key SET wrapped = ? WHERE owner = ?", (b"", CACHE))
        tx.renew_key(CACHE, last or 0)
    tx.execute("DELETE FROM later_chunk WHERE request IN (SELECT id FROM later WHERE expires > 0)")
    tx.execute("UPDATE later SET result = NULL, expires = 1 WHERE expires > 0")
    tx.execute("DELETE FROM unaided_apart WHERE owner = ?", (f"Patient/{patient}",))
    tx.execute("UPDATE phi_state SET value = ? WHERE name = 'epoch'", (str(tx.new_rid()),))
    note = {"owners": owners, "numbers": numbers}
    tx.execute("INSERT INTO phi_state (name, value) VALUES (?, ?)", (_name(patient), json.dumps(note)))
    return note


def _files(tx: Tx, patient: str) -> set[str]:
    """The ids of the Binaries that the patient's resources name and no other resource's index rows do."""
    named: set[str] = set()
    for table in ("resource", "history"):
        for kind, name, version, data in tx.query(_OF_PATIENT.format(table=table), (patient,)):
            try:
                body = tx.body(kind, name, version, bytes(data))
            except FhirError:  # damaged, or destroyed already: it names nothing any more
                continue
            named |= {found.decode() for found in _BINARY.findall(body)}
    return named


def _blank(
    tx: Tx, table: str, whose: tuple[str, tuple[Any, ...]], at: tuple[int, int], numbers: frozenset[int]
) -> tuple[tuple[int, int] | None, int]:
    """Make deletions of the next versions that were sealed with these keys."""
    rows = tx.query(_LEFT.format(table=table, whose=whose[0]), (*whose[1], *at, BATCH))
    count = 0
    for rid, version, data in rows:
        if not _is_of(bytes(data), numbers):
            continue
        sql = f"UPDATE {table} SET body = ?, change = 'D' WHERE rid = ? AND version = ?"
        changed = tx.execute(sql, (b"", rid, version))
        count += changed
        if changed and table == "resource":
            tx.unindex((rid,))
    return ((rows[-1][0], rows[-1][1]) if rows else None), count


def _is_of(data: bytes, numbers: frozenset[int]) -> bool:
    try:
        return number_of(data) in numbers
    except Broken:
        return False
