"""`Claim/$submit`: what a payer would reject of a claim, and what it is worth, as a stored ClaimResponse.

https://hl7.org/fhir/R4/claim-operation-submit.html
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import orjson

from claims.answer.grouping import Grouping
from claims.answer.head import Head, read_head
from claims.history import corrects, recall
from claims.learn.active import ActiveModel
from claims.sheet.read import Record, read_claim
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import EARLIER_CLAIMS, FHIR
from server.access.gate import require
from server.interactions import update
from server.interactions.content import Content, content_of
from server.interactions.exchange import FHIR_JSON, Request, Response
from server.interactions.fhir import LARGE, Fhir
from server.jobs.claiming.follow import follow_again
from server.operations.earlier import EarlierClaims, Past
from server.operations.near import Near
from server.operations.preauth import Preauthorise
from server.operations.registry import Operation
from server.store import Tx

if TYPE_CHECKING:
    from claims.answer.scrub import Scrub

LONGEST = 8 * 1024 * 1024
Json = dict[str, Any]


class Desk:
    """Rules, tables and prices of a data directory, opened when first asked for and again when tables were loaded."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._lock = threading.Lock()
        self._stamp: tuple[int, ...] = ()
        self._scrub: Scrub | None = None
        self._settled = True

    def scrub(self) -> Scrub:
        """What to scrub with now."""
        folders = [self._data / name for name in ("claims", "terminology")]
        stamp = tuple(folder.stat().st_mtime_ns if folder.is_dir() else 0 for folder in folders)
        with self._lock:
            if self._scrub is None or stamp != self._stamp:
                from claims.answer.scrub import Scrub

                self._scrub, self._stamp, self._settled = Scrub.open(self._data), stamp, False
            return self._scrub

    @property
    def standing(self) -> Scrub | None:
        """What it scrubs with; None before the first claim."""
        return self._scrub

    def settle(self) -> None:
        """After the first claim: as at start-up, what stands from now on is not looked through for cycles again."""
        with self._lock:
            if self._settled:
                return
            self._settled = True
            if gc.get_freeze_count():  # a server, which has done so when it started
                gc.unfreeze()
                gc.collect()
                gc.freeze()


class Submit:
    """Scrubs a Claim and keeps the answer: the same claim, under the same rules and tables, has one answer.

    A preview of it is the same answer, and nothing is kept or followed.
    """

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir
        self.desk = Desk(fhir.settings.data)
        self._preauthorise = Preauthorise(fhir, self.desk)
        self._earlier = EarlierClaims(fhir)
        self._grouping = Grouping()
        self._model = ActiveModel(fhir.settings.data)
        self._line = ThreadPoolExecutor(1, thread_name_prefix="submit")

    async def __call__(self, request: Request) -> Response:
        """200 with the ClaimResponse, whatever it says; FhirError when the Claim cannot be read at all."""
        preview = _asked(request).preview
        # also where the answer stands: a Task may follow it
        require(request.caller, "ClaimResponse", "r" if preview else "u")
        if self._preauthorise.takes(request):
            if preview:
                text = "A request for authorisation has no preview. Send it without, and it is kept."
                raise FhirError.of(Category.INCORRECT, "not-supported", text, "preview")
            return await self._preauthorise(request)
        if len(request.body) > LARGE:
            found = await self._fhir.store.run(self.answer, request)
        else:  # one after the other: side by side each would wait for all, and the event loop too
            found = await asyncio.get_running_loop().run_in_executor(self._line, self.answer, request)
        if isinstance(found, Response):
            if not preview:
                await follow_again(self._fhir, found.body, request.caller)
            return found
        return await self._fhir.store.write(lambda tx: self._keep(tx, request, found))

    def answer(self, request: Request, moment: datetime | None = None) -> Response | Content:
        """The answer: as it was stored before, or as it is to be stored; a preview is a Response in any case.

        `moment` is when it is made, None: now.
        """
        from claims.answer.response import Written, response

        asked, scrub = _asked(request), self.desk.scrub()
        near, now = Near(self._fhir, request), moment or datetime.now(UTC)
        record, head = read_claim(asked.claim, 0, near, _days(now.date())), read_head(asked.claim)
        if head.id is not None and Near(self._fhir, request)(f"Claim/{head.id}") is None:
            head.id = None  # the answer refers to what can be read
        past = self._past(request, record, head, near, now.date())
        id = _id(asked, scrub.stamp.fingerprint + self._model.name(), near, past, head.id)
        if not asked.preview and (found := self._kept(request, id)) is not None:
            return found
        if past is not None:
            recall(record, past.claims, corrects(asked.claim), past.states)
        result = scrub.one(record, head)
        more = self._grouping.extensions(record) + _asked_of(past)
        more += self._model.extensions(result, scrub.edits.active)
        if asked.explain:
            from claims.answer.steps import steps

            more += steps(record, scrub.prices)
        stamp = scrub.stamp
        self.desk.settle()
        written = Written(id, now.isoformat(timespec="seconds"), [*stamp.whole, *more], bool(stamp.not_run))
        told = response(result, written)
        if asked.preview:
            return Response(status=200, body=told, content_type=FHIR_JSON)
        return content_of(orjson.loads(told), id, request.base_url)

    def expected(self, claim: Json) -> Decimal | None:
        """What loaded fee schedules promise for the priced lines of a Claim, in dollars, whatever it rests on.

        None where nothing has a price, and before this process has scrubbed a claim: nothing is opened for it.
        """
        scrub = self.desk.standing
        if scrub is None:
            return None
        content = orjson.dumps(claim, default=float)
        prices = scrub.one(read_claim(content), read_head(content)).prices
        known = [one.allowed for one in prices if one.allowed is not None]
        return Decimal(sum(known)) / 100 if known else None

    def _kept(self, request: Request, id: str) -> Response | None:
        """The answer that stands."""
        try:
            return _told(request, id, self._fhir.handle_sync(_asks(request, id)))
        except FhirError as error:
            if error.category is not Category.NOT_FOUND:
                raise
            return None

    def _past(self, request: Request, record: Record, head: Head, near: Near, today: date) -> Past | None:
        """The earlier claims of a patient whom this server has; None where it is somebody else's."""
        named = head.patient.reference if head.patient is not None else None
        if named is None or not near.has(named):
            return None
        path = near.path(named)
        if path is None or path[0] != "Patient":
            return None
        return self._earlier.of(request, "/".join(path), record["claim"]["first_service"], today)

    def _keep(self, tx: Tx, request: Request, made: Content) -> Response:
        """Store the answer, unless the same request at the same time has."""
        if (found := tx.current(made.type, made.id)) is not None and not found.deleted:
            return _told(request, made.id, self._fhir.handle_in(tx, _asks(request, made.id)))
        return _told(request, made.id, update.run(self._fhir, tx, _asks(request, made.id, "PUT"), made))


