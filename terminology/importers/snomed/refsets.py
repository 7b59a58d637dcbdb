"""The reference sets of a release: members, historical associations, reasons of inactivation.

https://docs.snomed.org/snomed-ct-specifications/snomed-ct-release-file-specification
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from typing import Any

from terminology import sctid
from terminology.importers.snomed.concepts import Concepts
from terminology.importers.snomed.files import (
    ASSOCIATION,
    ATTRIBUTE_VALUE,
    EXTENDED_MAP,
    MEMBER,
    SIMPLE_MAP,
    Release,
    Table,
)
from terminology.source import Subset

_KINDS = (
    ("simple", MEMBER),
    ("associations", ASSOCIATION),
    ("values", ATTRIBUTE_VALUE),
    ("simple_maps", SIMPLE_MAP),
    ("extended_maps", EXTENDED_MAP),
)


class Refsets:
    """Members of each reference set of concepts, and what those of associations and values say of a concept."""

    def __init__(self, release: Release, concepts: Concepts) -> None:
        self._concepts = concepts
        self._members: dict[str, array[int]] = {}
        self._facts: dict[int, dict[str, Any]] = {}
        for kind, columns in _KINDS:
            self._read(kind, Table(release[kind], columns, release.day))

    def _read(self, kind: str, table: Table) -> None:
        of = self._concepts.of
        for member, number, fields in table.rows():
            refset, component = fields[4], fields[5]
            if refset not in of:
                self._concepts.place(table, member, number, fields, "refsetId")
            place = of.get(component)
            if place is None:
                table.identifier(member, number, fields, "referencedComponentId")
                if component[-3:-1] in sctid.CONCEPT:
                    self._concepts.place(table, member, number, fields, "referencedComponentId")
                continue  # a reference set of descriptions
            if fields[2] == "0":
                continue
            if refset not in self._members:
                self._members[refset] = array("I")
            self._members[refset].append(place)
            if kind == "associations":
                target = table.identifier(member, number, fields, "targetComponentId")
                self._note(place, sctid.ASSOCIATIONS.get(refset, refset), target)
            elif kind == "values" and refset == sctid.INACTIVATION_INDICATOR:
                self._note(place, "inactivationReason", table.identifier(member, number, fields, "valueId"))

    def _note(self, place: int, name: str, value: str) -> None:
        known = self._facts.setdefault(place, {})
        known.setdefault(name, [])
        if value not in known[name]:
            known[name].append(value)

    def facts(self, place: int) -> dict[str, Any]:
        """The properties of a concept: where it went, and why it is inactive."""
        return {name: sorted(values) for name, values in self._facts.get(place, {}).items()}

    def lists(self, code: str) -> bool:
        """Whether a concept is a reference set that has members."""
        return code in self._members

    def subsets(self, title: Callable[[str], str]) -> Iterator[Subset]:
        """Each reference set with its members in the order of the release."""
        codes = self._concepts.codes
        for refset, members in sorted(self._members.items()):
            yield Subset(refset, title(refset), tuple(codes[place] for place in dict.fromkeys(members)))
