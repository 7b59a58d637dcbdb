"""One version of a code system with all it says of its concepts (https://hl7.org/fhir/R4/codesystem.html)."""

# ruff: noqa: D102 - what the methods promise stands in the protocol

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar, overload

import msgspec

from fhir_profiles.systems import CODE_SYSTEM_LABEL, CODE_SYSTEM_ORDER, ITEM_WEIGHT, STANDARDS_STATUS
from terminology.code_system import CodeSystem
from terminology.model import Concept
from terminology.value_sets.systems import Listed, System

Json = dict[str, Any]
S = TypeVar("S")
T = TypeVar("T")
Property = tuple[str, str, Any]  # name, value[x], value
_CODES = frozenset(("status", "parent", "child"))
TYPES = {
    "code": "valueCode", "Coding": "valueCoding", "string": "valueString", "integer": "valueInteger",
    "boolean": "valueBoolean", "dateTime": "valueDateTime", "decimal": "valueDecimal",
}  # fmt: skip
"""Type of a property → the element that its value stands in."""

EXTENDED = {
    CODE_SYSTEM_ORDER: ("order", "valueDecimal"),
    CODE_SYSTEM_LABEL: ("label", "valueString"),
    ITEM_WEIGHT: ("weight", "valueDecimal"),
    STANDARDS_STATUS: ("status", "valueCode"),
}
"""Extensions of a concept that count as properties."""


class Entry(msgspec.Struct, frozen=True):
    """A concept as its code system states it.

    `remark` is what a person should know who uses it, `row` what a loaded file holds of it.
    """

    code: str
    display: str = ""
    definition: str | None = None
    designations: Sequence[Json] = ()
    properties: Sequence[Property] = ()
    extensions: tuple[Json, ...] = ()
    abstract: bool = False
    inactive: bool = False
    status: str | None = None
    remark: str | None = None
    row: Concept | None = None

    @property
    def facts(self) -> tuple[Property, ...]:
        """The properties, those that are told as extensions too."""
        told = ((EXTENDED[e["url"]], e) for e in self.extensions if e.get("url") in EXTENDED)
        return (*self.properties, *((name, key, _value(e)) for (name, key), e in told))


class Later(Sequence[T], Generic[S, T]):
    """What `read(of)` gives, when it is first looked at: most who ask for a concept need only its display."""

    __slots__ = ("_of", "_read")

    def __init__(self, read: Callable[[S], Iterable[T]], of: S) -> None:
        self._read: Callable[[S], Iterable[T]] | tuple[T, ...] = read
        self._of = of

    def _all(self) -> tuple[T, ...]:
        if not isinstance(self._read, tuple):
            self._read = tuple(self._read(self._of))
        return self._read

    def __iter__(self) -> Iterator[T]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[T]: ...
    def __getitem__(self, at: int | slice) -> T | Sequence[T]:
        return self._all()[at]


class Book(Protocol):
    """A version of a code system. `system` answers the questions of value sets."""

    url: str
    version: str | None
    content: str
    system: System
    language: str
    head: Json

    def find(self, code: str) -> Entry | None:
        """The concept of a code, in the case that the system has it."""

    def entries(self) -> Iterable[Entry] | None:
        """Every concept in book order; None when there is no end of them."""

    def above(self, code: str) -> list[str]:
        """The codes above one, nearest first, along one line."""

    def children(self, code: str) -> list[str]:
        """The codes directly below one."""

    def parents(self, code: str) -> list[str]:
        """The codes directly above one."""

    def search(self, text: str) -> Sequence[Entry] | None:
        """The concepts that a text finds, best first, without their designations; None when all must be looked at."""


def canonical(book: Book) -> str:
    """`url|version`."""
    return f"{book.url}|{book.version}" if book.version else book.url


