"""`ValueSet/$expand` (https://hl7.org/fhir/R4/valueset-operation-expand.html)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import (
    CONCEPT_PROPERTIES,
    EXPANSION_PROPERTY,
    VALUE_SET_UNCLOSED,
    VALUE_SET_UNCLOSED_REASON,
)
from terminology.operations.asked import contained_in, named_value_set, shelf_of
from terminology.operations.books import Book, canonical
from terminology.operations.call import Call
from terminology.operations.contains import Shape, contains
from terminology.operations.issues import issue, refused
from terminology.operations.languages import Languages, spoken
from terminology.operations.listing import MOST, Item, Lister
from terminology.operations.plan import Plan, Planner, expansion_parameters
from terminology.operations.shelf import Library, Shelf
from terminology.operations.statuses import standings

Json = dict[str, Any]
OF_EXPAND = frozenset({
    "url", "valueSet", "valueSetVersion", "filter", "count", "offset", "activeOnly", "excludeNested",
    "includeDesignations", "includeDefinition", "designation", "property", "excludePostCoordinated",
})  # fmt: skip
_BROUGHT = frozenset((
    "activeOnly", "excludeNested", "includeDesignations", "includeDefinition", "designation", "property",
))  # fmt: skip
"""Parameters that a value set may bring along."""

MOST_WITHOUT_COUNT = 1_000
"""Members of an expansion that is not asked for in pages."""

MOST_SHOWN = 10_000
"""Members on one page."""

_ECHOED = (
    ("excludeNested", "valueBoolean"), ("activeOnly", "valueBoolean"), ("includeDesignations", "valueBoolean"),
    ("includeDefinition", "valueBoolean"), ("count", "valueInteger"), ("offset", "valueInteger"),
    ("filter", "valueString"), ("designation", "valueString"), ("force-system-version", "valueUri"),
    ("default-valueset-version", "valueUri"),
)  # fmt: skip
_KEPT = (
    "id", "language", "contained", "extension", "url", "identifier", "version", "name", "title", "status",
    "experimental", "date", "immutable", "copyright",
)  # fmt: skip


def expand(call: Call, library: Library, instance: Json | None = None) -> Json:
    """The ValueSet with its expansion; FhirError when it cannot be made or is too large."""
    call.only(OF_EXPAND)  # there are no post-coordinated codes here to leave out
    inline = instance or call.value("valueSet")
    shelf = shelf_of(call, library, inline)
    resource = inline or named_value_set(call, shelf)
    plan = Planner(shelf, _unknown_import).plan(resource)
    call = call.otherwise((name, value) for name, value in expansion_parameters(resource) if name in _BROUGHT)
    lister = Lister(shelf, call.text("filter"), active=bool(call.flag("activeOnly")))
    count, offset = call.whole("count"), call.whole("offset") or 0
    page, total = _page(lister, plan, offset, count)
    languages = spoken(call, plan)
    shape = Shape(
        languages=languages,
        designations=call.flag("includeDesignations") is True,
        wanted=frozenset(map(str, call.all("designation"))),
        properties=tuple(map(str, call.all("property"))),
        versioned=plan.versioned,
    )
    paged = count is not None or len(page) < total or bool(call.text("filter"))
    nested = plan.nests and call.flag("excludeNested") is not True and not paged
    expansion: Json = {
        "identifier": f"urn:uuid:{uuid.uuid4()}",
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
        "total": total,
    }
    if call.text("offset") is not None:
        expansion["offset"] = offset
    expansion["parameter"] = [*_echo(call, languages), *_used(shelf, plan, lister), *_corrected(lister)]
    shown, properties = contains(page, shape, nested=nested)
    extensions = [*_unclosed(lister.used.values()), *_declared(properties, lister.used.values(), shelf)]
    if extensions:
        expansion["extension"] = extensions
    if shown:
        expansion["contains"] = shown
    kept = {key: resource[key] for key in _KEPT if key in resource}
    if call.flag("includeDefinition") and "compose" in resource:
        kept["compose"] = resource["compose"]
    return {"resourceType": "ValueSet", **kept, "status": resource.get("status", "unknown"), "expansion": expansion}


def _page(lister: Lister, plan: Plan, offset: int, count: int | None) -> tuple[list[Item], int]:
    """The members to show, and how many there are; FhirError when those to show are too many."""
    most = MOST_WITHOUT_COUNT if count is None else MOST_SHOWN
    wanted = most + 1 if count is None else min(count, most + 1)
    found = lister.page(plan, offset, wanted)
    if found is None:
        items = lister.members(plan, most=most + offset if count is None else MOST)
        found = items[offset : offset + wanted], len(items)
    if len(found[0]) > most:
        raise refused(Category.INCORRECT, issue("VALUESET_TOO_COSTLY", plan.name, most))
    return found


def _unknown_import(name: str, pinned: str | None) -> FhirError:
    if pinned:
        return refused(Category.NOT_FOUND, issue("VS_EXP_IMPORT_UNK_PINNED", name.partition("|")[0], pinned))
    return refused(Category.NOT_FOUND, issue("Unable_to_resolve_value_Set_", name))


def _echo(call: Call, languages: Languages) -> list[Json]:
    """What of the call shaped the expansion."""
    found: list[Json] = []
    if languages.wanted:
        found.append({"name": "displayLanguage", "valueCode": languages.text})
    for name, key in _ECHOED:
        for text in map(str, call.all(name)):
            value = text == "true" if key == "valueBoolean" else int(text) if key == "valueInteger" else text
            found.append({"name": name, key: value})
    return found


def _used(shelf: Shelf, plan: Plan, lister: Lister) -> list[Json]:
    """The code systems, value sets and supplements that it rests on."""
    found: list[Json] = []
    for book in lister.used.values():
        found.append({"name": "used-codesystem", "valueUri": canonical(book)})
        if book.content == "fragment":
            found.append({"name": "used-fragment", "valueUri": canonical(book)})
    found += [{"name": "used-supplement", "valueUri": name} for name in shelf.supplements_used.values()]
    imported = dict.fromkeys(p.name for p in plan.walk() if p is not plan and p.url and not _contained(plan, p))
    found += [{"name": "used-valueset", "valueUri": name} for name in imported]
    for standing, _, name in standings(plan, lister.used.values()):
        found.append({"name": f"warning-{standing}", "valueUri": name})
    if lister.merged:
        found.append({"name": "versionsMatch", "valueBoolean": True})
    return found


def _corrected(lister: Lister) -> list[Json]:
    """The words that were searched for instead of misspelled ones."""
    return [{"name": "filter-corrected", "valueString": right} for right in lister.corrected.values()]


def _contained(plan: Plan, imported: Plan) -> bool:
    return any(imported.resource is r for r in contained_in(plan.resource))


def _unclosed(books: Iterable[Book]) -> list[Json]:
    found: list[Json] = []
    for book in books:
        if book.content == "fragment":
            reason = f"This extension is based on a fragment of the code system {book.url}"
            found.append({"url": VALUE_SET_UNCLOSED, "valueBoolean": True})
            found.append({"url": VALUE_SET_UNCLOSED_REASON, "valueString": reason})
    return found


def _declared(properties: Iterable[str], books: Iterable[Book], shelf: Shelf) -> list[Json]:
    """The properties that members carry, each with its meaning."""
    heads = [*(b.head for b in books), *shelf.supplement_heads()]
    uris = {p.get("code"): p.get("uri") for h in heads for p in h.get("property") or ()}
    standard = {"weight": "itemWeight"}
    found = []
    for name in properties:
        uri = uris.get(name) or f"{CONCEPT_PROPERTIES}{standard.get(name, name)}"
        parts = [{"url": "code", "valueCode": name}, {"url": "uri", "valueUri": uri}]
        found.append({"url": EXPANSION_PROPERTY, "extension": parts})
    return found
