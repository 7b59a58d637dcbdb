"""The answers to a stored Claim, the newest first (https://hl7.org/fhir/R4/claimresponse.html)."""

from __future__ import annotations

from typing import Any

import msgspec

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.validate import check
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.store import Tx

Json = dict[str, Any]
MOST = 200
"""Answers to one claim that are looked at."""


def asking(of: Request, method: str, path: tuple[str, ...], query: tuple[tuple[str, str], ...] = ()) -> Request:
    """A request of our own on behalf of who asks."""
    return msgspec.structs.replace(
        of, method=method, path=path, query=query, body=b"", prefer="return=representation", if_match=None,
        if_none_match=None, if_none_exist=None, if_modified_since=None, versioned=False,
    )  # fmt: skip


def stored(fhir: Fhir, request: Request, kind: str, id: str, tx: Tx | None = None) -> Json:
    """A resource as it stands; FhirError where there is none."""
    one = asking(request, "GET", (kind, id))
    return json.decode((fhir.handle_in(tx, one) if tx is not None else fhir.handle_sync(one)).body)


def answers(fhir: Fhir, request: Request, claim: str, use: str = "claim", tx: Tx | None = None) -> list[Json]:
    """Every active ClaimResponse of a use to the Claim with this id; of two of one moment the later written first."""
    query = (("request", f"Claim/{claim}"), ("use", use), ("status", "active"), ("_count", str(MOST)))
    one = asking(request, "GET", ("ClaimResponse",), query)
    found = json.decode((fhir.handle_in(tx, one) if tx is not None else fhir.handle_sync(one)).body)
    rows = [entry["resource"] for entry in found.get("entry", ()) if entry["search"]["mode"] == "match"]
    return sorted(rows, key=lambda row: (row.get("created", ""), row["meta"]["lastUpdated"]), reverse=True)


def refuse_misbuilt(resource: Json) -> None:
    """Refuse a resource that R4 does not allow, before anything of it is read."""
    if errors := [problem for problem in check(resource) if problem.severity in ("error", "fatal")]:
        raise FhirError(Category.INCORRECT, *errors)