@dataclass
class ListedBook:
    """A published or stored CodeSystem, with what `supplements` add to its concepts."""

    of: CodeSystem
    supplements: tuple[CodeSystem, ...] = ()
    language: str = field(init=False)

    def __post_init__(self) -> None:
        self.url, self.version, self.content, self.head = self.of.url, self.of.version, self.of.content, self.of.head
        self.system: System = Listed(self.of)
        self.language = self.head.get("language", "")

    @cached_property
    def _types(self) -> dict[str, str]:
        """Property → the element its value stands in."""
        declared = [p for one in (self.of, *self.supplements) for p in one.head.get("property") or ()]
        return {p.get("code", ""): TYPES.get(p.get("type", ""), "valueString") for p in declared}

    def find(self, code: str) -> Entry | None:
        position = self.of.position(code)
        return None if position is None else self._entry(position)

    def entries(self) -> Iterator[Entry]:
        seen: set[str] = set()
        for position, code in enumerate(self.of.codes):
            if code not in seen:
                seen.add(code)
                yield self._entry(position)

    def _entry(self, position: int) -> Entry:
        of = self.of
        status = next((str(s) for s in of.meant(position, "status")), None)
        entry = Entry(
            code=of.codes[position],
            display=of.displays[position],
            definition=of.definitions.get(position),
            designations=tuple(of.designations.get(position, ())),
            properties=tuple(self._properties(of, position)),
            extensions=tuple(of.extensions.get(position, ())),
            abstract=of.abstract(position),
            inactive=of.inactive(position),
            status=status or _standards_status(of.extensions.get(position, ())),
        )
        for supplement in self.supplements:
            entry = self._supplemented(entry, supplement)
        return entry

    def _supplemented(self, entry: Entry, supplement: CodeSystem) -> Entry:
        position = supplement.position(entry.code)
        if position is None:
            return entry
        display = supplement.displays[position]
        own = [{"language": supplement.head.get("language", ""), "value": display}] if display else []
        return msgspec.structs.replace(
            entry,
            designations=(*entry.designations, *own, *supplement.designations.get(position, ())),
            properties=(*entry.properties, *self._properties(supplement, position)),
            extensions=(*entry.extensions, *supplement.extensions.get(position, ())),
        )

    def _properties(self, of: CodeSystem, position: int) -> Iterator[Property]:
        for name, values in of.properties.get(position, {}).items():
            for value in values:
                yield name, self._types.get(name) or guess(name, value), value

    def above(self, code: str) -> list[str]:
        found: list[str] = []
        position = self.of.position(code)
        while position is not None and len(found) < 100:
            over = self.of.parents.get(position)
            position = over[0] if over else None
            if position is not None:
                found.append(self.of.codes[position])
        return found

    def parents(self, code: str) -> list[str]:
        position = self.of.position(code)
        return [] if position is None else [self.of.codes[p] for p in self.of.parents.get(position, ())]

    def children(self, code: str) -> list[str]:
        position = self.of.position(code)
        if position is None:
            return []
        below = sorted(self.of.below(position) - {position})
        return [self.of.codes[p] for p in below if position in self.of.parents.get(p, ())]

    def search(self, text: str) -> Sequence[Entry] | None:  # noqa: ARG002
        return None


@dataclass
class RuledBook:
    """A code system whose codes follow rules: they have no names and no end."""

    url: str
    system: System
    version: str | None = None
    content: str = "complete"
    language: str = ""
    head: Json = field(default_factory=dict)

    def find(self, code: str) -> Entry | None:
        return Entry(code) if self.system.has(code) is not False else None

    def entries(self) -> Sequence[Entry] | None:
        codes = self.system.codes()
        return None if codes is None else [Entry(code) for code in codes]

    def above(self, code: str) -> list[str]:  # noqa: ARG002
        return []

    parents = children = above

    def search(self, text: str) -> Sequence[Entry] | None:  # noqa: ARG002
        return None


def _standards_status(extensions: Iterable[Json]) -> str | None:
    return next((str(_value(e)) for e in extensions if e.get("url") == STANDARDS_STATUS), None)


def _value(extension: Json) -> Any:
    return next((v for k, v in extension.items() if k.startswith("value")), None)


def guess(name: str, value: Any) -> str:
    """The element that the value of an undeclared property stands in."""
    if isinstance(value, bool):
        return "valueBoolean"
    if isinstance(value, int):
        return "valueInteger"
    if isinstance(value, dict):
        return "valueCoding"
    return "valueCode" if name in _CODES else "valueString" if isinstance(value, str) else "valueDecimal"
