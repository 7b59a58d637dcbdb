"""`Claim/$remittance`: files of X12 about claims: 835, 277CA and 999 from payers, and the 837 that was sent.

https://x12.org; docs/operations/remittance.md tells what comes of each.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import BASE
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.operations.parameters import read_arguments
from server.operations.registry import Operation

NEEDS = (
    ("Claim", "rsu"), ("ClaimResponse", "cu"), ("Communication", "cu"), ("List", "cu"), ("PaymentReconciliation", "cu"),
    ("Task", "cu"),
)  # fmt: skip
"""What the file may change, as the server: it is about the claims of many people."""

Json = dict[str, Any]
LARGEST = 16 * 1024 * 1024
"""Bytes of a file."""
LONGEST = LARGEST * 3 // 2
MOST_TOLD = 1_000
_JSON = ("application/fhir+json", "application/json")


class Remittance:
    """Takes a file in; the same file again changes nothing."""

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir

    async def __call__(self, request: Request) -> Response:
        """200 with what came of the file; FhirError with segment and position where it is damaged."""
        return await self._fhir.store.run(self._take, request)

    def _take(self, request: Request) -> Response:
        from server.jobs.claiming.delivery import Deliver

        taken = Deliver(self._fhir, request, _file(request)).run()
        found: list[Json] = [
            {"name": "kind", "valueCode": taken.delivery.kind},
            {"name": "control", "valueString": taken.delivery.number},
            {"name": "known", "valueBoolean": taken.known},
            {"name": "matched", "valueInteger": taken.matched},
            {"name": "unmatched", "valueInteger": len(taken.unmatched)},
            {"name": "file", "valueReference": {"reference": taken.kept}},
            *({"name": "payment", "valueReference": {"reference": one}} for one in taken.payments[:MOST_TOLD]),
        ]
        for number, why in taken.unmatched[:MOST_TOLD]:
            parts = [{"name": "number", "valueString": number}, {"name": "reason", "valueString": why}]
            found.append({"name": "missing", "part": parts})
        return Response(status=200, body=json.encode({"resourceType": "Parameters", "parameter": found}))


def _file(request: Request) -> bytes:
    """The file: the body itself, or the parameter `file`."""
    if request.content_type.partition(";")[0].strip().lower() not in _JSON:
        data = request.body
    else:
        arguments = read_arguments(request)
        arguments.only("file")
        try:
            data = base64.b64decode(arguments.text("file") or "", validate=True)
        except binascii.Error:
            raise FhirError.of(Category.INCORRECT, "value", "file is not base64.", "file") from None
    if not data.strip():
        text = "Send the file as the body, or as the parameter file in base64."
        raise FhirError.of(Category.INCORRECT, "required", text, "file")
    if len(data) > LARGEST:
        raise FhirError.of(Category.INCORRECT, "too-long", f"A file has at most {LARGEST} bytes: part it.")
    return data.strip()


def operations(fhir: Fhir) -> list[Operation]:
    """`$remittance` on Claim."""
    return [
        Operation(
            "remittance", frozenset({"type"}), Remittance(fhir), frozenset({"Claim"}), raw=True, longest=LONGEST,
            definition=f"{BASE}/OperationDefinition/Claim-remittance", needs=NEEDS,
        )
    ]  # fmt: skip