class _Asked(NamedTuple):
    claim: bytes
    explain: bool
    preview: bool


def _asked(request: Request) -> _Asked:
    """The Claim or Bundle itself, also where it is the parameter `resource` of Parameters, and what is wanted of it."""
    explain, preview = (_wanted(request, name) for name in ("explain", "preview"))
    try:
        head = _parameters.decode(request.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _Asked(request.body, explain, preview)  # the reader of claims tells what is wrong with it
    if head.resource_type != "Parameters":
        return _Asked(request.body, explain, preview)
    found = [bytes(one.resource) for one in head.parameter if one.name == "resource"]
    if len(found) != 1 or not found[0]:
        text = "Send a Claim, or a Bundle whose first entry is one, as the body or as the parameter resource."
        raise FhirError.of(Category.INCORRECT, "required", text, "Parameters.parameter")
    said = {one.name for one in head.parameter if one.value_boolean}
    return _Asked(found[0], explain or "explain" in said, preview or "preview" in said)


def _wanted(request: Request, name: str) -> bool:
    """Whether a switch of the query is on."""
    wanted = [value for known, value in request.query if known == name]
    if not {*wanted} <= {"true", "false"}:
        raise FhirError.of(Category.INCORRECT, "value", f"{name} is true or false.", name)
    return "true" in wanted


class _Parameter(msgspec.Struct, rename="camel"):
    name: str = ""
    resource: msgspec.Raw = msgspec.Raw()
    value_boolean: bool | None = None


class _Parameters(msgspec.Struct, rename="camel"):
    resource_type: str = ""
    parameter: list[_Parameter] = []


_parameters = msgspec.json.Decoder(_Parameters)


def _id(asked: _Asked, fingerprint: str, near: Near, past: Past | None, stored: str | None) -> str:
    """The id of the answer to a claim: its content, what it rests on here, the rules and tables that it is held to."""
    try:
        content = orjson.dumps(orjson.loads(asked.claim), option=orjson.OPT_SORT_KEYS)
    except orjson.JSONDecodeError:  # a number beyond 64 bits
        content = asked.claim
    rests = [hashlib.sha256(content).hexdigest(), fingerprint, near.told(), past and past.digest, asked.explain, stored]
    return f"scrub-{hashlib.sha256(orjson.dumps(rests)).hexdigest()[:40]}"


def _asked_of(past: Past | None) -> list[Json]:
    """The extension that tells which earlier claims were asked."""
    if past is None:
        return []
    parts: list[Json] = [
        {"url": "claims", "valueUnsignedInt": len(past.claims)},
        {"url": "since", "valueDate": past.since},
    ]
    if past.more:
        parts.append({"url": "more", "valueBoolean": True})
    return [{"url": EARLIER_CLAIMS, "extension": parts}]


def _days(today: date) -> int:
    return (today - date(1970, 1, 1)).days


def _asks(of: Request, id: str, method: str = "GET") -> Request:
    path = ("ClaimResponse", id)
    return Request(method=method, path=path, base_url=of.base_url, caller=of.caller, prefer="return=representation")


def _told(of: Request, id: str, stored: Response) -> Response:
    version = (stored.etag or "").removeprefix('W/"').removesuffix('"')
    headers = (("Content-Location", f"{of.base_url}/ClaimResponse/{id}/_history/{version}"),)
    return Response(status=200, body=stored.body, content_type=FHIR_JSON, headers=headers)


def operations(fhir: Fhir, submit: Submit | None = None) -> list[Operation]:
    """`$submit` on Claim."""
    definition = f"{FHIR}/OperationDefinition/Claim-submit"
    return [
        Operation(
            "submit",
            frozenset({"type"}),
            submit or Submit(fhir),
            frozenset({"Claim"}),
            definition=definition,
            longest=LONGEST,
            for_all=True,
        )
    ]
