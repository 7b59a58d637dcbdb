"""`CodeSystem/$specificity`: what would make a code more specific (docs/operations/specificity.md).

https://hl7.org/fhir/R4/codesystem.html
"""

from __future__ import annotations

from datetime import date
from typing import Any

from fhir_profiles import json
from fhir_profiles.systems import BASE
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.operations.parameters import read_arguments, wrong
from server.operations.registry import Operation
from server.review.hints import hints_of
from server.review.model import Hint
from terminology import open_terminology


class Specificity:
    """Tells what a code leaves open, and the codes that say it."""

    def __init__(self, fhir: Fhir) -> None:
        self._run = fhir.store.run
        self._data = fhir.settings.data

    async def __call__(self, request: Request) -> Response:
        """Parameters with a hint for each thing left open; none for a code that says all there is to say."""
        arguments = read_arguments(request)
        arguments.only("system", "code", "date")
        system, code = arguments.text("system"), arguments.text("code")
        if not system or not code:
            raise wrong("Name the code: system and code.", "code")
        try:
            on = date.fromisoformat(day) if (day := arguments.text("date")) else None
        except ValueError:
            raise wrong("date is a day, as 2026-05-12.", "date") from None
        hints = await self._run(lambda: hints_of(open_terminology(self._data), system, code, on))
        body: dict[str, Any] = {"resourceType": "Parameters"}
        if hints:
            body["parameter"] = [{"name": "hint", "part": _parts(one)} for one in hints]
        return Response(status=200, body=json.encode(body))


def _parts(hint: Hint) -> list[dict[str, Any]]:
    codes = [{"name": "concept", "valueCoding": {"code": code, "display": display}} for code, display in hint.codes]
    return [{"name": "kind", "valueCode": hint.kind}, {"name": "text", "valueString": hint.text}, *codes]


def operations(fhir: Fhir) -> list[Operation]:
    """`$specificity` on CodeSystem."""
    definition = f"{BASE}/OperationDefinition/CodeSystem-specificity"
    types, methods = frozenset({"CodeSystem"}), frozenset({"GET", "POST"})
    return [Operation("specificity", frozenset({"type"}), Specificity(fhir), types, methods, definition, for_all=True)]
