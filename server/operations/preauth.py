"""Requests for authorisation: `Claim/$submit` of one, `Claim/$inquire`, `Claim/[id]/$decide`.

https://hl7.org/fhir/us/davinci-pas/
"""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import msgspec

from claims.answer.benefit_parties import Beside
from claims.preauth.answer import Made, pended
from claims.preauth.decision import Decision, ItemDecision, decided
from claims.preauth.inquiry import bundle, fits
from claims.preauth.request import USE, Asked, content, read_request
from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import BASE, PAS
from server.interactions.content import instant
from server.interactions.exchange import FHIR_JSON, Request, Response
from server.interactions.fhir import Fhir
from server.operations.answers import answers, asking, refuse_misbuilt, stored
from server.operations.near import Near
from server.operations.parameters import Arguments, read_arguments, wrong
from server.operations.registry import Operation
from server.store import Tx

if TYPE_CHECKING:
    from server.operations.claims import Desk

LONGEST = 8 * 1024 * 1024
MOST_FOUND = 50
"""Requests that one question may find."""

_MARK = b'"preauthorization"'
_FIRST = "preauth-"
Json = dict[str, Any]


class Preauthorise:
    """Takes a request in, keeps it with the answer that it is pended, and gives the newest answer there is."""

    def __init__(self, fhir: Fhir, desk: Desk) -> None:
        self._fhir, self._desk = fhir, desk

    def takes(self, request: Request) -> bool:
        """Whether what is submitted asks for an authorisation."""
        if _MARK not in request.body:
            return False
        try:
            sent = read_arguments(request).value("resource")
        except FhirError:
            return False  # the reader of claims tells what is wrong with it
        entries = sent.get("entry") if isinstance(sent, dict) else None
        first = entries[0] if isinstance(entries, list) and entries else {"resource": sent}
        claim = first.get("resource") if isinstance(first, dict) else None
        return isinstance(claim, dict) and claim.get("resourceType") == "Claim" and claim.get("use") == USE

    async def __call__(self, request: Request) -> Response:
        """200 with the Bundle that PAS asks for, or with the ClaimResponse alone where a Claim alone was sent."""
        asked, notes = await self._fhir.store.run(self._read, request)
        return await self._fhir.store.write(lambda tx: self._keep(tx, request, asked, notes))

    def _read(self, request: Request) -> tuple[Asked, Json]:
        """The request and the answer to it, still without its time."""
        near = Near(self._fhir, request)
        asked = _asked(request, near)
        id = f"{_FIRST}{hashlib.sha256(content(asked.claim)).hexdigest()[:40]}"
        known = asked.claim.get("id")
        if asked.bundled or known is None or near(f"Claim/{known}") is None:
            asked = asked._replace(claim={**asked.claim, "id": id})
        return asked, self._pended(asked, id, near)

    def _pended(self, asked: Asked, id: str, near: Near) -> Json:
        from claims.answer.head import read_head
        from claims.sheet.read import read_claim

        scrub, body = self._desk.scrub(), json.encode(asked.claim)
        today = (date.today() - date(1970, 1, 1)).days
        found = scrub.one(read_claim(body, 0, near, today), read_head(body)).findings
        made = Made(id, "", f"Claim/{asked.claim['id']}", scrub.stamp.whole)
        return pended(asked.claim, asked.lacks, found, made)

    def _keep(self, tx: Tx, request: Request, asked: Asked, answer: Json) -> Response:
        claim = asked.claim["id"]
        if claim == answer["id"] and (found := tx.current("Claim", claim)) is not None and found.deleted:
            text = "The request was deleted here. Send it with another number."
            raise FhirError.of(Category.CONFLICT, "deleted", text, "Claim")
        if claim == answer["id"] and tx.current("Claim", claim) is None:
            self._put(tx, request, asked.claim)
        if tx.current("ClaimResponse", answer["id"]) is None:
            self._put(tx, request, answer | {"created": instant(tx.now).decode()})
        every = answers(self._fhir, request, claim, USE, tx)
        if not every:
            text = "The request was sent before, by somebody whose answer you may not see."
            raise FhirError.of(Category.FORBIDDEN, "forbidden", text, "Claim")
        newest = _newest(every)
        if not asked.bundled:
            return Response(status=200, body=json.encode(newest), content_type=FHIR_JSON)
        near = Beside(asked.claim, lambda name: _found(self._fhir, tx, request, name))
        whole = bundle([newest], request.base_url, newest["created"], asked.number, near)
        return Response(status=200, body=json.encode(whole), content_type=FHIR_JSON)

    def _put(self, tx: Tx, request: Request, resource: Json) -> None:
        put = asking(request, "PUT", (resource["resourceType"], resource["id"]))
        self._fhir.handle_in(tx, msgspec.structs.replace(put, body=json.encode(resource)))


class Inquire:
    """Finds requests by their number, and tells the newest answer to each."""

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir

    async def __call__(self, request: Request) -> Response:
        """200 with a Bundle of answers, empty where no request fits."""
        return await self._fhir.store.run(self._find, request)

    def _find(self, request: Request) -> Response:
        near = Near(self._fhir, request)
        asked = _asked(request, near)
        mine, found = Beside(asked.claim, near), []
        for claim in self._named(request, asked.claim):
            if fits(asked.claim, mine, claim, Beside(claim, near)):
                found += [_newest(every)] if (every := answers(self._fhir, request, claim["id"], USE)) else []
        now = instant(_now()).decode()
        whole = bundle(found, request.base_url, now, asked.number, Beside({}, near))
        return Response(status=200, body=json.encode(whole), content_type=FHIR_JSON)

    def _named(self, request: Request, inquiry: Json) -> list[Json]:
        """The requests of this server with a number of the question."""
        numbers = [one for one in inquiry.get("identifier", ()) if one.get("value")]
        if not numbers:
            raise FhirError.of(Category.INCORRECT, "required", "Ask by the number of the request.", "Claim.identifier")
        tokens = [f"{one['system']}|{one['value']}" if one.get("system") else one["value"] for one in numbers[:10]]
        query = (("use", USE), ("identifier", ",".join(_escaped(t) for t in tokens)), ("_count", str(MOST_FOUND)))
        found = json.decode(self._fhir.handle_sync(asking(request, "GET", ("Claim",), query)).body)
        return [entry["resource"] for entry in found.get("entry", ()) if entry["search"]["mode"] == "match"]


