"""The terminology operations on CodeSystem, ValueSet and ConceptMap (https://hl7.org/fhir/R4/terminology-service.html)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import msgspec

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import FHIR, TX_ECOSYSTEM
from fhir_profiles.validate import check
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.operations.registry import Level, Operation
from terminology.effort import SpentError, within
from terminology.operations import OPERATIONS, Answer, Call
from terminology.operations.capabilities import versions
from terminology.operations.prepared import Prepared
from terminology.operations.shelf import Library

Json = dict[str, Any]
Asked = tuple[tuple[tuple[str, str], ...], bytes, str]
"""What shapes an answer: query, body and language of a request."""

BOTH = frozenset({"GET", "POST"})
BRIEF = frozenset(("$validate-code", "$lookup", "$subsumes"))
"""Operations that are about one code, and so answered at once; the others may take a while."""

SMALL = 16_384
"""Bytes of a body that is read without a thread."""

MOMENT = 0.005
"""Seconds that an answer at once may take; what takes more goes to a thread."""

LONGEST, MOST_OBJECTS = 6 * 1024 * 1024, 250_000
"""Bytes of a body, and JSON objects and arrays in it."""

LANES = 2
"""Threads for what takes a while: with more, the event loop would wait for its turn among them."""

KEPT, KEPT_BYTES, KEPT_LONGEST = 4_096, 16 * 1024 * 1024, 32 * 1024
"""Answers that stay at hand until a stored code system or value set changes: how many, together, each."""

_MISSHAPEN = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What operations meet in resources that are no FHIR."""

_VARY = (("Vary", "Accept-Language"),)
_AS = {"ValueSet": "valueSet", "CodeSystem": "codeSystem", "ConceptMap": "conceptMap"}


class TerminologyOperation:
    """One operation. A call of a kind that has been answered before is answered at once, any other in a thread."""

    def __init__(self, fhir: Fhir, answer: Answer, lanes: Executor) -> None:
        self._fhir = fhir
        self._answer = answer
        self._lanes = lanes
        self._seconds = fhir.settings.terminology_seconds
        self._kept = Kept()

    async def __call__(self, request: Request) -> Response:
        """200 with what the operation answers; FhirError when it has no answer."""
        path, conformance = request.path, self._fhir.conformance
        if len(path) != 2 or path[1] not in BRIEF or len(request.body) >= SMALL:
            return await self._later(request)
        if not conformance.stored.ready():
            await self._fhir.store.run(conformance.generation)
            if not conformance.stored.ready():  # it cannot be told, without the database, what has changed
                return await self._later(request)
        library = conformance.codes_library
        stamp = library.settle()
        key = request.query, request.body, request.language
        found = self._kept.find(stamp, key)
        if found is None:
            found = self._at_once(request, library) or await self._later(request)
            self._kept.keep(stamp, key, found)
        return found

    async def _later(self, request: Request) -> Response:
        return await asyncio.get_running_loop().run_in_executor(self._lanes, self._respond, request)

    def _at_once(self, request: Request, library: Library) -> Response | None:
        """The answer to one more call of a kind that has been answered; None for a new kind, or what takes long."""
        if not isinstance(self._answer, Prepared):
            return None
        call = read_call(request)
        told = self._answer.ready(call, library)
        if told is None:
            return None
        try:
            return self._made(request, within(MOMENT, waiting=True), told, call)
        except SpentError:
            return None

    def _respond(self, request: Request) -> Response:
        call = read_call(request)
        instance = self._instance(request) if len(request.path) == 3 else None
        return self._made(
            request, within(self._seconds), self._answer, call, self._fhir.conformance.codes_library, instance
        )

    def _made(self, request: Request, bound: within, answer: Callable[..., Json], *args: Any) -> Response:
        try:
            with bound:
                made = answer(*args)
        except _MISSHAPEN as error:
            refuse_misshapen(request, error)
            raise
        return Response(status=200, body=json.encode(made), headers=_VARY)

    def _instance(self, request: Request) -> Json:
        read = msgspec.structs.replace(request, method="GET", path=request.path[:2], query=(), body=b"")
        found: Json = json.decode(self._fhir.handle_sync(read).body)
        return found


class Kept:
    """Answers by what shaped them; those of one generation of definitions."""

    def __init__(self) -> None:
        self._answers: dict[Asked, Response] = {}
        self._bytes = 0
        self._stamp: Hashable = None

    def find(self, stamp: Hashable, key: Asked) -> Response | None:
        """The answer to a request that was made before."""
        if stamp != self._stamp:
            self._answers, self._bytes, self._stamp = {}, 0, stamp
        return self._answers.get(key)

    def keep(self, stamp: Hashable, key: Asked, response: Response) -> None:
        """Keep an answer, unless it is long or what it rests on has changed."""
        query, body, language = key
        size = len(response.body) + len(body) + len(language)
        for name, value in query:
            size += len(name) + len(value)
        if size <= KEPT_LONGEST and stamp == self._stamp:
            if len(self._answers) >= KEPT or self._bytes >= KEPT_BYTES:
                self._answers, self._bytes = {}, 0
            self._answers[key] = response
            self._bytes += size


def read_call(request: Request) -> Call:
    """What an operation was called with: query, Parameters, or the resource that it is about."""
    if not request.body:
        return Call.of_query(request.query, request.language)
    asked = Call.of_query(request.query).parameters
    if request.body.count(b"{") + request.body.count(b"[") > MOST_OBJECTS:
        raise FhirError.of(Category.INCORRECT, "too-costly", f"A call may hold {MOST_OBJECTS} JSON objects and arrays.")
    body = json.decode(request.body)
    kind = body.get("resourceType")
    if isinstance(kind, str) and kind in _AS:
        own: tuple[tuple[str, Any], ...] = ((_AS[kind], body),)
    elif kind == "Parameters":
        if not asked:
            return Call.of(body, request.language)
        own = Call.of(body).parameters
    else:
        raise FhirError.of(Category.INCORRECT, "invalid", "Send a Parameters resource.")
    return Call((*asked, *own), request.language)


def refuse_misshapen(request: Request, error: Exception) -> None:
    """FhirError with what is wrong with the body as FHIR, which is looked at only once it has led to an error."""
    problems = check(json.decode(request.body)) if request.body else []
    grave = [problem for problem in problems if problem.severity in ("error", "fatal")]
    if grave:
        raise FhirError(Category.INCORRECT, *grave) from error


async def _versions(_: Request) -> Response:
    return Response(status=200, body=json.encode(versions()))


def operations(fhir: Fhir) -> list[Operation]:
    """All of them, on types and on instances."""
    made = []
    lanes = ThreadPoolExecutor(LANES, thread_name_prefix="terminology")
    for name, answer in OPERATIONS.items():
        kind, _, operation = name.partition("/$")
        levels: frozenset[Level] = frozenset({"type", "instance"})
        handler = TerminologyOperation(fhir, answer, lanes)
        base = TX_ECOSYSTEM if operation.startswith("batch") else FHIR
        definition = f"{base}/OperationDefinition/{kind}-{operation}"
        methods = BOTH if not operation.startswith("batch") else frozenset({"POST"})
        made.append(
            Operation(operation, levels, handler, frozenset({kind}), methods, definition, longest=LONGEST, for_all=True)
        )
    system: frozenset[Level] = frozenset({"system"})
    versions_definition = f"{FHIR}/OperationDefinition/CapabilityStatement-versions"
    made.append(Operation("versions", system, _versions, None, BOTH, versions_definition, for_all=True))
    return made
