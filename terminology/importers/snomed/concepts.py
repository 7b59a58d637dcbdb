"""The concepts of a release, held in columns (https://docs.snomed.org/snomed-ct-specifications/snomed-ct-release-file-specification)."""

from __future__ import annotations

from array import array
from typing import Any

from terminology import sctid
from terminology.importers.given import Member
from terminology.importers.snomed.files import CONCEPT, Release, Table


class Concepts:
    """Every concept by its place; the places of `of` are by identifier as text."""

    def __init__(self, release: Release) -> None:
        self.of: dict[str, int] = {}
        self.codes: list[str] = []
        self.active = bytearray()
        self._facts: list[dict[str, Any]] = []
        self._shared: dict[tuple[str, ...], int] = {}
        self._fact: array[int] = array("I")
        self.members = release["concepts"]
        table = Table(self.members, CONCEPT, release.day, sctid.CONCEPT)
        for member, number, fields in table.rows():
            if fields[4] not in (sctid.PRIMITIVE, sctid.DEFINED):
                why = f"{sctid.PRIMITIVE} (primitive) or {sctid.DEFINED} (defined) is expected"
                table.refuse(member, number, fields, "definitionStatusId", why)
            self._add(fields)

    def _add(self, fields: list[str]) -> None:
        code, time, active, module, status = fields
        self.of[code] = len(self.codes)
        self.codes.append(code)
        self.active.append(active == "1")
        key = time, active, module, status
        if key not in self._shared:
            self._shared[key] = len(self._facts)
            defined = status == sctid.DEFINED
            facts = {"sufficientlyDefined": defined, "moduleId": module, "effectiveTime": time}
            self._facts.append({"inactive": True, **facts} if active == "0" else facts)
        self._fact.append(self._shared[key])

    def facts(self, place: int) -> dict[str, Any]:
        """The properties that the row of a concept states; one object for all concepts that have the same."""
        return self._facts[self._fact[place]]

    def place(self, table: Table, member: Member, number: int, fields: list[str], name: str) -> int:
        """The place of the concept that a row names; refused when no file given has it."""
        code = table.identifier(member, number, fields, name)
        found = self.of.get(code)
        if found is None:
            why = "no concept file has this concept: give the release that this one depends on, too"
            table.refuse(member, number, fields, name, why)
        return found
