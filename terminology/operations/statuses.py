"""What a caller should know of the state of the code systems and value sets that an answer rests on.

https://hl7.org/fhir/R4/valueset-publication-status.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fhir_profiles.systems import STANDARDS_STATUS
from terminology.operations.books import Book, canonical
from terminology.operations.issues import Issue, issue
from terminology.operations.plan import Plan

Json = dict[str, Any]


def standing(resource: Json, within: Json | None = None) -> str | None:
    """withdrawn, deprecated, retired, experimental or draft; None for what is in order, or as far as what uses it."""
    around = within or {}
    for one in resource.get("extension", ()):
        if one.get("url") == STANDARDS_STATUS and one.get("valueCode") in ("withdrawn", "deprecated"):
            return str(one["valueCode"])
    if resource.get("status") == "retired":
        return "retired"
    if resource.get("experimental") is True and around.get("experimental") is not True:
        return "experimental"
    if resource.get("status") == "draft" and around.get("status") != "draft":
        return "draft"
    return None


def standings(plan: Plan | None, books: Iterable[Book]) -> Iterator[tuple[str, str, str]]:
    """(standing, kind of resource, canonical) of everything that is not in order."""
    seen: set[str] = set()
    around = plan.resource if plan is not None else None
    if plan is not None:
        for one in plan.walk():
            found = standing(one.resource, around)
            if found and one.name not in seen:
                seen.add(one.name)
                yield found, "ValueSet", one.name
    for book in books:
        found = standing(book.head, around)
        if found and canonical(book) not in seen and around is not None:
            seen.add(canonical(book))
            yield found, "CodeSystem", canonical(book)


def issues(plan: Plan | None, books: Iterable[Book]) -> list[Issue]:
    """One information for each."""
    return [issue(f"MSG_{found.upper()}", kind, name) for found, kind, name in standings(plan, books)]
