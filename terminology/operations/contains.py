"""The members of an expansion as it shows them (https://hl7.org/fhir/R4/valueset-definitions.html#ValueSet.expansion.contains)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fhir_profiles.systems import (
    CODE_SYSTEM_LABEL,
    CODE_SYSTEM_ORDER,
    CONTAINS_PROPERTY,
    ITEM_WEIGHT,
    RENDERING_STYLE,
    RENDERING_XHTML,
    STANDARDS_STATUS,
    VALUE_SET_DEFINITION,
    VALUE_SET_DEPRECATED,
    VALUE_SET_LABEL,
    VALUE_SET_ORDER,
)
from terminology.operations.books import Property
from terminology.operations.displays import designations, shown
from terminology.operations.languages import Languages
from terminology.operations.listing import Item, Key

Json = dict[str, Any]
_TOLD = {RENDERING_STYLE, RENDERING_XHTML}
_TOLD_OF_SET = _TOLD | {VALUE_SET_DEPRECATED, VALUE_SET_DEFINITION, STANDARDS_STATUS}
_ALWAYS = ("weight", "label", "order")
_OF_SET = {
    VALUE_SET_ORDER: ("order", "valueDecimal"),
    VALUE_SET_LABEL: ("label", "valueString"),
    CODE_SYSTEM_ORDER: ("order", "valueDecimal"),
    CODE_SYSTEM_LABEL: ("label", "valueString"),
    ITEM_WEIGHT: ("weight", "valueDecimal"),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """What to show of each member."""

    languages: Languages
    designations: bool
    wanted: frozenset[str]
    properties: tuple[str, ...]
    versioned: frozenset[str]


def contains(items: Sequence[Item], shape: Shape, *, nested: bool) -> tuple[list[Json], list[str]]:
    """`expansion.contains`, and the names of the properties that occur in it."""
    names: dict[str, None] = {}
    made: dict[Key, Json] = {item.key: _one(item, shape, names) for item in items}
    if not nested:
        return list(made.values()), list(names)
    roots: list[Json] = []
    for item in items:
        url, version, code = item.key
        above = (made.get((url, version, c)) for c in item.book.above(code))
        parent = next((p for p in above if p is not None), None)
        (roots if parent is None else parent.setdefault("contains", [])).append(made[item.key])
    return roots, list(names)


def _one(item: Item, shape: Shape, names: dict[str, None]) -> Json:
    book, entry, named = item.book, item.entry, item.named
    found: Json = {}
    facts = _facts(item, shape)
    names.update(dict.fromkeys(name for name, _, _ in facts))
    extensions = [
        *(e for e in named.get("extension", ()) if e.get("url") in _TOLD_OF_SET),
        *(e for e in entry.extensions if e.get("url") in _TOLD and not _has(named, e["url"])),
        *(_property(fact) for fact in facts),
    ]
    if extensions:
        found["extension"] = extensions
    found["system"] = book.url
    if entry.abstract:
        found["abstract"] = True
    if entry.inactive:
        found["inactive"] = True
    if book.url in shape.versioned and book.version:
        found["version"] = book.version
    found["code"] = entry.code
    display = shown(book, entry, named, shape.languages)
    if display:
        found["display"] = display
    if shape.designations:
        entry = book.find(entry.code) or entry  # long lists hold concepts without their other names
        told = [d for d in designations(book, entry, named, display) if _wanted(d, shape.wanted)]
        if told:
            found["designation"] = told
    return found


def _facts(item: Item, shape: Shape) -> list[Property]:
    """The properties to show: those asked for, the status, and how to present the concept."""
    own = {url: e for e in item.named.get("extension", ()) if (url := e.get("url")) in _OF_SET}
    said = [(*_OF_SET[url], next(v for k, v in e.items() if k.startswith("value"))) for url, e in own.items()]
    found: dict[tuple[str, str], Property] = {(name, ""): (name, key, value) for name, key, value in said}
    if "definition" in shape.properties and item.entry.definition:
        found["definition", ""] = ("definition", "valueString", item.entry.definition)
    for name, key, value in item.entry.facts:
        wanted = (
            name in shape.properties
            or "*" in shape.properties
            or name in _ALWAYS
            or (name == "status" and value != "active")
        )
        if wanted and (name, "") not in found:
            found[name, str(value)] = (name, key, value)
    for name, listing in (("parent", item.book.parents), ("child", item.book.children)):
        if name in shape.properties:
            found |= {(name, code): (name, "valueCode", code) for code in listing(item.entry.code)}
    return list(found.values())


def _property(fact: Property) -> Json:
    name, key, value = fact
    parts = [{"url": "code", "valueCode": name}, {"url": "value", key: value}]
    return {"url": CONTAINS_PROPERTY, "extension": parts}


def _has(named: Json, url: str) -> bool:
    return any(e.get("url") == url for e in named.get("extension", ()))


def _wanted(designation: Json, wanted: frozenset[str]) -> bool:
    """Whether a designation is of a language (`urn:ietf:bcp:47|de`) or use (`system|code`) that was asked for."""
    if not wanted:
        return True
    use = designation.get("use", {})
    marks = {f"{use.get('system')}|{use.get('code')}", designation.get("language", "")}
    return any(w in marks or w.rpartition("|")[2] == designation.get("language") for w in wanted)
