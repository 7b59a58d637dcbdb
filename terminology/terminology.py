"""The open code systems of a data directory and the questions they answer (https://hl7.org/fhir/R4/terminology-service.html)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fhir_profiles.errors import Category, FhirError
from terminology.editions import choose, order
from terminology.model import Concept, Edition, Term, Validation
from terminology.source import Name, Relation, Subset
from terminology.store.file import EditionFile

if TYPE_CHECKING:
    import polars

    from terminology.maps import MapFile, Maps
    from terminology.search.find import Found


class Terminology:
    """Every edition that is loaded. Thread-safe for reading; after a fork each process opens its own connections.

    A system is given as its URI or by a short name: icd10cm. Without `version` the edition in force on the date `on`
    answers, else the newest. What is unknown has no parents, no names, and so on.
    """

    def __init__(self, files: Iterable[EditionFile], dir: Path | str | None = None) -> None:
        self._dir = dir
        self._maps: Maps | None = None
        self._files: dict[str, list[EditionFile]] = {}
        self._names: dict[str, str] = {}
        self._versions: dict[tuple[str, str], EditionFile] = {}
        for file in sorted(files, key=lambda f: order(f.edition)):
            self._files.setdefault(file.edition.system, []).append(file)
            self._names.setdefault(file.edition.name.lower(), file.edition.system)
            self._versions.setdefault((file.edition.system, file.edition.version), file)

    @property
    def systems(self) -> tuple[str, ...]:
        """The URIs of the loaded systems."""
        return tuple(self._files)

    def system(self, name: str) -> str:
        """The URI of a short name; any other text as it is."""
        if name in self._files or ":" in name:
            return name
        known = self._names.get(name.lower())
        if known is None:
            from terminology.systems import system_of  # whoever says URIs does not pay for the published systems

            known = system_of(name)
        return known or name

    def editions(self, system: str) -> tuple[Edition, ...]:
        """The loaded editions of a system: fragments, then whole ones, each oldest first."""
        return tuple(file.edition for file in self._files.get(self.system(system), ()))

    def edition(self, system: str, on: date | None = None, version: str | None = None) -> Edition | None:
        """The edition asked for: by version, else in force (or nearest) on a date of service, else the newest."""
        return choose(self.editions(system), on, version)

    def file(self, system: str, version: str | None = None, on: date | None = None) -> EditionFile | None:
        """The file of that edition."""
        files = self._files.get(system)
        if files is None:
            files = self._files.get(self.system(system), [])
        if version is not None:
            return self._versions.get((files[0].edition.system, version)) if files else None
        if on is None or len(files) < 2:
            return files[-1] if files else None
        edition = choose([file.edition for file in files], on, None)
        return next((file for file in files if file.edition is edition), None)

    def manifest(self, system: str, version: str | None = None) -> Mapping[str, Any]:
        """What an edition was made of: source, licence, dates, files with their SHA-256, counts, content hash."""
        file = self.file(system, version)
        return file.manifest if file else {}

    def lookup(self, system: str, code: str, version: str | None = None, on: date | None = None) -> Concept | None:
        """The concept, or None when the edition does not hold it."""
        file = self.file(system, version, on)
        return file.concept(code) if file else None

    def validate_code(
        self, system: str, code: str, display: str | None = None, version: str | None = None, on: date | None = None
    ) -> Validation:
        """Whether the code exists, may be billed and was in force; the message says what to do otherwise."""
        from terminology.validation import validate

        return validate(self, self.system(system), code, display, version, on)

    def validate(self, system: str, code: str, on: date | str | None = None) -> Validation:
        """Whether a code may be used on a day of service: a date, a moment of it, or YYYY-MM-DD."""
        day = date.fromisoformat(on) if isinstance(on, str) else on.date() if isinstance(on, datetime) else on
        return self.validate_code(system, code, on=day)

    def validate_many(
        self, system: str, codes: Any, dates: Any = None, version: str | None = None, *, display: bool = False
    ) -> polars.DataFrame:
        """Whether each code of a column may be used; see `terminology.columns.validate_many`."""
        from terminology.columns import validate_many

        return validate_many(self, system, codes, dates, version, display=display)

    def subsumes(self, system: str, a: str, b: str, version: str | None = None, on: date | None = None) -> bool:
        """True when `b` is `a` or lies below it."""
        file = self.file(system, version, on)
        return file is not None and file.is_below(b, a)

    def search(
        self,
        system: str,
        text: str,
        *,
        count: int = 20,
        offset: int = 0,
        billable: bool = False,
        active: bool = False,
        under: str | None = None,
        version: str | None = None,
        on: date | None = None,
    ) -> Found:
        """What `text` finds, best first: a code, or words in any order, the last of which may be unfinished.

        `billable` and `active` keep the concepts that may be billed or are in use, `under` those below a code. Words
        that nobody has are corrected, and words are left out when nothing has them all; the answer says so.
        """
        from terminology.search.find import Found, search

        file = self.file(system, version, on)
        if file is None:
            return Found()
        within = None if under is None else tuple(file.intervals(under))
        return search(file, text, count=count, offset=offset, billable=billable, active=active, within=within)

    def terms(self, system: str, version: str | None = None) -> Iterator[Term]:
        """Every name of every concept of a system."""
        file = self.file(system, version)
        return file.terms() if file else iter(())

    def names(self, system: str, code: str, version: str | None = None, on: date | None = None) -> list[Name]:
        """The names of a concept other than its display, with kind and language."""
        file = self.file(system, version, on)
        return file.names(code) if file else []

    def terms_of(self, system: str, code: str, version: str | None = None, on: date | None = None) -> list[str]:
        """The names of a concept other than its display, as texts."""
        return [name.text for name in self.names(system, code, version, on)]

    def concepts(self, system: str, version: str | None = None) -> Iterator[Concept]:
        """Every concept of a system in book order."""
        file = self.file(system, version)
        return file.concepts() if file else iter(())

    def parents(self, system: str, code: str, version: str | None = None, on: date | None = None) -> list[Concept]:
        """The concepts directly above one; the first is the one under which it is listed."""
        file = self.file(system, version, on)
        return file.parents(code) if file else []

    def children(self, system: str, code: str, version: str | None = None, on: date | None = None) -> list[Concept]:
        """The concepts directly below one."""
        file = self.file(system, version, on)
        return file.children(code) if file else []

    def descendants(self, system: str, code: str, version: str | None = None, on: date | None = None) -> list[Concept]:
        """All concepts below one in book order."""
        file = self.file(system, version, on)
        return list(file.descendants(code)) if file else []

    def ancestors(self, system: str, code: str, version: str | None = None, on: date | None = None) -> list[Concept]:
        """All concepts above one, nearest first."""
        file = self.file(system, version, on)
        return file.ancestors(code) if file else []

    def notes(
        self, system: str, code: str, version: str | None = None, on: date | None = None
    ) -> list[tuple[str, str]]:
        """(kind, text) of the notes at the concept: includes, excludes1, excludes2, code-first, use-additional …"""
        file = self.file(system, version, on)
        return file.notes(code) if file else []

    def notes_of_kind(self, system: str, kind: str, version: str | None = None) -> Iterator[tuple[str, str]]:
        """(code, text) of every note of one kind."""
        file = self.file(system, version)
        return file.notes_of_kind(kind) if file else iter(())

    def relations(self, system: str, code: str, version: str | None = None) -> list[Relation]:
        """The relations of a concept other than the hierarchy."""
        file = self.file(system, version)
        return file.relations(code) if file else []

    def having(self, system: str, property_: str, value: str, version: str | None = None) -> list[str]:
        """The codes that have a value of a property, in book order; values as text: true, 17, the code of a Coding."""
        file = self.file(system, version)
        return file.having(property_, value) if file else []

    def subset(self, system: str, id: str, version: str | None = None) -> Subset | None:
        """A named list of the edition: an answer list LL…, a reference set."""
        file = self.file(system, version)
        return file.subset(id) if file else None

    def subsets(self, system: str, version: str | None = None) -> list[tuple[str, str, int]]:
        """(id, title, how many members) of each named list."""
        file = self.file(system, version)
        return file.subsets() if file else []

    def maps(self, source: str | None = None, target: str | None = None) -> tuple[MapFile, ...]:
        """The loaded maps from one system to another; None stands for any."""
        if self._maps is None:
            from terminology.maps import Maps, open_maps  # opened when it is first asked for

            self._maps = open_maps(self._dir) if self._dir is not None else Maps([])
        return self._maps.between(source and self.system(source), target and self.system(target))


def open_terminology(dir: Path | str) -> Terminology:
    """Open what `build(dir)` made; a directory without files is an error that names the command to run."""
    files = sorted((Path(dir) / "terminology").glob("*.sqlite"))
    if not files:
        text = "No code system is loaded in this data directory: run `fhirwright load icd10cm`"
        raise FhirError.of(Category.UNAVAILABLE, "not-found", text)
    return Terminology((EditionFile(path) for path in files), dir)
