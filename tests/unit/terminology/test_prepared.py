"""Calls that share what they say apart from their codes."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pytest

from fhir_profiles.errors import FhirError
from terminology.operations import OPERATIONS, Call, Library
from terminology.operations.prepared import LONGEST, MOST

Json = dict[str, Any]
SYSTEM: Json = {
    "resourceType": "CodeSystem", "url": "urn:fruit", "version": "1", "status": "active", "content": "complete",
    "concept": [{"code": "pome", "display": "Pome", "concept": [{"code": "apple", "display": "Apple"}]}],
}  # fmt: skip
POMES: Json = {
    "resourceType": "ValueSet", "url": "urn:pomes", "status": "active",
    "compose": {
        "include": [{"system": "urn:fruit", "filter": [{"property": "concept", "op": "is-a", "value": "pome"}]}]
    },
}  # fmt: skip


class Shop:
    """What is stored, and when it last changed."""

    def __init__(self) -> None:
        self.resources: list[Json] = [SYSTEM, POMES]
        self.stamp = 0

    def find(self, kind: str, url: str) -> list[Json]:
        """The resources of a URL."""
        return [r for r in self.resources if r["resourceType"] == kind and r["url"] == url]

    def generation(self) -> Hashable:
        """How often it has changed."""
        return self.stamp


CALLS: list[tuple[str, tuple[tuple[str, Any], ...], str]] = [
    (name, (*head, *((key, code) for key in keys)), language)
    for name, head, keys in (
        ("CodeSystem/$validate-code", (("url", "urn:fruit"),), ("code",)),
        ("CodeSystem/$validate-code", (("url", "urn:fruit"), ("display", "Apple")), ("code",)),
        ("CodeSystem/$validate-code", (("url", "urn:fruit"), ("version", "2")), ("code",)),
        ("ValueSet/$validate-code", (("url", "urn:pomes"), ("system", "urn:fruit")), ("code",)),
        ("ValueSet/$validate-code", (("url", "urn:pomes"), ("system", "urn:other")), ("code",)),
        ("ValueSet/$validate-code", (("url", "urn:pomes"), ("inferSystem", "true")), ("code",)),
        ("CodeSystem/$lookup", (("system", "urn:fruit"),), ("code",)),
        ("CodeSystem/$lookup", (("system", "urn:fruit"), ("property", "parent")), ("code",)),
        ("CodeSystem/$subsumes", (("system", "urn:fruit"), ("codeA", "pome")), ("codeB",)),
    )
    for code in ("apple", "pome", "quince", "")
    for language in ("", "de")
]
CODINGS = [
    ("ValueSet/$validate-code", (("url", "urn:pomes"), ("coding", {"system": system, "code": code})), "")
    for system in ("urn:fruit", "urn:other")
    for code in ("apple", "quince")
]


def _told(name: str, parameters: tuple[tuple[str, Any], ...], language: str, library: Library) -> Any:
    try:
        return OPERATIONS[name](Call(parameters, language), library, None)
    except FhirError as error:
        return error.category, error.problems


def test_what_is_prepared_answers_as_what_is_not() -> None:
    """The order of calls, and what was asked before, change no answer."""
    shop = Shop()
    keeping, fresh = Library(None, shop.find, shop.generation), Library(None, shop.find)
    for one in (*CALLS, *CODINGS, *reversed(CALLS), *CODINGS):
        assert _told(*one, keeping) == _told(*one, fresh)


def test_a_change_is_seen_at_once() -> None:
    """What was prepared before a value set changed answers no more."""
    shop = Shop()
    library = Library(None, shop.find, shop.generation)
    one = ("ValueSet/$validate-code", (("url", "urn:pomes"), ("system", "urn:fruit"), ("code", "apple")), "")
    assert _told(*one, library)["parameter"][0]["valueBoolean"] is True
    shop.resources[1] = {**POMES, "compose": {"include": [{"system": "urn:fruit", "concept": [{"code": "pome"}]}]}}
    shop.stamp += 1
    assert _told(*one, library)["parameter"][0]["valueBoolean"] is False


@pytest.mark.parametrize("many", [MOST * 3])
def test_what_is_kept_is_bounded(many: int) -> None:
    """Neither many kinds of call nor long ones pile up."""
    shop = Shop()
    library = Library(None, shop.find, shop.generation)
    for n in range(many):
        _told("CodeSystem/$lookup", (("system", "urn:fruit"), ("code", "apple"), ("property", f"p{n}")), "", library)
    assert len(library.prepared) <= MOST
    kept = len(library.prepared)
    _told("CodeSystem/$lookup", (("system", "urn:fruit"), ("code", "apple"), ("property", "x" * LONGEST)), "", library)
    assert len(library.prepared) == kept
