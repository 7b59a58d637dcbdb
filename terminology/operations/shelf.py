"""Find code systems and value sets: of the call, stored, loaded, published (https://hl7.org/fhir/R4/references.html#canonical)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from fhir_profiles.errors import Category
from fhir_profiles.systems import HL7_FHIR
from terminology.code_system import CodeSystem, read_code_system
from terminology.core import core
from terminology.editions import speaking
from terminology.naming import named, well_known
from terminology.operations.books import Book, ListedBook, RuledBook
from terminology.operations.call import Call
from terminology.operations.issues import issue, refused
from terminology.operations.loaded import LoadedBook
from terminology.operations.versions import agrees, is_alphabetic, is_pattern, newest, pins
from terminology.value_sets.loaded import Loaded
from terminology.value_sets.snomed import parted
from terminology.value_sets.systems import GRAMMARS
from terminology.value_sets.value_sets import TELLING, implied

if TYPE_CHECKING:
    from terminology.terminology import Terminology

Json = dict[str, Any]
Resources = Callable[[str, str], Iterable[Json]]
KEPT = 256
"""Code systems that stay read."""


class Library:
    """What there is between calls.

    `resources(type, url)` gives the stored CodeSystem, ValueSet and ConceptMap resources of a URL, of all versions; an
    empty URL asks for all of a type, where that is supported. What was read is kept until `generation()` changes.
    """

    def __init__(
        self,
        terminology: Terminology | None = None,
        resources: Resources | None = None,
        generation: Callable[[], Hashable] | None = None,
    ) -> None:
        self.terminology = terminology
        self.resources: Resources = resources or (lambda _type, _url: ())
        self._generation = generation
        self._stamp: Hashable = None
        self._books: dict[str, tuple[Book, ...]] = {}
        self._names: dict[str, str] | None = None
        self.prepared: dict[Hashable, Callable[..., Json]] = {}
        """What was worked out for calls like those that come; see `terminology.operations.prepared`."""

    def settle(self) -> Hashable:
        """Forget what was read before the last change; the generation, None where changes cannot be told."""
        stamp = self._generation() if self._generation else None
        if stamp != self._stamp or stamp is None:
            self._stamp, self._books, self.prepared, self._names = stamp, {}, {}, None
        return stamp

    def books(self, url: str) -> tuple[Book, ...]:
        """Every version of a code system."""
        self.settle()
        if len(self._books) > KEPT:
            self._books = {}
        found = self._books.get(url)
        if found is None:
            found = self._read(url)
            if self._generation is not None:
                self._books[url] = found
        return found

    def canonical(self, system: str) -> str:
        """The URI of a code system that is given by any of its names."""
        known = well_known(system)
        if known is None:
            self.settle()
            if self._names is None:
                self._names = named(self.resources("NamingSystem", ""))
            known = self._names.get(system, system)
        return known if known == system or not self.books(system) else system

    def _read(self, url: str) -> tuple[Book, ...]:
        if url in GRAMMARS:
            return (RuledBook(url, GRAMMARS[url]),)
        loaded: list[Book] = []
        if self.terminology is not None:
            editions = self.terminology.editions(url)
            loaded.extend(LoadedBook(self.terminology, e) for e in speaking(editions))
        listed = core().code_system(url)
        published: list[Book] = [ListedBook(listed)] if listed is not None else []
        stored: list[Book] = [ListedBook(s) for s in telling(self.resources("CodeSystem", url))]
        whole = [book for book in loaded if book.content == "complete"]
        ways = (whole, published, stored, loaded) if url.startswith(HL7_FHIR) else (whole, stored, published, loaded)
        found: dict[str | None, Book] = {}
        for way in ways:
            if way is loaded and found:
                break
            for book in way:
                found.setdefault(book.version, book)
        return tuple(found.values())

    def value_sets(self, url: str) -> list[Json]:
        """Every version of a value set."""
        published = core().value_set(url)
        if published is not None and url.startswith(HL7_FHIR):
            return [published]
        stored = list(self.resources("ValueSet", url))
        known = {r.get("version") for r in stored}
        return [*stored, *([published] if published is not None and published.get("version") not in known else ())]


def telling(resources: Iterable[Json]) -> Iterable[CodeSystem]:
    """Those of some CodeSystem resources that say something about codes."""
    return (read_code_system(r) for r in resources if r.get("content", "complete") in TELLING)


class Shelf:
    """A library together with the resources of one call, and what the call says of versions."""

    def __init__(self, library: Library, call: Call, own: Sequence[Json] = ()) -> None:
        self.library = library
        self.given = [*own, *call.resources()]
        self._books: dict[str, tuple[Book, ...]] = {}
        self._own: dict[str, set[str | None]] = {}
        self._supplements: list[CodeSystem] = []
        self.supplements_used: dict[str, str] = {}
        self._names = named(self._given("NamingSystem"))
        self._canonical: dict[str, str] = {}
        self.pins = call.pins().renamed(self.canonical)
        self.on: date | None = call.day()
        self._sets = pins(map(str, call.all("default-valueset-version")))
        self._chosen: dict[tuple[str, str | None], Book | None] = {}

    def canonical(self, system: str) -> str:
        """The URI of a code system that is given by any of its names; those of the call count first."""
        found = self._canonical.get(system)
        if found is None:
            if len(self._canonical) >= KEPT:
                self._canonical = {}
            found = self._canonical[system] = self._named(system)
        return found

    def _named(self, system: str) -> str:
        if self._given("CodeSystem", system):
            return system
        other = self._names.get(system)
        return self.library.canonical(system if other is None or self.library.books(system) else other)

    def books(self, url: str) -> tuple[Book, ...]:
        """Every version of a code system, those of the call first."""
        if url not in self._books:
            own = [ListedBook(s) for s in telling(self._given("CodeSystem", url))]
            versions = self._own[url] = {book.version for book in own}
            found: tuple[Book, ...] = (*own, *(b for b in self.library.books(url) if b.version not in versions))
            more = tuple(s for s in self._supplements if self._extends(s, url))
            if more:
                self.supplements_used |= {s.url: f"{s.url}|{s.version}" if s.version else s.url for s in more}
                found = tuple(ListedBook(b.of, more) if isinstance(b, ListedBook) else b for b in found)
            self._books[url] = found
        return self._books[url]

    def book(self, url: str, version: str | None = None) -> Book | None:
        """A version of a code system, the newest of those that `version` stands for."""
        key = url, version
        if key not in self._chosen:
            self._chosen[key] = self._choose(url, version)
        return self._chosen[key]

    def _choose(self, url: str, version: str | None) -> Book | None:
        books = self.books(url)
        if version and not is_pattern(version):
            return next((b for b in books if b.version == version), None)
        if self.on is not None and self.library.terminology is not None and not version:
            edition = self.library.terminology.edition(url, self.on)
            books = tuple(b for b in books if edition and b.version == edition.version) or books
        if not version:  # what came with the call is meant before what is newer here
            books = tuple(b for b in books if b.version in self._own.get(url, ())) or books
        chosen = {b.version or "": b for b in books if not version or agrees(version, b.version)}
        best = newest(chosen, alphabetic=any(is_alphabetic(b.head) for b in books))
        return None if best is None else chosen[best]

    def versions(self, url: str) -> list[str]:
        """The versions that are known of a code system."""
        return sorted(b.version for b in self.books(url) if b.version)

    def value_set(self, canonical: str) -> Json | None:
        """The ValueSet of a canonical URL, the newest where no version is given or pinned."""
        url, version = parted(canonical)
        version = version or self._sets.get(url, "")
        own = self._given("ValueSet", url)
        stored = [] if own and not version else reversed(self.library.value_sets(url))
        found = {r.get("version", ""): r for r in (*stored, *own)}
        if version:
            found = {v: r for v, r in found.items() if agrees(version, v)}
        best = newest(found)
        if best is not None:
            return found[best]
        implicit = implied(url, version, lambda system: bool(self.books(self.canonical(system))))
        return implicit if implicit is not None and self._founded(implicit) else None

    def _founded(self, implicit: Json) -> bool:
        """Whether the code or list that an implicit value set is named after is in any edition that is loaded."""
        include = implicit["compose"]["include"][0]
        books = self.books(self.canonical(include["system"]))
        systems = [book.system for book in books if isinstance(book, LoadedBook) and book.content == "complete"]
        named = [f["value"] for f in include.get("filter", ()) if (f["property"], f["op"]) == ("concept", "is-a")]
        lists = [f["value"] for f in include.get("filter", ()) if f["property"] == "LIST"]
        if not systems or len(systems) < len(books):
            return True
        return all(any(s.below(code) is not None for s in systems) for code in named) and all(
            any(isinstance(s, Loaded) and s.subset(id) is not None for s in systems) for id in lists
        )

    def pinned(self, canonical: str) -> str | None:
        """The version that the call pins a value set to, where the canonical names none."""
        url, version = parted(canonical)
        return None if version else self._sets.get(url)

    def concept_maps(self) -> list[Json]:
        """The ConceptMaps of the call, and the stored ones."""
        return [*self._given("ConceptMap"), *self.library.resources("ConceptMap", "")]

    def supplement(self, canonical: str) -> None:
        """Use a supplement; FhirError when it is not known."""
        url, _, version = canonical.partition("|")
        candidates = [*self._given("CodeSystem", url), *self.library.resources("CodeSystem", url)]
        chosen = {
            r.get("version", ""): r
            for r in reversed(candidates)
            if r.get("content") == "supplement" and (not version or agrees(version, r.get("version")))
        }
        best = newest(chosen)
        if best is None:
            raise refused(Category.NOT_FOUND, issue("VALUESET_SUPPLEMENT_MISSING", canonical))
        read = read_code_system(chosen[best])
        if all(s.url != read.url for s in self._supplements):
            self._supplements.append(read)
            self._books.clear()
            self._chosen.clear()

    def _extends(self, supplement: CodeSystem, url: str) -> bool:
        return self.canonical(str(supplement.head.get("supplements", "")).partition("|")[0]) == url

    def supplement_named(self, url: str) -> Json | None:
        """The supplement that a URL names."""
        candidates = (*self._given("CodeSystem", url), *self.library.resources("CodeSystem", url))
        return next((r for r in candidates if r.get("content") == "supplement"), None)

    def supplement_heads(self) -> list[Json]:
        """What the supplements in use say of themselves."""
        return [s.head for s in self._supplements]

    def _given(self, type_: str, url: str = "") -> list[Json]:
        return [r for r in self.given if r.get("resourceType") == type_ and (not url or r.get("url") == url)]