class Decide:
    """Keeps what a reviewer decides as a new answer; the ones before stay."""

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir

    async def __call__(self, request: Request) -> Response:
        """201 with the ClaimResponse, 200 where the same was decided last."""
        arguments = read_arguments(request)
        decision = _decision(arguments)
        return await self._fhir.store.write(lambda tx: self._decide(tx, request, decision))

    def _decide(self, tx: Tx, request: Request, decision: Decision) -> Response:
        claim = stored(self._fhir, request, "Claim", request.path[1], tx)
        every = answers(self._fhir, request, claim["id"], USE, tx)
        digest = hashlib.sha256(claim["id"].encode()).hexdigest()[:40]
        made = Made(f"decision-{digest}-{len(every)}", instant(tx.now).decode(), f"Claim/{claim['id']}")
        found = decided(claim, decision, made)
        if every and _says(_newest(every)) == _says(json.decode(json.encode(found))):
            return Response(status=200, body=json.encode(_newest(every)), content_type=FHIR_JSON)
        put = msgspec.structs.replace(asking(request, "PUT", ("ClaimResponse", made.id)), body=json.encode(found))
        done = self._fhir.handle_in(tx, put)
        return Response(status=201, body=done.body, etag=done.etag, content_type=FHIR_JSON, location=done.location)


def _asked(request: Request, near: Near) -> Asked:
    sent = read_arguments(request).value("resource")
    if not isinstance(sent, dict):
        text = "Send a Bundle whose first entry is a Claim, as the body or as the parameter resource."
        raise FhirError.of(Category.INCORRECT, "required", text, "Parameters.parameter")

    refuse_misbuilt(sent)

    def local(reference: str) -> str | None:
        path = near.path(reference)
        return "/".join(path) if path is not None and near(reference) is not None else None

    return read_request(sent, local, near)


def _newest(every: list[Json]) -> Json:
    """The newest answer; that it is pended, which this server said at first, goes behind whatever came later."""
    return next((one for one in every if not one["id"].startswith(_FIRST)), every[0])


def _says(answer: Json) -> Json:
    """An answer without what it is called and when it was made."""
    told = {k: v for k, v in answer.items() if k not in ("id", "meta", "created", "identifier")}
    items = [
        {**one, "extension": [e for e in one.get("extension", ()) if "valueDate" not in e]}
        for one in told.get("item", ())
    ]
    return {**told, "item": items}


def _found(fhir: Fhir, tx: Tx, request: Request, name: str) -> bytes | None:
    path = Near(fhir, request).path(name)
    try:
        return fhir.handle_in(tx, asking(request, "GET", path)).body if path is not None else None
    except FhirError as error:
        if error.category not in (Category.NOT_FOUND, Category.FORBIDDEN):
            raise
        return None


def _escaped(token: str) -> str:
    return token.replace("\\", "\\\\").replace(",", "\\,").replace("$", "\\$")


def _now() -> int:
    import time

    return time.time_ns() // 1_000_000 * 1000


def _decision(arguments: Arguments) -> Decision:
    """What the parameters say."""
    arguments.only("decision", "number", "start", "end", "reason", "item")
    word = arguments.text("decision")
    if word is None:
        raise wrong("Say what is decided.", "decision")
    items: dict[int, ItemDecision] = {}
    for name, parts in arguments.values:
        if name == "item":
            sequence, one = _item(parts, word)
            items[sequence] = one
    texts = {name: arguments.text(name) for name in ("number", "start", "end", "reason")}
    return Decision(word, **texts, items=items)


def _item(parts: Any, word: str) -> tuple[int, ItemDecision]:
    known = {"sequence": ("valuePositiveInt", "valueInteger"), "decision": ("valueCode", "valueString")}
    known["quantity"] = ("valueDecimal", "valueInteger")
    said: Json = {}
    for part in parts if isinstance(parts, list) else ():
        name = part.get("name") if isinstance(part, dict) else None
        if name not in known:
            raise wrong("An item has a sequence, a decision and a quantity.", "item")
        said[name] = next((part[key] for key in known[name] if key in part), None)
    if not isinstance(said.get("sequence"), int):
        raise wrong("Give the sequence of the item.", "item.sequence")
    try:
        quantity = None if said.get("quantity") is None else Decimal(str(said["quantity"]))
    except InvalidOperation:
        raise wrong("A quantity is a number.", "item.quantity") from None
    return said["sequence"], ItemDecision(str(said.get("decision") or word), quantity)


def operations(fhir: Fhir) -> list[Operation]:
    """`$inquire` and `$decide` on Claim; `$submit` hands requests over to `Preauthorise`."""
    types = frozenset({"Claim"})
    return [
        Operation(
            "inquire", frozenset({"type"}), Inquire(fhir), types,
            definition=f"{PAS}OperationDefinition/Claim-inquiry", longest=LONGEST, for_all=True,
        ),
        Operation(
            "decide", frozenset({"instance"}), Decide(fhir), types,
            definition=f"{BASE}/OperationDefinition/Claim-decide", for_all=True,
        ),
    ]  # fmt: skip
