"""The open code systems of a data directory and the questions they answer (https://hl7.org/fhir/R4/terminology-service.html)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from fhir_profiles.errors import Category, FhirError
from terminology.editions import choose
from terminology.file import EditionFile
from terminology.model import Concept, Edition, Term, Validation
from terminology.search import POOL, search
from terminology.validation import validate


class Terminology:
    """Every edition that is loaded. Thread-safe for reading; after a fork each process opens its own connections."""

    def __init__(self, files: list[EditionFile]) -> None:
        self._where: defaultdict[str, list[tuple[Edition, EditionFile, int]]] = defaultdict(list)
        for file in files:
            for number, edition in enumerate(file.editions):
                self._where[edition.system].append((edition, file, number))
        for entries in self._where.values():
            entries.sort(key=lambda e: (e[0].start or date.min, e[0].version))

    @property
    def systems(self) -> tuple[str, ...]:
        """The URIs of the loaded systems."""
        return tuple(self._where)

    def editions(self, system: str) -> tuple[Edition, ...]:
        """The loaded editions of a system, oldest first."""
        return tuple(entry[0] for entry in self._where.get(system, ()))

    def edition(self, system: str, on: date | None = None, version: str | None = None) -> Edition | None:
        """The edition asked for: by version, else in force (or nearest) on a date of service, else the newest."""
        return choose(self.editions(system), on, version)

    def lookup(self, system: str, code: str, version: str | None = None, on: date | None = None) -> Concept | None:
        """The concept, or None when the edition does not hold it."""
        place = self._place(system, version, on)
        return place and place[0].concept(place[1], code)

    def validate_code(
        self, system: str, code: str, display: str | None = None, version: str | None = None, on: date | None = None
    ) -> Validation:
        """Whether the code exists, may be billed and was in force; the message says what to do otherwise."""
        return validate(self, system, code, display, version, on)

    def subsumes(self, system: str, a: str, b: str, version: str | None = None) -> bool:
        """True when `b` is `a` or lies below it."""
        place = self._place(system, version, None)
        outer, inner = (place[0].interval(place[1], c) for c in (a, b)) if place else (None, None)
        return bool(outer and inner and outer[0] <= inner[0] <= outer[1])

    def search(
        self, system: str, text: str, *, count: int = 20, billable: bool = False, pool: int = POOL
    ) -> list[Concept]:
        """Concepts whose names hold all the words of `text` (the last may be unfinished), best first."""
        place = self._place(system, None, None)
        return search(place[0], place[1], text, count, billable, pool) if place else []

    def terms(self, system: str, version: str | None = None) -> Iterator[Term]:
        """Every name of every concept of a system."""
        place = self._place(system, version, None)
        return place[0].terms(place[1]) if place else iter(())

    def terms_of(self, system: str, code: str) -> list[str]:
        """The names of a concept other than its display."""
        place = self._place(system, None, None)
        return place[0].terms_of(place[1], code) if place else []

    def concepts(self, system: str, version: str | None = None) -> Iterator[Concept]:
        """Every concept of a system in book order."""
        place = self._place(system, version, None)
        return place[0].concepts(place[1]) if place else iter(())

    def children(self, system: str, code: str, version: str | None = None) -> list[Concept]:
        """The direct children of a concept."""
        place = self._place(system, version, None)
        return place[0].children(place[1], code) if place else []

    def descendants(self, system: str, code: str, version: str | None = None) -> list[Concept]:
        """All concepts below one."""
        place = self._place(system, version, None)
        return place[0].descendants(place[1], code) if place else []

    def ancestors(self, system: str, code: str, version: str | None = None) -> list[Concept]:
        """From the parent up to the root."""
        place = self._place(system, version, None)
        return place[0].ancestors(place[1], code) if place else []

    def notes(self, system: str, code: str) -> list[tuple[str, str]]:
        """(kind, text) of the notes at the concept: includes, excludes1, excludes2, code-first, use-additional …"""
        place = self._place(system, None, None)
        return place[0].notes(place[1], code) if place else []

    def notes_of_kind(self, system: str, kind: str) -> Iterator[tuple[str, str]]:
        """(code, text) of every note of one kind."""
        place = self._place(system, None, None)
        return place[0].notes_of_kind(place[1], kind) if place else iter(())

    def _place(self, system: str, version: str | None, on: date | None) -> tuple[EditionFile, int] | None:
        entries = self._where.get(system)
        if not entries:
            return None
        if len(entries) == 1 and version is None:
            return entries[0][1], entries[0][2]
        edition = self.edition(system, on, version)
        return next(((file, number) for e, file, number in entries if e is edition), None)


def open_terminology(dir: Path | str) -> Terminology:
    """Open what `build(dir)` made; a directory without files is an error that names the command to run."""
    files = sorted((Path(dir) / "terminology").glob("*.sqlite"))
    if not files:
        text = "No code system is loaded in this data directory: run `fhirwright load icd10cm`"
        raise FhirError.of(Category.UNAVAILABLE, "not-found", text)
    return Terminology([EditionFile(path) for path in files])
