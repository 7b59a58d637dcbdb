"""`Claim/[id]/$correct`: the Claim that replaces or voids one that was sent; and what keeps that as it is.

https://hl7.org/fhir/R4/claim.html#8.10.1
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import orjson

from claims.correct import Correction, Kind, correct, payer_number, standing
from claims.work import task_id
from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import BASE
from server.access.caller import server_as
from server.interactions.content import instant
from server.interactions.exchange import FHIR_JSON, Request, Response
from server.interactions.fhir import Fhir
from server.operations.answers import answers, asking, refuse_misbuilt, stored
from server.operations.parameters import Arguments, read_arguments, wrong
from server.operations.registry import Operation
from server.store import Tx, Written
from server.store.version import RESTORE

Json = dict[str, Any]
_KINDS: dict[str, Kind] = {"replace": "replace", "void": "void"}
_OPEN = ("open", "rejected")


def correction_id(claim: str) -> str:
    """The id of the one Claim that may correct this one."""
    return f"correct-{hashlib.sha256(claim.encode()).hexdigest()[:40]}"


class Correct:
    """Makes the correction; a claim has one, and the next one corrects that."""

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir

    async def __call__(self, request: Request) -> Response:
        """201 with the new Claim, 200 with it where it was made before; FhirError for what cannot be corrected."""
        arguments = read_arguments(request)
        arguments.only("kind", "number", "resource")
        content = arguments.value("resource")
        if content is not None:
            if not isinstance(content, dict) or content.get("resourceType") != "Claim":
                raise wrong("The parameter resource is the Claim as it should have been.", "resource")
            refuse_misbuilt(content)
        said = arguments.text("kind") or "replace"
        if said not in _KINDS:
            raise wrong("kind is replace or void.", "kind")
        id = correction_id(request.path[1])
        keys = (("Claim", request.path[1]), ("Claim", id))
        return await self._fhir.store.write(lambda tx: self._correct(tx, request, arguments, _KINDS[said], id), keys)

    def _correct(self, tx: Tx, request: Request, arguments: Arguments, kind: Kind, id: str) -> Response:
        claim = stored(self._fhir, request, "Claim", request.path[1], tx)
        every = answers(self._fhir, request, claim["id"], tx=tx)
        number = arguments.text("number")
        known = {"value": number} if number else payer_number(every)
        if number is None and standing(claim, _task(tx, claim["id"]), every) in _OPEN:
            text = "The claim was not sent, or was thrown back before it was decided: change it itself, and send it. "
            text += "If the payer has it, give the payer's number of it, or tag it as exported."
            raise FhirError.of(Category.CONFLICT, "business-rule", text, "Claim")
        made = correct(claim, Correction(kind, id, instant(tx.now).decode()[:10], known, arguments.value("resource")))
        before = tx.current("Claim", id)
        if before is not None and not before.deleted:
            there = self._fhir.handle_in(tx, asking(request, "GET", ("Claim", id)))  # 404 unless it is seen
            self._same(json.decode(there.body), made, arguments)
            return _told(200, there)
        put = asking(request, "PUT", ("Claim", id))
        return _told(201, self._fhir.handle_in(tx, _with(put, json.encode(made))))

    def _same(self, before: Json, made: Json, arguments: Arguments) -> None:
        """Refuse a second correction; the same one again is none."""
        apart = ("meta", "created", "status")
        plain = [{k: v for k, v in one.items() if k not in apart} for one in (before, made)]
        asked = arguments.value("resource")
        if before["related"][0]["relationship"] != made["related"][0]["relationship"] or (
            asked is not None and plain[0] != plain[1]
        ):
            text = (
                f"The claim was corrected by Claim/{before['id']}. Correct that one, or change it while it is a draft."
            )
            raise FhirError.of(Category.CONFLICT, "duplicate", text, "Claim")


class Bills:
    """Keeps Claims that were sent as they are; put it in `Fhir.on_write`. Their meta may change."""

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir

    def __call__(self, tx: Tx, written: Written) -> None:
        """Refuse a change of a bill, inside the transaction that would make it."""
        version = written.version
        if version.type != "Claim" or version.version == 1 or version.change == RESTORE:
            return
        before = tx.read_version(version, version.version - 1)
        if before is None or before.deleted:
            return
        old = json.decode(before.body)
        if written.resource is not None and _billed(old) == _billed(json.decode(version.body)):
            return
        request = Request(method="GET", caller=server_as(written.who))
        if standing(old, _task(tx, version.id), answers(self._fhir, request, version.id, tx=tx)) in _OPEN:
            return
        text = "The claim was sent to the payer and stays as it is. Make a new one by Claim/[id]/$correct."
        raise FhirError.of(Category.CONFLICT, "business-rule", text, "Claim")


def _billed(claim: Json) -> Json:
    return {name: value for name, value in claim.items() if name != "meta"}


def _task(tx: Tx, claim: str) -> Json | None:
    found = tx.current("Task", task_id(claim))
    return orjson.loads(found.body) if found is not None and not found.deleted else None


def _with(request: Request, body: bytes) -> Request:
    return msgspec.structs.replace(request, body=body)


def _told(status: int, done: Response) -> Response:
    return Response(
        status=status, body=done.body, etag=done.etag, content_type=FHIR_JSON, location=done.location,
        headers=(("Content-Location", done.location),) if done.location else (),
    )  # fmt: skip


def operations(fhir: Fhir) -> list[Operation]:
    """`$correct` on a Claim."""
    return [
        Operation(
            "correct", frozenset({"instance"}), Correct(fhir), frozenset({"Claim"}),
            definition=f"{BASE}/OperationDefinition/Claim-correct", for_all=True,
        )
    ]  # fmt: skip
