"""What coders decided about a document, read in the transaction that stores a new run, and folded into its results."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from server.access.caller import Caller
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.review.fold import fold, wanted
from server.store import Tx

Json = dict[str, Any]


def keep_decided(fhir: Fhir, tx: Tx, caller: Caller, document: str, bundle: bytes) -> tuple[bytes, list[str]]:
    """The Bundle of a run over the document with this id, and what of the former results stays beside it."""
    name = f"DocumentReference/{document}"
    provenances = decisions_about(fhir, tx, caller, name)
    named = (tuple(reference.split("/", 1)) for reference in wanted(name, provenances))
    found = {"/".join(path): one for path in named if (one := read_one(fhir, tx, caller, path)) is not None}
    folded = fold(json.decode(bundle), name, found, provenances) if found else None
    return (json.encode(folded.bundle), list(folded.kept)) if folded else (bundle, [])


def decisions_about(fhir: Fhir, tx: Tx, caller: Caller, document: str) -> list[Json]:
    """Every Provenance that names the document, page by page."""
    found: list[Json] = []
    cursor: str | None = ""
    while cursor is not None:
        query = [("entity", document), ("_sort", "_id"), ("_count", str(fhir.settings.max_count))]
        query += [("_cursor", cursor)] if cursor else []
        asked = Request(method="GET", path=("Provenance",), query=tuple(query), caller=caller)
        page = json.decode(fhir.handle_in(tx, asked).body)
        found += [entry["resource"] for entry in page.get("entry") or ()]
        following = (link["url"] for link in page.get("link") or () if link["relation"] == "next")
        cursor = next((dict(parse_qsl(urlsplit(url).query)).get("_cursor") for url in following), None)
    return found


def read_one(fhir: Fhir, tx: Tx, caller: Caller, path: tuple[str, ...]) -> Json | None:
    """A resource as it stands; None where it was deleted or never was."""
    try:
        found: Json = json.decode(fhir.handle_in(tx, Request(method="GET", path=path, caller=caller)).body)
    except FhirError as error:
        if error.category is not Category.NOT_FOUND:
            raise
        return None
    return found
