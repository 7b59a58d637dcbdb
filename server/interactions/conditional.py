"""The one resource that a query finds, inside the transaction that acts on it (https://hl7.org/fhir/R4/http.html#ccreate)."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

from fhir_profiles.errors import Category, FhirError
from server.search.find import find_ids
from server.store import Tx, Version


def pairs_of(criteria: str | Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The parameters of a query, which may come with its type before a `?`."""
    if isinstance(criteria, str):
        return tuple(parse_qsl(criteria.rpartition("?")[2], keep_blank_values=True))
    return tuple(criteria)


def find_one(
    tx: Tx, resource_type: str, criteria: str | Sequence[tuple[str, str]], base_url: str = ""
) -> Version | None:
    """The resource that the criteria find; None for none, FhirError for several.

    The same criteria wait for each other until the transaction ends, so that two of them never both find nothing.
    """
    pairs = pairs_of(criteria)
    if not pairs:
        text = "A conditional interaction needs search parameters; without any it would mean every resource."
        raise FhirError.of(Category.INCORRECT, "required", text)
    tx.lock(f"{resource_type}?{sorted(pairs)}")
    found = find_ids(tx, resource_type, pairs, limit=2, base_url=base_url)
    if len(found) > 1:
        text = "More than one resource matches the criteria; make them narrower."
        raise FhirError.of(Category.CONFLICT, "multiple-matches", text)
    return tx.current(resource_type, found[0]) if found else None
