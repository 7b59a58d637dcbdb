"""Whether a code is in a value set, in which version, and what stands against it.

https://hl7.org/fhir/R4/valueset-operation-validate-code.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from terminology.effort import step
from terminology.operations.books import Book, Entry
from terminology.operations.issues import Issue, issue
from terminology.operations.plan import Part, Plan
from terminology.operations.shelf import Shelf
from terminology.operations.versions import agrees, order

Json = dict[str, Any]


class Asked(msgspec.Struct, frozen=True):
    """One coding to look for; `at` names its elements: `{"code": "Coding.code", …}`."""

    system: str
    version: str | None
    code: str
    at: dict[str, str]


class Hit(msgspec.Struct, frozen=True):
    """What one part of a value set says of a coding.

    `held` is None when the code system that decides is not known (`cause` names it) or known in part.
    """

    held: bool | None
    book: Book | None = None
    entry: Entry | None = None
    named: Json | None = None
    plan: Plan | None = None
    issues: tuple[Issue, ...] = ()
    cause: str | None = None
    agrees: bool = True

    @property
    def sound(self) -> bool:
        """Whether nothing stands against it."""
        return self.held is True and not any(i.severity == "error" for i in self.issues)


def find(plan: Plan, shelf: Shelf, asked: Asked, *, active: bool = False) -> Hit | None:
    """The best that the includes of a value set say of a coding; None when they do not hold it."""
    return next(iter(find_all(plan, shelf, asked, active=active)), None)


def find_all(plan: Plan, shelf: Shelf, asked: Asked, *, active: bool = False) -> list[Hit]:
    """What the includes of a value set say of a coding, the best first."""
    active = active or plan.active
    hits = [h for part in plan.includes if (h := _in_part(plan, part, shelf, asked, active)) is not None]
    if asked.version is not None:
        exact = [h for h in hits if h.agrees]
        if exact or _agreeing(plan, asked):
            hits = exact
    if plan.excludes:
        hits = [h for h in hits if not _excluded(plan, shelf, asked, h)]
    return sorted(hits, key=_merit, reverse=True) if len(hits) > 1 else hits


def _merit(hit: Hit) -> tuple[bool, bool, tuple[Any, ...]]:
    return hit.sound, hit.held is True, order((hit.book.version if hit.book else None) or "")


def _agreeing(plan: Plan, asked: Asked) -> bool:
    """Whether a part draws on the very version that was asked for."""
    own = (p.book for p in plan.includes if p.system == asked.system)
    return any(b is not None and b.version == asked.version for b in own)


def _in_part(plan: Plan, part: Part, shelf: Shelf, asked: Asked, active: bool) -> Hit | None:
    step()
    imported: list[Hit] = []
    for one in part.imports:
        found = find(one, shelf, asked, active=active)
        if found is None:
            return None
        imported.append(found)
    if part.system is None:
        return imported[0] if imported else None
    if part.system != asked.system:
        return None
    book, issues, cause, exact = _version(part, shelf, asked)
    if book is None:
        return Hit(None, plan=plan, issues=issues, cause=cause)
    entry = book.find(asked.code)
    if entry is None:
        listed = part.names(book, asked.code) if part.concepts is not None else None
        if book.content == "complete" or not (part.whole or listed):
            return None
        return Hit(True if listed else None, book, None, listed, plan, issues, cause, exact)
    named = part.names(book, asked.code)
    if named is None:
        return None
    held = not (active and entry.inactive)
    return Hit(held, book, entry, named, plan, issues, cause, exact)


def _version(part: Part, shelf: Shelf, asked: Asked) -> tuple[Book | None, tuple[Issue, ...], str | None, bool]:
    """The version to look in, what stands against it, which one is not known, and whether it is the one asked for."""
    system, given, at = asked.system, asked.version, asked.at
    book, wanted = part.book, part.wanted or ""
    found: list[Issue] = []
    cause: str | None = None
    own = shelf.book(system, given) if given else None
    if given and own is not None and agrees(wanted, given):
        book = own
    elif given and (book is None or book.version != given):
        words: tuple[str | None, ...]
        if not wanted:
            name, words = "VALUESET_VALUE_MISMATCH_DEFAULT", (system, book.version if book else "", given)
        elif wanted == part.declared:
            name, words = "VALUESET_VALUE_MISMATCH", (system, wanted, given)
        else:
            name, words = "VALUESET_VALUE_MISMATCH_CHANGED", (system, wanted, part.declared or "", given)
        if book is not None or wanted:
            found.append(issue(name, *words, at=at["version"]))
        if own is None and book is not None:
            found.append(unknown_system(shelf, system, given, at))
            cause = f"{system}|{given}"
    if book is None:
        missing = part.wanted or given
        found.append(unknown_system(shelf, system, missing, at))
        return None, tuple(found), f"{system}|{missing}" if missing else system, True
    required = shelf.pins.forbids(system, book.version)
    if required is not None:
        found.append(issue("VALUESET_VERSION_CHECK", book.version, system, required, at=at["version"]))
    return book, tuple(found), cause, not given or book.version == given or not wanted


def unknown_system(shelf: Shelf, system: str, version: str | None, at: dict[str, str] | None = None) -> Issue:
    """The issue of a code system, or a version of one, that is not known here."""
    place = at["system"] if at else None
    suffix = "" if at else "_EXP"
    if not version:
        return issue(f"UNKNOWN_CODESYSTEM{suffix}", system, at=place)
    known = shelf.versions(system)
    if not known:
        return issue(f"UNKNOWN_CODESYSTEM_VERSION{suffix}_NONE", system, version, at=place)
    return issue(f"UNKNOWN_CODESYSTEM_VERSION{suffix}", system, version, listed(known), at=place)


def listed(names: list[str]) -> str:
    """`a, b or c`."""
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else "".join(names)


def _excluded(plan: Plan, shelf: Shelf, asked: Asked, hit: Hit) -> bool:
    version = hit.book.version if hit.book else None
    return any(excludes(plan, part, shelf, asked.system, version, asked.code) for part in plan.excludes)


def excludes(plan: Plan, part: Part, shelf: Shelf, system: str, version: str | None, code: str) -> bool:
    """Whether an exclude of a value set takes out a code of a version of a system."""
    if part.system is not None:
        if part.system != system or (part.book is not None and not _reaches(plan, part, version)):
            return False
        book = part.book
        if book is None:
            return part.concepts is not None and code in part.concepts
        entry = book.find(code)
        if part.names(book, code) is None or (entry is None and part.concepts is None):
            return False
    asked = Asked(system, version, code, dict.fromkeys(("system", "version", "code", "display"), ""))
    return all((h := find(p, shelf, asked)) is not None and h.held is not False for p in part.imports)


def _reaches(plan: Plan, part: Part, version: str | None) -> bool:
    """Whether an exclude of one version counts for another: unless the set says so, when no include is of its own."""
    own = part.book.version if part.book else None
    if own == version:
        return True
    said = plan.parameter("versionsMatch")
    if said is not None:
        return said == "true"
    return own not in versions_of(plan.includes, part.system)


def versions_of(parts: Iterable[Part], system: str | None) -> set[str | None]:
    """The versions of a system that some parts draw on."""
    return {p.book.version for p in parts if p.system == system and p.book is not None}
