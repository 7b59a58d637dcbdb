"""Keeps the Task of a stored Claim in step with its answers, inside the transaction that writes them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from fhir_profiles.errors import FhirError
from server.access.caller import Caller
from server.access.gate import sees
from server.interactions import update
from server.interactions.content import instant
from server.interactions.fhir import Fhir
from server.store import Tx, Version, Written

if TYPE_CHECKING:
    from claims.tables.table import Table
    from claims.work_answer import Answer

WHO = "fhirwright-claims"
_DAY = 86_400_000_000


class Follow:
    """Follows every ClaimResponse that is written; put it in `Fhir.on_write`. Answers without one are `tell`."""

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir
        self._payers = _Payers(fhir)

    def __call__(self, tx: Tx, written: Written) -> None:
        """Follow one new version; anything but an answer to a stored Claim is left alone."""
        if written.version.type == "ClaimResponse" and written.resource is not None:
            self.follow(tx, written.resource, written.caller)

    def follow(self, tx: Tx, response: Mapping[str, Any], caller: Caller | None = None) -> None:
        """Take a ClaimResponse (JSON) into the Task of the Claim that it answers, where that is stored.

        An answer of a `caller` who may not read the Claim is none: the Task is the Claim's, and tells of it.
        """
        from claims.work_answer import read_answer

        if response.get("use") == "claim" and (claim := claim_of(response)) is not None:
            stored = tx.current("Claim", claim)
            if stored is not None and (caller is None or caller.whole or _seen(tx, caller, stored)):
                self.tell(tx, claim, read_answer(response))

    def prefetch(self, tx: Tx, responses: Iterable[Mapping[str, Any]]) -> None:
        """Read what many answers are about in one go."""
        from claims.work import task_id

        claims = [claim for one in responses if (claim := claim_of(one)) is not None]
        tx.prefetch([key for claim in claims for key in (("Claim", claim), ("Task", task_id(claim)))])

    def tell(self, tx: Tx, claim: str, answer: Answer) -> bool:
        """Take an answer into the Task of the Claim with this id; whether that Claim is stored.

        A Task under its id that is somebody else's, whoever put it there, begins anew.
        """
        from claims.work import Circumstances, task_after, task_id

        stored = tx.current("Claim", claim)
        if stored is None or stored.deleted:
            return False
        patient = str((orjson.loads(stored.body).get("patient") or {}).get("reference") or "")
        local = patient if patient and not patient.startswith("#") else None
        found = tx.current("Task", task_id(claim))
        before = orjson.loads(found.body) if found is not None and not found.deleted else None
        if before is not None and (before.get("for") or {}).get("reference") != local:
            before = None
        last = self._due(tx, stored.body) if answer.failures else None
        at = Circumstances(
            claim, instant(tx.now).decode(), tx.now // _DAY, last, local, self._fhir.settings.claim_owners
        )
        task = task_after(answer, before, at)
        if task is not None:
            update.put(self._fhir, tx, task, WHO, new=found is None)
        return True

    def _due(self, tx: Tx, claim: bytes) -> int | None:
        from claims.sheet.read import read_claim
        from claims.work_due import due

        def resolve(reference: str) -> bytes | None:
            name, _, id = reference.partition("/")
            one = tx.current(name, id) if id else None
            return None if one is None or one.deleted else one.body

        try:
            return due(read_claim(claim, resolve=resolve), self._payers())
        except FhirError:  # a Claim that is stored need not be one that can be laid out
            return None


async def follow_again(fhir: Fhir, body: bytes, caller: Caller) -> None:
    """Take an answer that was stored before into the Task once more, where that rests on another one since."""
    from claims.work import task_id

    response = orjson.loads(body)
    claim = claim_of(response)
    if claim is None:
        return
    task = await fhir.store.lookup("Task", task_id(claim))
    if task is not None and f'"ClaimResponse/{response["id"]}"'.encode() not in task.body:
        await fhir.store.write(lambda tx: Follow(fhir).follow(tx, response, caller))


def _seen(tx: Tx, caller: Caller, claim: Version) -> bool:
    tx.flush()
    return sees(tx, caller, claim)


class _Payers:
    """The table of payers, opened again when tables were loaded."""

    def __init__(self, fhir: Fhir) -> None:
        self._dir = fhir.settings.data
        self._lock = threading.Lock()
        self._stamp = -1
        self._table: Table | None = None

    def __call__(self) -> Table | None:
        """What is loaded now."""
        from claims.tables.store import open_tables

        folder = self._dir / "claims"
        stamp = folder.stat().st_mtime_ns if folder.is_dir() else 0
        with self._lock:
            if stamp != self._stamp:
                self._table = open_tables(self._dir, {"payer"}).get("payer")
                self._stamp = stamp
            return self._table


def claim_of(response: Mapping[str, Any]) -> str | None:
    """The id of the Claim of this server that a ClaimResponse answers."""
    reference = str((response.get("request") or {}).get("reference") or "").partition("/_history/")[0]
    name, _, id = reference.rpartition("/")
    return id if name == "Claim" and id else None
