"""`CodeSystem/$lookup` (https://hl7.org/fhir/R4/codesystem-operation-lookup.html)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_profiles.errors import Category
from fhir_profiles.systems import SNOMED
from terminology import sctid
from terminology.operations.asked import shelf_of
from terminology.operations.books import Book, Entry
from terminology.operations.call import Call, answer, wrong
from terminology.operations.displays import designations, preferred, shown
from terminology.operations.issues import Issue, issue, refused
from terminology.operations.languages import Languages, spoken
from terminology.operations.members import unknown_system
from terminology.operations.prepared import Prepared, Told
from terminology.operations.shelf import Library, Shelf

Json = dict[str, Any]
OF_LOOKUP = frozenset(("code", "system", "version", "coding", "property", "codeSystem"))
_ALL = "*"
_NOWHERE = dict.fromkeys(("code", "system", "version", "display"), "")


def _lookup(call: Call, library: Library, instance: Json | None) -> Told:
    coding = call.value("coding") or {}
    system, version = coding.get("system") or call.text("system"), coding.get("version") or call.text("version")
    inline = instance or call.value("codeSystem")
    system = system or (inline or {}).get("url")
    call.only(OF_LOOKUP)
    if not system or not _code(call):
        raise wrong(_WANTED, "code")
    book = find_book(shelf_of(call, library, inline), system, version)
    languages = spoken(call)
    wanted = frozenset(map(str, call.all("property")))

    def told(call: Call) -> Json:
        code = _code(call)
        if not code:
            raise wrong(_WANTED, "code")
        entry = book.find(code)
        if entry is None:
            raise refused(Category.NOT_FOUND, unknown_code(book, code))
        return answer(*_told(book, entry, languages, wanted))

    return told


_WANTED = "Send a system and a code, or a coding with both."
lookup = Prepared(_lookup, frozenset(("code",)))
"""What a code system says of a code; FhirError when it has no such code."""


def _code(call: Call) -> str | None:
    return (call.value("coding") or {}).get("code") or call.text("code")


def find_book(shelf: Shelf, system: str, version: str | None) -> Book:
    """A version of a code system; FhirError when it is not known."""
    system = shelf.canonical(system)
    book = shelf.book(system, shelf.pins.version(system, version))
    if book is None:
        text = unknown_system(shelf, system, version, _NOWHERE)
        raise refused(Category.NOT_FOUND, text)
    return book


def unknown_code(book: Book, code: str, at: str | None = None) -> Issue:
    """The issue of a code that a code system has not, or of one that is an expression."""
    if book.url == SNOMED and sctid.is_expression(code):
        return issue("EXPRESSION_NOT_SUPPORTED", code, book.url, sctid.EXPRESSION, at=at)
    if book.version:
        return issue("Unknown_Code_in_Version", code, book.url, book.version, at=at)
    return issue("Unknown_Code_in", code, book.url, at=at)


def _told(book: Book, entry: Entry, languages: Languages, wanted: frozenset[str]) -> Iterator[Json]:
    display = shown(book, entry, None, languages)
    yield {"name": "name", "valueString": str(book.head.get("name") or book.url)}
    yield {"name": "system", "valueUri": book.url}
    yield {"name": "code", "valueCode": entry.code}
    if book.version:
        yield {"name": "version", "valueString": book.version}
    yield {"name": "display", "valueString": display or entry.code}
    if entry.definition and (not wanted or wanted & {_ALL, "definition"}):
        yield {"name": "definition", "valueString": entry.definition}
    yield {"name": "abstract", "valueBoolean": entry.abstract}
    if not wanted or wanted & {_ALL, "designation"}:
        own = [preferred(book, entry)] if entry.display else []
        for one in (*own, *designations(book, entry, None, entry.display)):
            yield {"name": "designation", "part": list(_designation(one))}
    yield from _properties(book, entry, wanted)


def _designation(one: Json) -> Iterator[Json]:
    if one.get("language"):
        yield {"name": "language", "valueCode": one["language"]}
    if one.get("use"):
        yield {"name": "use", "valueCoding": one["use"]}
    yield {"name": "value", "valueString": one.get("value", "")}


def _properties(book: Book, entry: Entry, wanted: frozenset[str]) -> Iterator[Json]:
    every = not wanted or _ALL in wanted

    def asked(name: str) -> bool:
        return every or name in wanted

    if asked("inactive"):
        yield _property("inactive", "valueBoolean", entry.inactive)
    for name, listing in (("parent", book.parents), ("child", book.children)):
        if asked(name):
            for code in listing(entry.code):
                other = book.find(code)
                yield _property(name, "valueCode", code, other.display if other else "")
    for name, key, value in entry.properties:
        if asked(name) and name not in ("inactive", "parent", "child"):
            yield _property(name, key, value)


def _property(name: str, key: str, value: Any, description: str = "") -> Json:
    parts: list[Json] = [{"name": "code", "valueCode": name}, {"name": "value", key: value}]
    if description:
        parts.append({"name": "description", "valueString": description})
    return {"name": "property", "part": parts}
