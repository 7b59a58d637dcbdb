"""`CodeSystem/$find-matches`: codes by their properties (https://hl7.org/fhir/R4/codesystem-operation-find-matches.html)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from itertools import islice
from typing import Any

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import SNOMED
from terminology.operations.asked import shelf_of
from terminology.operations.books import Book
from terminology.operations.call import Call, answer, wrong
from terminology.operations.lookup import find_book
from terminology.operations.shelf import Library
from terminology.value_sets import snomed
from terminology.value_sets.loaded import Loaded
from terminology.value_sets.systems import text_of

Json = dict[str, Any]
OF_FIND_MATCHES = frozenset(("system", "version", "property", "exact", "compositional", "codeSystem"))
MOST_PROPERTIES = 20
MOST_MATCHES = 100
"""Codes of an answer; the first in the order of the code system, which puts the general before the special."""

MOST_PARTIAL = 500_000
"""Codes that are looked at for partial matches."""

FOCUS = ("focus", "concept")
"""Properties that ask for a concept or one below it."""


@dataclass(frozen=True, slots=True)
class Sought:
    """One property that is asked for; those of a group stand in `parts`."""

    name: str
    value: str
    declared: list[Json]
    parts: tuple[Sought, ...] = ()


def find_matches(call: Call, library: Library, instance: Json | None = None) -> Json:
    """`match` for each code that has all the properties; without such codes, for those that have the most of them.

    With `exact` false a property also counts where its value lies below the one asked for, and texts by their part.
    Post-coordinated expressions are never made, which `compositional` allows and does not demand.
    """
    inline = instance or call.value("codeSystem")
    system = call.text("system") or (inline or {}).get("url")
    if not system:
        raise wrong("Name the code system by system.", "system")
    exact = call.flag("exact")
    if exact is None:
        raise wrong("Say by exact whether a machine asks (true) or a person (false).", "exact")
    call.flag("compositional")
    call.only(OF_FIND_MATCHES)
    sought = [_sought(parts) for parts in call.all("property")]
    if not 1 <= len(sought) <= MOST_PROPERTIES:
        raise wrong(f"Send 1 to {MOST_PROPERTIES} properties.", "property")
    book = find_book(shelf_of(call, library, inline), system, call.text("version"))
    found = [_having(book, one, exact=exact) for one in sought]
    narrow = min(found, key=len)
    complete = list(islice((code for code in narrow if all(code in one for one in found)), MOST_MATCHES))
    if complete:
        return answer(*(_match(book, code, [], exact=exact) for code in complete))
    return answer(*_partial(book, sought, found, exact=exact))


def _sought(parts: Any) -> Sought:
    """A property of the call."""
    by_name = {p.get("name"): p for p in parts if isinstance(p, dict)} if isinstance(parts, list) else {}
    inner = tuple(_sought(p.get("part")) for p in parts if p.get("name") == "subproperty") if by_name else ()
    name, value = (_value(by_name.get(key, {})) for key in ("code", "value"))
    if not name or (not value and not inner):
        raise wrong("A property has a code and a value, or subproperties.", "property")
    kept = [p for p in parts if p.get("name") in ("code", "value")]
    return Sought(name, value, kept, inner)


def _value(part: Json) -> str:
    return next((text_of(v) for k, v in part.items() if k.startswith("value")), "")


def _having(book: Book, sought: Sought, *, exact: bool) -> Set[str]:
    """The codes that have a property."""
    system, name, value = book.system, sought.name, sought.value
    if sought.parts:
        return _grouped(book, sought, exact=exact)
    if name in FOCUS:
        return system.below(value) or frozenset()
    if isinstance(system, Loaded):
        if book.url == SNOMED and name.isdigit():
            return _selected(book, f"* : {_clause(sought, exact=exact)}")
        if exact and name in system.file.declared:
            return frozenset(system.file.having(name, value))
        if related := frozenset(system.file.related(name, value)):
            return related
    folded = value.casefold()

    def passes(values: list[str]) -> bool:
        return value in values if exact else any(folded in v.casefold() for v in values)

    return frozenset(system.having(name, passes) or ())


def _clause(sought: Sought, *, exact: bool) -> str:
    """An attribute as SNOMED CT's expressions have it."""
    below = "" if exact or not sought.value.isdigit() else "<< "
    return f"{sought.name} = {below}{sought.value}"


def _grouped(book: Book, sought: Sought, *, exact: bool) -> Set[str]:
    """The codes that have attributes together in one group."""
    if book.url != SNOMED or any(part.parts for part in sought.parts):
        text = "Subproperties are supported for the attributes in one group of SNOMED CT"
        raise FhirError.of(Category.UNSUPPORTED, "not-supported", text, "property.subproperty")
    return _selected(book, f"* : {{ {', '.join(_clause(part, exact=exact) for part in sought.parts)} }}")


def _selected(book: Book, expression: str) -> Set[str]:
    found: Set[str] | None = snomed.selection(book.system, "constraint", "=", expression)
    return frozenset() if found is None else found


def _partial(book: Book, sought: list[Sought], found: list[Set[str]], *, exact: bool) -> Iterator[Json]:
    """The codes that have the most of the properties, with those that they lack."""
    if sum(map(len, found)) > MOST_PARTIAL:
        text = "No code has all the properties, and too many have some: ask for fewer or narrower ones"
        raise FhirError.of(Category.INCORRECT, "too-costly", text, "property")
    counts = Counter(code for one in found for code in one)
    most = max(counts.values(), default=0)
    best = (code for code, count in counts.items() if count == most)
    for code in islice(best, MOST_MATCHES):
        lacking = [s for s, codes in zip(sought, found, strict=True) if code not in codes]
        yield _match(book, code, lacking, exact=exact)


def _match(book: Book, code: str, lacking: Iterable[Sought], *, exact: bool) -> Json:
    entry = book.find(code)
    version = {"version": book.version} if book.version else {}
    display = {"display": entry.display} if entry is not None and entry.display else {}
    parts: list[Json] = [{"name": "code", "valueCoding": {"system": book.url, **version, "code": code, **display}}]
    missing = list(lacking)
    for one in missing:
        inner = [{"name": "property", "part": part.declared} for part in one.parts]
        parts.append({"name": "unmatched", "part": [*one.declared, *inner]})
    if missing and not exact:
        parts.append({"name": "comment", "valueString": f"{len(missing)} of the properties are not those of the code"})
    return {"name": "match", "part": parts}
