"""The terminology operations on CodeSystem, ValueSet and ConceptMap (https://hl7.org/fhir/R4/terminology-service.html)."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import msgspec

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import FHIR, TX_ECOSYSTEM
from fhir_profiles.validate import check
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.operations.registry import Level, Operation
from terminology.operations import OPERATIONS, Answer, Call
from terminology.operations.capabilities import versions

Json = dict[str, Any]
BOTH = frozenset({"GET", "POST"})
SLOW = frozenset(("$expand", "$translate", "$batch-validate-code"))
"""Operations that may take a while, and so go to a thread."""

SMALL = 16_384
"""Bytes of a body that is read without a thread."""

KEPT = 4_096
"""Answers that stay at hand until a stored code system or value set changes."""

_MISSHAPEN = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What operations meet in resources that are no FHIR."""

_AS = {"ValueSet": "valueSet", "CodeSystem": "codeSystem", "ConceptMap": "conceptMap"}


class TerminologyOperation:
    """One operation. What is in memory is answered at once; what reads the database or much data, in a thread."""

    def __init__(self, fhir: Fhir, answer: Answer) -> None:
        self._fhir = fhir
        self._answer = answer
        self._kept: dict[Hashable, Response] = {}
        self._stamp: Hashable = None

    async def __call__(self, request: Request) -> Response:
        """200 with what the operation answers; FhirError when it has no answer."""
        brief = len(request.path) == 2 and request.path[1] not in SLOW and len(request.body) < SMALL
        if not brief or not self._fhir.conformance.stored.ready():
            return await self._fhir.store.run(self._respond, request)
        stamp = self._fhir.conformance.generation()
        if stamp != self._stamp or len(self._kept) >= KEPT:
            self._stamp, self._kept = stamp, {}
        asked = request.query, request.body, request.language
        found = self._kept.get(asked)
        if found is None:
            found = self._kept[asked] = self._respond(request)
        return found

    def _respond(self, request: Request) -> Response:
        call = read_call(request)
        instance = self._instance(request) if len(request.path) == 3 else None
        try:
            made = self._answer(call, self._fhir.conformance.codes_library, instance)
        except _MISSHAPEN as error:
            refuse_misshapen(request, error)
            raise
        return Response(status=200, body=json.encode(made), headers=(("Vary", "Accept-Language"),))

    def _instance(self, request: Request) -> Json:
        read = msgspec.structs.replace(request, method="GET", path=request.path[:2], query=(), body=b"")
        found: Json = json.decode(self._fhir.handle_sync(read).body)
        return found


def read_call(request: Request) -> Call:
    """What an operation was called with: query, Parameters, or the resource that it is about."""
    call = Call.of_query(request.query, request.language)
    if not request.body:
        return call
    body = json.decode(request.body)
    kind = body.get("resourceType")
    if isinstance(kind, str) and kind in _AS:
        own: tuple[tuple[str, Any], ...] = ((_AS[kind], body),)
    elif kind == "Parameters":
        own = Call.of(body).parameters
    else:
        raise FhirError.of(Category.INCORRECT, "invalid", "Send a Parameters resource.")
    return Call((*call.parameters, *own), request.language)


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
    for name, answer in OPERATIONS.items():
        kind, _, operation = name.partition("/$")
        levels: frozenset[Level] = frozenset({"type", "instance"})
        handler = TerminologyOperation(fhir, answer)
        base = TX_ECOSYSTEM if operation.startswith("batch") else FHIR
        definition = f"{base}/OperationDefinition/{kind}-{operation}"
        methods = BOTH if not operation.startswith("batch") else frozenset({"POST"})
        made.append(Operation(operation, levels, handler, frozenset({kind}), methods, definition))
    system: frozenset[Level] = frozenset({"system"})
    versions_definition = f"{FHIR}/OperationDefinition/CapabilityStatement-versions"
    made.append(Operation("versions", system, _versions, None, BOTH, versions_definition))
    return made
