"""A value set with all that it names found: the versions, the filters, the imports.

https://hl7.org/fhir/R4/valueset.html#compositions
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import COMPOSE_PROPERTY, EXPANSION_PARAMETER, VALUE_SET_SUPPLEMENT
from terminology.effort import step
from terminology.operations.asked import contained_in
from terminology.operations.books import Book
from terminology.operations.issues import Issue, explained, issue, refused
from terminology.operations.shelf import Shelf
from terminology.value_sets.compose import MAX_CONCEPTS, MAX_DEPTH, MAX_RULES, MAX_SETS
from terminology.value_sets.filters import Filter, read_filter

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One include or exclude. `wanted` is the version after all pins; without a book the system is not known."""

    system: str | None
    declared: str | None = None
    wanted: str | None = None
    book: Book | None = None
    concepts: dict[str, Json] | None = None
    filters: tuple[Filter, ...] = ()
    imports: tuple[Plan, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether every code of the system is in it."""
        return self.concepts is None and not self.filters

    @property
    def nests(self) -> bool:
        """Whether an expansion may show its hierarchy."""
        return self.concepts is None and len(self.filters) < 2 and not self.imports

    def names(self, book: Book, code: str) -> Json | None:
        """What the part says of a code that it lists, {} where it lists none; None when it does not hold it."""
        step()
        if self.concepts is not None:
            return self.concepts.get(book.system.fold(code))
        for one in self.filters:
            if not one.test(code):
                return None
        return {}

    def listing(self) -> Iterable[str] | None:
        """The codes that can be in it, in their order; None for the whole system."""
        if self.concepts is not None:
            return [c["code"] for c in self.concepts.values()]
        narrow = next((f.codes for f in self.filters if f.codes is not None), None)
        return narrow() if narrow is not None else None


@dataclass(frozen=True)
class Plan:
    """A value set, ready to be asked or listed."""

    resource: Json
    includes: tuple[Part, ...]
    excludes: tuple[Part, ...] = ()
    active: bool = False

    @property
    def url(self) -> str:
        """Its canonical URL."""
        return str(self.resource.get("url", ""))

    @property
    def name(self) -> str:
        """`url|version`."""
        version = self.resource.get("version")
        return (f"{self.url}|{version}" if version else self.url) or "(unidentified)"

    @property
    def systems(self) -> list[str]:
        """The systems that its codes can come from."""
        found: dict[str, None] = {}
        for part in self.includes:
            more = [part.system] if part.system else [s for p in part.imports for s in p.systems]
            found.update(dict.fromkeys(more))
        return list(found)

    @property
    def nests(self) -> bool:
        """Whether an expansion may show a hierarchy: it is that of one code system, not of a selection."""
        return all(part.nests for part in self.includes)

    def parameter(self, name: str) -> str | None:
        """An expansion parameter that the value set brings along."""
        return expansion_parameter(self.resource, name)

    @cached_property
    def versioned(self) -> frozenset[str]:
        """The systems that it names in several versions."""
        declared: dict[str, set[str | None]] = {}
        for one in self.walk():
            for part in (*one.includes, *one.excludes):
                if part.system is not None:
                    declared.setdefault(part.system, set()).add(part.declared)
        return frozenset(system for system, versions in declared.items() if len(versions) > 1)

    def walk(self) -> Iterable[Plan]:
        """This value set and all it imports."""
        yield self
        for part in (*self.includes, *self.excludes):
            for imported in part.imports:
                yield from imported.walk()


def expansion_parameter(resource: Json, name: str) -> str | None:
    """The value of an expansion parameter that a ValueSet brings along as an extension."""
    return next((value for own, value in expansion_parameters(resource) if own == name), None)


def expansion_parameters(resource: Json) -> Iterable[tuple[str, str]]:
    """(name, value) of the expansion parameters that a ValueSet brings along; `compose.property` is one."""
    compose = resource.get("compose") or {}
    for one in (*resource.get("extension", ()), *compose.get("extension", ())):
        if one.get("url") == COMPOSE_PROPERTY:
            yield "property", str(one.get("valueString"))
        elif one.get("url") == EXPANSION_PARAMETER:
            parts = {
                e.get("url"): next((v for k, v in e.items() if k != "url"), None) for e in one.get("extension", ())
            }
            value = parts.get("value")
            yield str(parts.get("name")), str(value).lower() if isinstance(value, bool) else str(value)


class Planner:
    """Plans one value set and all it imports."""

    def __init__(self, shelf: Shelf, unknown: Callable[[str, str | None], FhirError] | None = None) -> None:
        self._shelf = shelf
        self._unknown = unknown or _unknown
        self._open: list[str] = []
        self._rules = 0
        self._sets = 0
        self._concepts = 0

    def plan(self, resource: Json, contained: tuple[Json, ...] = ()) -> Plan:
        """The plan of a ValueSet; FhirError when it cannot be used."""
        for one in resource.get("extension", ()):
            if one.get("url") == VALUE_SET_SUPPLEMENT:
                self._shelf.supplement(str(one.get("valueCanonical")))
        url = str(resource.get("url") or f"#{resource.get('id', '')}")
        if url != "#" and url in self._open:
            raise refused(Category.INCORRECT, issue("VALUESET_CIRCULAR_REFERENCE", url, self._open[-1]))
        self._open.append(url)
        contained = (*contained, *contained_in(resource))
        compose = resource.get("compose")
        if compose is None:
            includes = tuple(self._expanded(resource.get("expansion") or {}))
            excludes: tuple[Part, ...] = ()
        else:
            includes = tuple(
                self._part(one, contained, f"include[{n}]") for n, one in enumerate(compose.get("include") or ())
            )
            excludes = tuple(
                self._part(one, contained, f"exclude[{n}]") for n, one in enumerate(compose.get("exclude") or ())
            )
        self._open.pop()
        return Plan(resource, includes, excludes, (compose or {}).get("inactive") is False)

    def _part(self, declared: Json, contained: tuple[Json, ...], place: str) -> Part:
        step(16)
        self._rules += 1
        _bound(self._rules, MAX_RULES, "rules")
        imports = tuple(self._import(str(url), contained) for url in declared.get("valueSet") or ())
        system = declared.get("system")
        if system is None:
            return Part(None, imports=imports)
        system = self._shelf.canonical(system)
        version = declared.get("version")
        wanted = self._shelf.pins.version(system, version)
        book = self._shelf.book(system, wanted)
        filters = tuple(
            self._filter(book, system, one, f"ValueSet.compose.{place}.filter[{n}]")
            for n, one in enumerate(declared.get("filter") or ())
        )
        return Part(system, version, wanted, book, self._listed(declared.get("concept"), book), filters, imports)

    def _listed(self, concepts: list[Json] | None, book: Book | None) -> dict[str, Json] | None:
        if not concepts:
            return None
        self._concepts += len(concepts)
        _bound(self._concepts, MAX_CONCEPTS, "concepts")
        return {book.system.fold(c.get("code", "")) if book else c.get("code", ""): c for c in concepts}

    def _filter(self, book: Book | None, system: str, declared: Json, place: str) -> Filter:
        if not declared.get("value"):
            told = issue(
                "UNABLE_TO_HANDLE_SYSTEM_FILTER_WITH_NO_VALUE",
                system, declared.get("property", ""), declared.get("op", ""), at=place,
            )  # fmt: skip
            raise refused(Category.INCORRECT, told)
        try:
            return read_filter(book.system if book else None, declared)
        except FhirError as error:
            raise explained(error, "vs-invalid") from error

    def _import(self, canonical: str, contained: tuple[Json, ...]) -> Plan:
        self._sets += 1
        _bound(self._sets, MAX_SETS, "value sets")
        _bound(len(self._open), MAX_DEPTH, "levels of imports")
        if canonical.startswith("#"):
            found = next((r for r in contained if f"#{r.get('id')}" == canonical), None)
        else:
            found = self._shelf.value_set(canonical)
        if found is None:
            pinned = self._shelf.pinned(canonical)
            raise self._unknown(f"{canonical}|{pinned}" if pinned else canonical, pinned)
        return self.plan(found, contained)

    def _expanded(self, expansion: Json) -> Iterable[Part]:
        """A value set that comes as its expansion alone."""
        by_system: dict[tuple[str, str | None], list[Json]] = {}
        waiting = list(reversed(expansion.get("contains") or ()))
        while waiting:
            one = waiting.pop()
            waiting.extend(reversed(one.get("contains") or ()))
            _bound(len(waiting), MAX_CONCEPTS, "concepts")
            if "code" in one and not one.get("abstract"):
                key = (one.get("system", ""), one.get("version"))
                by_system.setdefault(key, []).append({k: one[k] for k in ("code", "display") if k in one})
        for (system, version), concepts in by_system.items():
            part = {"system": system, "concept": concepts, **({"version": version} if version else {})}
            yield self._part(part, (), "include[0]")


def _unknown(canonical: str, _pinned: str | None) -> FhirError:
    return refused(Category.NOT_FOUND, issue("Unable_to_resolve_value_Set_", canonical))


def _bound(found: int, most: int, what: str) -> None:
    if found > most:
        text = f"The value set is too large: it is made of more than {most} {what}"
        raise refused(Category.INCORRECT, Issue("error", "too-costly", text, "ValueSet.compose", "too-costly"))
