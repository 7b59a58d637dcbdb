"""A code system held as a list in book order, its hierarchy as intervals (https://hl7.org/fhir/R4/codesystem.html).

The same value serves the published systems of HL7 and the CodeSystem resources that clients store or pass along.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import msgspec

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import CONCEPT_PROPERTIES
from terminology.effort import step

Json = dict[str, Any]
MAX_CONCEPTS = 200_000
MAX_DEPTH = 100


class CodeSystem(msgspec.Struct, frozen=True, dict=True, omit_defaults=True):
    """Concepts by position: those below position `p` are `p + 1` to `last[p]`, and those below its `children`.

    `children` holds what a tree cannot: further children of a concept that stand elsewhere in the list.
    """

    url: str
    content: str  # complete | fragment | example | not-present | supplement
    head: Json = {}  # the other elements of the resource that are worth telling
    sensitive: bool = True
    codes: tuple[str, ...] = ()
    displays: tuple[str, ...] = ()
    last: tuple[int, ...] = ()  # empty when the list is flat
    children: dict[int, tuple[int, ...]] = {}
    definitions: dict[int, str] = {}
    designations: dict[int, list[Json]] = {}
    properties: dict[int, dict[str, list[Any]]] = {}
    extensions: dict[int, list[Json]] = {}

    @property
    def version(self) -> str | None:
        """The business version."""
        return self.head.get("version")

    @property
    def complete(self) -> bool:
        """Whether a code that is not in the list does not exist."""
        return self.content == "complete"

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """Code (folded where case does not count) → position."""
        places = reversed(list(enumerate(self.codes)))  # the first place of a code wins
        return {code if self.sensitive else code.casefold(): i for i, code in places}

    def position(self, code: str) -> int | None:
        """Where a code stands."""
        return self.positions.get(code if self.sensitive else code.casefold())

    def end(self, position: int) -> int:
        """The last position of the tree below a concept."""
        return self.last[position] if self.last else position

    def below(self, position: int) -> set[int]:
        """The positions of a concept and everything below it."""
        found: set[int] = set()
        waiting = [position]
        while waiting:
            step()
            start = waiting.pop()
            if start in found:
                continue
            span = range(start, self.end(start) + 1)
            found.update(span)
            if self.children:
                waiting.extend(c for p in span for c in self.children.get(p, ()) if c not in found)
        return found

    def is_below(self, position: int, ancestor: int) -> bool:
        """Whether a concept is another or lies below it."""
        if ancestor <= position <= self.end(ancestor):
            return True
        return bool(self.children) and position in self._reach(ancestor)

    def _reach(self, position: int) -> set[int]:
        """`below`, kept for the questions about one concept after another that follow."""
        kept = self._kept
        if position not in kept:
            kept.clear()
            kept[position] = self.below(position)
        return kept[position]

    @cached_property
    def _kept(self) -> dict[int, set[int]]:
        return {}

    @cached_property
    def parents(self) -> Mapping[int, tuple[int, ...]]:
        """Position → the positions directly above it; roots are absent."""
        found: dict[int, tuple[int, ...]] = {}
        open_: list[int] = []
        for position in range(len(self.codes)):
            while open_ and self.end(open_[-1]) < position:
                open_.pop()
            if open_:
                found[position] = (open_[-1],)
            if self.end(position) > position:
                open_.append(position)
        for parent, children in self.children.items():
            for child in children:
                found[child] = (*found.get(child, ()), parent)
        return found

    def above(self, position: int) -> set[int]:
        """The positions of a concept and everything above it."""
        found: set[int] = set()
        waiting = [position]
        while waiting:
            step()
            at = waiting.pop()
            if at not in found:
                found.add(at)
                waiting.extend(self.parents.get(at, ()))
        return found

    def values(self, position: int, name: str) -> list[Any]:
        """The values of a property; `parent`, `child`, `code`, `display` and `definition` are known without one."""
        if name in ("code", "display", "definition"):
            return {
                "code": [self.codes[position]],
                "display": [self.displays[position]] if self.displays[position] else [],
                "definition": [self.definitions[position]] if position in self.definitions else [],
            }[name]
        given = self.properties.get(position, {}).get(name)
        if given is not None:
            return given
        if name == "parent":
            return [self.codes[p] for p in self.parents.get(position, ())]
        if name == "child":
            return [self.codes[p] for p in self.below(position) if position in self.parents.get(p, ())]
        return []

    def meant(self, position: int, meaning: str) -> list[Any]:
        """The values of the property that a code system may name otherwise but declares to have a standard meaning."""
        found = self.properties.get(position)
        if not found:
            return []
        return [value for name in self._names.get(meaning, (meaning,)) for value in found.get(name, ())]

    @cached_property
    def _names(self) -> Mapping[str, tuple[str, ...]]:
        """Standard meaning → the names of properties that have it."""
        found: dict[str, tuple[str, ...]] = {}
        for declared in self.head.get("property") or ():
            meaning, name = str(declared.get("uri", "")), str(declared.get("code", ""))
            if meaning.startswith(CONCEPT_PROPERTIES):
                meaning = meaning.removeprefix(CONCEPT_PROPERTIES)
                found[meaning] = tuple(dict.fromkeys((*found.get(meaning, (meaning,)), name)))
        return found

    def abstract(self, position: int) -> bool:
        """Whether the concept only groups others."""
        return True in self.meant(position, "notSelectable") or True in self.meant(position, "abstract")

    def inactive(self, position: int) -> bool:
        """Whether the concept is out of use."""
        status = self.meant(position, "status")
        return True in self.meant(position, "inactive") or "retired" in status or "inactive" in status


HEAD = ("version", "name", "title", "status", "experimental", "date", "publisher", "copyright", "hierarchyMeaning",
        "valueSet", "versionNeeded", "compositional", "supplements", "language", "property", "extension")  # fmt: skip


def read_code_system(resource: Json) -> CodeSystem:
    """A CodeSystem resource as a value; FhirError when it is larger or deeper than any real one.

    `child` and `parent` properties add to the tree. A code that occurs twice is one concept in two places.
    """
    concepts, last = _flatten(resource.get("concept") or [])
    codes = tuple(str(c.get("code", "")) for c in concepts)
    first: dict[str, int] = {}
    for position, code in enumerate(codes):
        first.setdefault(code, position)
    flat = all(end == position for position, end in enumerate(last))
    properties = {i: found for i, c in enumerate(concepts) if (found := _properties(c))}
    return CodeSystem(
        url=resource.get("url", ""),
        content=resource.get("content", "complete"),
        head={key: resource[key] for key in HEAD if key in resource},
        sensitive=resource.get("caseSensitive") is not False,
        codes=codes,
        displays=tuple(c.get("display", "") for c in concepts),
        last=() if flat else tuple(last),
        children=_edges(codes, first, last, properties),
        definitions={i: c["definition"] for i, c in enumerate(concepts) if c.get("definition")},
        designations={i: c["designation"] for i, c in enumerate(concepts) if c.get("designation")},
        properties=properties,
        extensions={i: c["extension"] for i, c in enumerate(concepts) if c.get("extension")},
    )


def _flatten(roots: list[Json]) -> tuple[list[Json], list[int]]:
    """The concepts in book order and for each the last one below it."""
    concepts: list[Json] = []
    last: list[int] = []
    path: list[tuple[int, Iterator[Json]]] = [(-1, iter(roots))]
    while path:
        position, children = path[-1]
        concept = next(children, None)
        if concept is None:
            path.pop()
            if position >= 0:
                last[position] = len(concepts) - 1
            continue
        if len(concepts) >= MAX_CONCEPTS or len(path) > MAX_DEPTH:
            text = f"The code system is too large: more than {MAX_CONCEPTS} concepts or {MAX_DEPTH} levels"
            raise FhirError.of(Category.INCORRECT, "too-costly", text, "CodeSystem.concept")
        step()
        last.append(len(concepts))
        path.append((len(concepts), iter(concept.get("concept") or ())))
        concepts.append(concept)
    return concepts, last


def _properties(concept: Json) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for one in concept.get("property") or ():
        value = next((v for k, v in one.items() if k.startswith("value")), None)
        if value is not None:
            found.setdefault(one.get("code", ""), []).append(value)
    return found


def _edges(
    codes: tuple[str, ...], first: dict[str, int], last: list[int], properties: dict[int, dict[str, list[Any]]]
) -> dict[int, tuple[int, ...]]:
    """Parent → children that do not stand below it in the list."""
    found: dict[int, list[int]] = {}

    def add(parent: int | None, child: int | None) -> None:
        if parent is None or child is None or parent < child <= last[parent]:
            return
        found.setdefault(parent, []).append(child)

    for position, values in properties.items():
        for child in values.get("child", ()):
            add(position, first.get(child))
        for parent in values.get("parent", ()):
            add(first.get(parent), position)
    for position, code in enumerate(codes):
        if first[code] != position:  # what is below or above the second place is so for the first
            add(first[code], position)
            add(position, first[code])
    return {parent: tuple(dict.fromkeys(children)) for parent, children in found.items()}
