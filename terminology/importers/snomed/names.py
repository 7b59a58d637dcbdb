"""The descriptions of a release with the dialects that prefer them (https://docs.snomed.org/snomed-ct-specifications/snomed-ct-release-file-specification)."""

from __future__ import annotations

from terminology import sctid
from terminology.importers.snomed.concepts import Concepts
from terminology.importers.snomed.files import DESCRIPTION, LANGUAGE, Release, Table
from terminology.source import Name

LONGEST = 8_192
"""Letters of a description: 255 for a name, more for a definition."""

_KINDS = {sctid.FSN: "fsn", sctid.SYNONYM: "synonym"}


class Names:
    """The names of each concept by its place, and the definitions in words."""

    def __init__(self, release: Release, concepts: Concepts) -> None:
        self._preferred = _preferred(release)
        self._of: list[list[Name] | None] = [None] * len(concepts.codes)
        self.definitions: dict[int, list[str]] = {}
        for kind in ("descriptions", "definitions"):
            table = Table(release[kind], DESCRIPTION, release.day, sctid.DESCRIPTION)
            self._read(table, concepts)
        self._preferred.clear()

    def _read(self, table: Table, concepts: Concepts) -> None:
        of, preferred, kinds = self._of, self._preferred, _KINDS
        shared: dict[str, str] = {}
        for member, number, fields in table.rows():
            term = fields[7]
            if not term.strip() or len(term) > LONGEST:
                table.refuse(member, number, fields, "term", f"a term of 1 to {LONGEST} letters is expected")
            place = concepts.of.get(fields[4])
            if place is None:
                place = concepts.place(table, member, number, fields, "conceptId")
            kind = kinds.get(fields[6])
            if kind is None and fields[6] != sctid.DEFINITION:
                table.refuse(
                    member, number, fields, "typeId", "the type of a name, a synonym or a definition is expected"
                )
            language = shared.setdefault(fields[5], fields[5])
            if not (2 <= len(language) <= 8 and language.isascii()):
                table.refuse(member, number, fields, "languageCode", "a language is expected, as en")
            if fields[2] == "0":
                continue
            if kind is None:
                self.definitions.setdefault(place, []).append(term)
                continue
            name = Name(term, kind, language, preferred.get(int(fields[0]), ()))
            known = of[place]
            if known is None:
                of[place] = [name]
            else:
                known.append(name)

    def take(self, place: int) -> tuple[str, tuple[Name, ...]] | None:
        """Display and other names of a concept, which are then let go; None when it has no name."""
        known, self._of[place] = self._of[place], None
        if not known:
            return None
        display = min(known, key=_rank)
        return display.text, tuple(name for name in known if name is not display)


def _rank(name: Name) -> tuple[bool, bool, bool, bool, bool]:
    """The display is a synonym, preferred in US English before GB English before other dialects."""
    dialects = name.dialects
    return (
        name.kind == "fsn",
        sctid.US_ENGLISH not in dialects,
        sctid.GB_ENGLISH not in dialects,
        not dialects,
        name.language != "en",
    )


def _preferred(release: Release) -> dict[int, tuple[str, ...]]:
    """Description → the language reference sets that prefer it; one tuple for all that have the same."""
    found: dict[int, tuple[str, ...]] = {}
    shared: dict[tuple[str, ...], tuple[str, ...]] = {}
    table = Table(release["languages"], LANGUAGE, release.day)
    known: set[str] = set()
    for member, number, fields in table.rows():
        if fields[4] not in known:
            known.add(table.identifier(member, number, fields, "refsetId"))
        if fields[6] not in (sctid.PREFERRED, sctid.ACCEPTABLE):
            why = f"{sctid.PREFERRED} (preferred) or {sctid.ACCEPTABLE} (acceptable) is expected"
            table.refuse(member, number, fields, "acceptabilityId", why)
        if fields[2] == "1" and fields[6] == sctid.PREFERRED:
            component = int(table.identifier(member, number, fields, "referencedComponentId"))
            dialects = tuple(sorted({*found.get(component, ()), fields[4]}))
            found[component] = shared.setdefault(dialects, dialects)
    return found
