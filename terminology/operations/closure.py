"""Closure tables: which of the concepts that a client has seen lie below which (https://hl7.org/fhir/R4/terminology-service.html#closure).

A table is the list of its concepts, each with the version of the table in which it came; what lies below what is asked
of the code systems anew. So a table is small, and what was told since any version can be told again.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from fhir_profiles.errors import Category, FhirError
from terminology.operations.asked import shelf_of
from terminology.operations.books import Book
from terminology.operations.call import Call, wrong
from terminology.operations.issues import refused
from terminology.operations.lookup import find_book, unknown_code
from terminology.operations.shelf import Library, Shelf
from terminology.value_sets.loaded import Loaded

Json = dict[str, Any]
OF_CLOSURE = frozenset(("name", "concept", "version"))
MOST_CONCEPTS = 5_000
"""Concepts of one table."""

MOST_AT_ONCE = 1_000
LONGEST_NAME = 200


class Member(NamedTuple):
    """A concept of a table; `since` is the version of the table in which it came."""

    system: str
    version: str | None
    code: str
    since: int


class Pair(NamedTuple):
    """A concept and one above it."""

    below: Member
    above: Member


@dataclass(frozen=True, slots=True)
class Table:
    """A closure table."""

    name: str
    version: int = 0
    members: tuple[Member, ...] = ()

    def text(self) -> str:
        """The table as it is stored."""
        return json.dumps([self.version, self.members], separators=(",", ":"))

    @classmethod
    def of(cls, name: str, text: str) -> Table:
        """A table that was stored."""
        version, members = json.loads(text)
        return cls(name, version, tuple(Member(*one) for one in members))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call wants: without concepts and version, that the table begins anew."""

    name: str
    concepts: tuple[Json, ...]
    since: int | None
    shelf: Shelf

    @property
    def begins(self) -> bool:
        """Whether the table begins anew."""
        return not self.concepts and self.since is None


def asked(call: Call, library: Library) -> Asked:
    """What a call wants; FhirError for one that cannot be meant."""
    call.only(OF_CLOSURE)
    name, since = call.text("name"), call.whole("version")
    concepts = tuple(call.all("concept"))
    if not name or len(name) > LONGEST_NAME:
        raise wrong(f"Name the closure table by a name of at most {LONGEST_NAME} letters.", "name")
    if concepts and since is not None:
        raise wrong("Send concepts to add, or the version that you have, not both.", "version")
    if len(concepts) > MOST_AT_ONCE:
        raise _too_many(f"Send at most {MOST_AT_ONCE} concepts at once.")
    for one in concepts:
        if not isinstance(one, dict) or not all(isinstance(one.get(key), str) for key in ("system", "code")):
            raise wrong("A concept is a Coding with a system and a code.", "concept")
    return Asked(name, concepts, since, shelf_of(call, library, None))


def answered(want: Asked, table: Table) -> tuple[Table, Json]:
    """The table after a call, and the ConceptMap that tells what is new in it."""
    if want.begins:
        began = Table(want.name)
        return began, _concept_map(began, ())
    if want.since is not None:
        if want.since > table.version:
            raise wrong("The closure table has no such version.", "version")
        return table, _concept_map(table, _pairs(table.members, want.since, want.shelf))
    known = {(m.system, m.code) for m in table.members}
    news: dict[tuple[str, str], Member] = {}
    for concept in want.concepts:
        member = _member(concept, table.version + 1, want.shelf)
        if (member.system, member.code) not in known:
            news[member.system, member.code] = member
    if len(table.members) + len(news) > MOST_CONCEPTS:
        raise _too_many(f"A closure table holds at most {MOST_CONCEPTS} concepts.")
    if news:
        table = replace(table, version=table.version + 1, members=(*table.members, *news.values()))
    return table, _concept_map(table, _pairs(table.members, table.version - 1, want.shelf) if news else ())


def _too_many(text: str) -> FhirError:
    return FhirError.of(Category.INCORRECT, "too-costly", text, "concept")


def _member(concept: Json, since: int, shelf: Shelf) -> Member:
    book = find_book(shelf, concept["system"], concept.get("version"))
    entry = book.find(concept["code"])
    if entry is None:
        raise refused(Category.NOT_FOUND, unknown_code(book, concept["code"], "concept"))
    return Member(book.url, concept.get("version"), entry.code, since)


def _pairs(members: Sequence[Member], since: int, shelf: Shelf) -> Iterator[Pair]:
    """What lies below what, as far as one of both came after a version of the table."""
    by_system: dict[tuple[str, str | None], list[Member]] = {}
    for member in members:
        by_system.setdefault((member.system, member.version), []).append(member)
    for (system, version), some in by_system.items():
        if max(m.since for m in some) > since:
            yield from _of_system(find_book(shelf, system, version), some, since)


def _of_system(book: Book, members: list[Member], since: int) -> Iterator[Pair]:
    line = _Line(book, members)
    news = _Line(book, [m for m in members if m.since > since])
    for above in members:
        for below in (line if above.since > since else news).below(above):
            if below.code != above.code:
                yield Pair(below, above)


class _Line:
    """Concepts in the order of their ids, so that those below another are found by its intervals."""

    def __init__(self, book: Book, members: Iterable[Member]) -> None:
        self._system = book.system
        self._by_code = {m.code: m for m in members}
        self._ids: list[int] = []
        self._sorted: list[Member] = []
        if isinstance(self._system, Loaded):
            ids = ((self._system.file.id_of(m.code) or 0, m) for m in self._by_code.values())
            for number, member in sorted(ids, key=lambda pair: pair[0]):
                self._ids.append(number)
                self._sorted.append(member)

    def below(self, above: Member) -> Iterator[Member]:
        """Those of the concepts that lie below another, and it itself."""
        if isinstance(self._system, Loaded):
            for first, last in self._system.file.intervals(above.code):
                yield from self._sorted[bisect_left(self._ids, first) : bisect_right(self._ids, last)]
            return
        for code in self._system.below(above.code) or ():
            if code in self._by_code:
                yield self._by_code[code]


def _concept_map(table: Table, pairs: Iterable[Pair]) -> Json:
    """A ConceptMap whose sources lie below their targets."""
    groups: dict[tuple[str, str | None], dict[str, list[str]]] = {}
    for below, above in pairs:
        groups.setdefault((below.system, below.version), {}).setdefault(below.code, []).append(above.code)
    told = [
        {
            **dict.fromkeys(("source", "target"), system),
            **(dict.fromkeys(("sourceVersion", "targetVersion"), version) if version else {}),
            "element": [
                {"code": code, "target": [{"code": one, "equivalence": "subsumes"} for one in sorted(above)]}
                for code, above in sorted(elements.items())
            ],
        }
        for (system, version), elements in sorted(groups.items(), key=lambda item: (item[0][0], item[0][1] or ""))
    ]
    head = {"resourceType": "ConceptMap", "version": str(table.version), "name": table.name, "status": "active"}
    return {**head, "experimental": True, **({"group": told} if told else {})}
