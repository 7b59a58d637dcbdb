"""The members of a value set, listed in the order of its parts and code systems.

https://hl7.org/fhir/R4/valueset.html#expansion
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fhir_profiles.errors import Category
from terminology.effort import step
from terminology.folding import fold
from terminology.operations.books import Book, Entry
from terminology.operations.issues import issue, refused
from terminology.operations.loaded import LoadedBook
from terminology.operations.members import excludes, unknown_system, versions_of
from terminology.operations.plan import Part, Plan
from terminology.operations.shelf import Shelf
from terminology.operations.versions import order
from terminology.value_sets.paged import Paged

Json = dict[str, Any]
Key = tuple[str, str, str]
MOST = 250_000
"""Members of one value set that may be listed, whatever of them is shown."""


@dataclass(frozen=True, slots=True)
class Item:
    """One member, and what the value set itself says of it."""

    book: Book
    entry: Entry
    named: Json

    @property
    def key(self) -> Key:
        """What makes it one and the same member."""
        return self.book.url, self.book.version or "", self.entry.code


class Lister:
    """Lists value sets for one call."""

    def __init__(self, shelf: Shelf, text: str | None = None, *, active: bool = False) -> None:
        self._shelf = shelf
        self._words = fold(text).split() if text else []
        self._text = text or ""
        self._active = active
        self.used: dict[str, Book] = {}
        self.merged = False
        self.corrected: dict[str, str] = {}  # word of the text → what was searched for instead

    def members(self, plan: Plan, *, top: bool = True, most: int = MOST) -> list[Item]:
        """The members of a value set that the text finds; FhirError when they cannot be told or exceed `most`."""
        bound = MOST if plan.excludes else most  # what is taken out again does not count
        found: dict[Key, Item] = {}
        for part in plan.includes:
            for item in self._part(plan, part, top=top):
                step(4)
                found.setdefault(item.key, item)
                if len(found) > bound:
                    raise refused(Category.INCORRECT, issue("VALUESET_TOO_COSTLY", plan.name, bound))
        items = list(found.values())
        if plan.excludes:
            items = [item for item in items if not self._excluded(plan, item)]
        return self._merge(items) if plan.parameter("versionsMatch") == "true" else items

    def page(self, plan: Plan, offset: int, count: int) -> tuple[list[Item], int] | None:
        """One page of the members and how many there are; None where they must be listed to tell."""
        if plan.parameter("versionsMatch"):
            return None
        if self._words:
            return self._found_page(plan, offset, count)
        part = plan.includes[0] if len(plan.includes) == 1 and not plan.excludes else None
        if part is None:
            return None
        if part.book is None or part.concepts is not None or part.imports or len(part.filters) > 1:
            return None
        if any(not f.exact for f in part.filters):
            return None
        found = part.listing() if part.filters else part.book.system.codes()
        if not isinstance(found, Paged):
            return None
        book = self._book(part)
        listed = found.active() if self._active or plan.active else found
        total = len(listed)
        if min(count, total - offset) > MOST:
            return None
        entries = (book.find(code) for code in listed.page(offset, count))
        return [Item(book, entry, {}) for entry in entries if entry is not None], total

    def _found_page(self, plan: Plan, offset: int, count: int) -> tuple[list[Item], int] | None:
        """One page of what the text finds in loaded code systems, one after the other."""
        books = [(p, p.book) for p in plan.includes if isinstance(p.book, LoadedBook) and not (p.concepts or p.imports)]
        if plan.excludes or not len({book.url for _, book in books}) == len(books) == len(plan.includes):
            return None
        active = self._active or plan.active
        items: list[Item] = []
        total = 0
        for part, book in books:
            self._book(part)
            found = book.page(
                self._text, part.filters, active=active, count=count - len(items), offset=max(offset - total, 0)
            )
            self.corrected.update(found.corrected)
            items += [Item(book, entry, {}) for entry in found.entries]
            total += found.total
        return items, total

    def _part(self, plan: Plan, part: Part, *, top: bool) -> Iterator[Item]:
        imported = [self.members(p, top=False) for p in part.imports]
        keys = [{(i.book.url, i.entry.code) for i in items} for items in imported]
        if part.system is None:
            for item in imported[0] if imported else ():
                if all((item.book.url, item.entry.code) in others for others in keys[1:]):
                    yield item
            return
        book = self._book(part)
        finds = self._finder(book, top=top)
        active = self._active or plan.active
        for entry, named in self._entries(plan, part, book, top=top):
            wanted = not (active and entry.inactive) and all((book.url, entry.code) in others for others in keys)
            if wanted and finds(entry, named):
                yield Item(book, entry, named)

    def _book(self, part: Part) -> Book:
        system = str(part.system)
        if part.book is None:
            raise refused(Category.NOT_FOUND, unknown_system(self._shelf, system, part.wanted))
        required = self._shelf.pins.forbids(system, part.book.version)
        if required is not None:
            told = issue("VALUESET_VERSION_CHECK", part.book.version, system, required)
            raise refused(Category.INCORRECT, told)
        self.used[f"{system}|{part.book.version or ''}"] = part.book
        return part.book

    def _entries(self, plan: Plan, part: Part, book: Book, *, top: bool) -> Iterator[tuple[Entry, Json]]:
        """The concepts that a part holds, with what it says of them."""
        if part.concepts is not None:
            for concept in part.concepts.values():
                entry = book.find(concept["code"])
                if entry is None and book.content != "complete":
                    entry = Entry(concept["code"])
                if entry is not None and all(f.test(entry.code) for f in part.filters):
                    yield entry, concept
            return
        found = book.search(self._text) if self._words and top else None
        codes = part.listing() if found is None and part.filters else None
        if codes is not None:
            ordered = self._ordered(book, codes)
            found = [e for code in ordered if part.names(book, code) is not None and (e := book.find(code)) is not None]
            yield from ((entry, {}) for entry in found)
            return
        if found is not None:
            yield from ((entry, {}) for entry in found if part.names(book, entry.code) is not None)
            return
        entries = book.entries()
        if entries is None:
            raise refused(Category.INCORRECT, issue("VALUESET_UNLISTABLE", book.url, plan.name))
        for entry in entries:
            if part.names(book, entry.code) is not None:
                yield entry, {}

    def _ordered(self, book: Book, codes: Iterable[str]) -> list[str]:
        """Codes in the order of their code system, where it is at hand."""
        given = list(dict.fromkeys(codes))
        order = getattr(getattr(book, "of", None), "positions", None)
        return given if order is None else sorted(given, key=lambda c: order.get(book.system.fold(c), 0))

    def _finder(self, book: Book, *, top: bool) -> Callable[[Entry, Json], bool]:
        """A test whether the text finds a concept: each of its words begins a word of one of its names, or its code."""
        words, text = self._words, self._text.strip().casefold()
        if not words or not top or book.search(self._text) is not None:
            return lambda _entry, _named: True

        def finds(entry: Entry, named: Json) -> bool:
            if entry.code.casefold().startswith(text):
                return True
            names = (named.get("display") or "", entry.display, *(d.get("value", "") for d in entry.designations))
            have = [word for name in names for word in fold(name).split()]
            return all(any(h.startswith(w) for h in have) for w in words)

        return finds

    def _excluded(self, plan: Plan, item: Item) -> bool:
        for part in plan.excludes:
            if part.book is not None:
                self.used.setdefault(f"{part.system}|{part.book.version or ''}", part.book)
                self._note(plan, part)
        url, version, code = item.key
        return any(excludes(plan, p, self._shelf, url, version or None, code) for p in plan.excludes)

    def _note(self, plan: Plan, part: Part) -> None:
        """Tell when an exclude of one version counts for another."""
        own = versions_of(plan.includes, part.system)
        if part.book is not None and own and part.book.version not in own:
            self.merged = plan.parameter("versionsMatch") != "false"

    def _merge(self, items: list[Item]) -> list[Item]:
        """One member for each code, of the newest version that has it."""
        self.merged = True
        best: dict[tuple[str, str], Item] = {}
        for item in items:
            key = item.book.url, item.entry.code
            have = best.get(key)
            if have is None or order(item.book.version or "") > order(have.book.version or ""):
                best[key] = item
        return list(best.values())
