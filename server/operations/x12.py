"""`Claim/[id]/$x12`: a claim as it would stand in an 837, or what that still needs (docs/operations/x12.md).

https://x12.org
"""

from __future__ import annotations

from datetime import UTC, datetime

import orjson

from claims.x12.envelope import Envelope
from claims.x12.write837 import interchange
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import BASE
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.operations.near import Near
from server.operations.registry import Operation

X12 = "application/edi-x12"
NAME = "FHIRWRIGHT"


class AsX12:
    """Writes a stored claim as a test file of its own."""

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir

    async def __call__(self, request: Request) -> Response:
        """The file; FhirError (422) with every element that X12 needs and the claim lacks."""
        return await self._fhir.store.run(self._answer, request)

    def _answer(self, request: Request) -> Response:
        read = Request(method="GET", path=request.path[:2], base_url=request.base_url, caller=request.caller)
        body = self._fhir.handle_sync(read).body
        kinds = orjson.loads(body).get("type", {}).get("coding", [])
        kind = next((one.get("code") for one in kinds if one.get("code") in ("professional", "institutional")), None)
        if kind is None:
            text = "Only professional and institutional claims are written as X12: give one of these types."
            raise FhirError.of(Category.UNSUPPORTED, "not-supported", text, "Claim.type")
        envelope = Envelope(NAME, "PAYER", NAME, "CLAIMS", "5550100000", "PAYER", 1, datetime.now(UTC), "T")
        text = "".join(interchange([body], kind, envelope, resolve=Near(self._fhir, request)))
        return Response(status=200, body=text.replace("~", "~\n").encode("ascii"), content_type=X12)


def operations(fhir: Fhir) -> list[Operation]:
    """`$x12` on a Claim."""
    definition = f"{BASE}/OperationDefinition/Claim-x12"
    return [
        Operation(
            "x12", frozenset({"instance"}), AsX12(fhir), frozenset({"Claim"}), frozenset({"GET"}), definition,
            for_all=True, gives=X12,
        )
    ]  # fmt: skip
