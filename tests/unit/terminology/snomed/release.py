"""An invented release in RF2 layout: concepts of a namespace that nobody owns, under names that mean nothing.

Only the numbers by which the layout itself speaks (is a, kinds of names, modules) are those of SNOMED CT.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from terminology import sctid
from terminology.importers.snomed.files import (
    ASSOCIATION,
    ATTRIBUTE_VALUE,
    CONCEPT,
    CONCRETE,
    DESCRIPTION,
    EXTENDED_MAP,
    LANGUAGE,
    MEMBER,
    RELATIONSHIP,
)

Row = list[str]
NAMESPACE = "1999999"
INFERRED, MODIFIER, CASE = "900000000000011006", "900000000000451002", "900000000000448009"
SAME_AS, REPLACED_BY = "900000000000527005", "900000000000526001"
ICD10CM_MAP, CORRELATION, CATEGORY = "6011000124106", "447561005", "447637006"
LAYOUTS = {
    "sct2_Concept_Snapshot_XX9999": CONCEPT,
    "sct2_Description_Snapshot-en_XX9999": DESCRIPTION,
    "sct2_TextDefinition_Snapshot-en_XX9999": DESCRIPTION,
    "sct2_Relationship_Snapshot_XX9999": RELATIONSHIP,
    "sct2_RelationshipConcreteValues_Snapshot_XX9999": CONCRETE,
    "der2_cRefset_LanguageSnapshot-en_XX9999": LANGUAGE,
    "der2_Refset_SimpleSnapshot_XX9999": MEMBER,
    "der2_cRefset_AssociationSnapshot_XX9999": ASSOCIATION,
    "der2_cRefset_AttributeValueSnapshot_XX9999": ATTRIBUTE_VALUE,
    "der2_iisssccRefset_ExtendedMapSnapshot_XX9999": EXTENDED_MAP,
}


def sct(item: int, kind: str = "10") -> str:
    """The identifier of an item of the invented namespace; kind 10 concept, 11 description, 12 relationship."""
    digits = f"{item}{NAMESPACE}{kind}"
    return digits + sctid.check_digit(digits)


MODULE = sct(1)


@dataclass
class Release:
    """Rows by the beginning of the file name, ready to be written, or spoilt first."""

    day: str = "20260101"
    module: str = MODULE
    rows: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in LAYOUTS})
    items: Iterator[int] = field(default_factory=lambda: iter(range(10_000, 10_000_000)))

    def table(self, part: str) -> list[Row]:
        """The rows of the file whose name begins with `sct2_PART` or holds it."""
        return next(rows for name, rows in self.rows.items() if f"_{part}" in name)

    def _head(self, kind: str, *, active: bool = True) -> Row:
        return [sct(next(self.items), kind), self.day, "1" if active else "0", self.module]

    def concept(self, code: str, name: str, *parents: str, active: bool = True, defined: bool = False) -> str:
        """A concept with a full name and a preferred synonym."""
        status = sctid.DEFINED if defined else sctid.PRIMITIVE
        self.table("Concept").append([code, self.day, "1" if active else "0", self.module, status])
        self.name(code, f"{name} (invented)", sctid.FSN)
        self.name(code, name, sctid.SYNONYM)
        for parent in parents:
            self.relate(code, sctid.IS_A, parent)
        return code

    def name(
        self, code: str, term: str, kind: str = sctid.SYNONYM, language: str = "en", dialects: tuple[str, ...] = ()
    ) -> str:
        """A description; of names preferred in American English unless other dialects are given."""
        row = [*self._head("11"), code, language, kind, term, CASE]
        self.table("TextDefinition" if kind == sctid.DEFINITION else "Description").append(row)
        for dialect in dialects or (sctid.US_ENGLISH,):
            self.language(row[0], dialect, sctid.PREFERRED)
        return row[0]

    def acceptable(self, code: str, term: str) -> None:
        """A synonym that no dialect prefers."""
        row = [*self._head("11"), code, "en", sctid.SYNONYM, term, CASE]
        self.table("Description").append(row)
        self.language(row[0], sctid.US_ENGLISH, sctid.ACCEPTABLE)

    def language(self, description: str, refset: str, acceptability: str) -> None:
        """A row of a language reference set."""
        self.table("cRefset_Language").append([*self._member(), refset, description, acceptability])

    def relate(self, source: str, type_: str, target: str, group: int = 0, *, active: bool = True) -> None:
        """A relationship."""
        head = self._head("12", active=active)
        self.table("Relationship_").append([*head, source, target, str(group), type_, INFERRED, MODIFIER])

    def value(self, source: str, type_: str, value: str, group: int = 0) -> None:
        """A relationship to a concrete value."""
        row = [*self._head("12"), source, value, str(group), type_, INFERRED, MODIFIER]
        self.table("RelationshipConcreteValues").append(row)

    def member(self, refset: str, code: str) -> None:
        """A member of a simple reference set."""
        self.table("Refset_Simple").append([*self._member(), refset, code])

    def associate(self, refset: str, code: str, target: str) -> None:
        """A historical association."""
        self.table("cRefset_Association").append([*self._member(), refset, code, target])

    def reason(self, code: str, value: str) -> None:
        """Why a concept is inactive."""
        row = [*self._member(), sctid.INACTIVATION_INDICATOR, code, value]
        self.table("cRefset_AttributeValue").append(row)

    def map(self, code: str, target: str, group: int = 1, priority: int = 1) -> None:
        """A row of the map to ICD-10-CM."""
        row = [*self._member(), ICD10CM_MAP, code, str(group), str(priority), "TRUE", "ALWAYS", target]
        self.table("ExtendedMap").append([*row, CORRELATION, CATEGORY])

    def _member(self) -> Row:
        number = next(self.items)
        return [f"00000000-0000-4000-8000-{number:012d}", self.day, "1", self.module]

    def write(self, folder: Path) -> Path:
        """The files of the release; those without rows are left out, but for those that a release always has."""
        for name, columns in LAYOUTS.items():
            rows = self.rows[name]
            path = folder / "Snapshot" / f"{name}_{self.day}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            text = "".join("\t".join(row) + "\r\n" for row in [list(columns), *rows])
            path.write_bytes(text.encode())
        return folder


def metadata(release: Release) -> None:
    """The concepts by which the layout speaks, under invented names."""
    release.concept(sctid.ROOT, "Everything")
    release.concept(sctid.IS_A, "lies below", sctid.ROOT)
    for number, code in enumerate(
        (MODULE, SAME_AS, REPLACED_BY, sctid.INACTIVATION_INDICATOR, ICD10CM_MAP, sctid.US_ENGLISH, sctid.GB_ENGLISH)
    ):
        release.concept(code, f"metadata {number}", sctid.ROOT)


def small(day: str = "20260101") -> Release:
    """A few gadgets with parts and weights: enough for every file of the layout."""
    release = Release(day)
    metadata(release)
    gadget, part, weight, has_part = (sct(n) for n in (10, 20, 30, 40))
    release.concept(gadget, "Gadget", sctid.ROOT)
    release.concept(part, "Piece", sctid.ROOT)
    release.concept(has_part, "with piece", sctid.ROOT)
    release.concept(weight, "weighs", sctid.ROOT)
    release.concept(sct(21), "Knob", part)
    release.concept(sct(22), "Lever", part)
    release.concept(sct(11), "Knobbed gadget", gadget, defined=True)
    release.concept(sct(12), "Levered gadget", gadget, defined=True)
    release.concept(sct(13), "Colour gadget", sct(11), sct(12))
    release.acceptable(sct(13), "Two-way gadget")
    release.name(sct(13), "Coloured gadget", dialects=(sctid.GB_ENGLISH,))
    release.name(sct(13), "A gadget to turn and to pull.", sctid.DEFINITION)
    release.relate(sct(11), has_part, sct(21), 1)
    release.relate(sct(12), has_part, sct(22), 1)
    release.relate(sct(13), has_part, sct(21), 1)
    release.relate(sct(13), has_part, sct(22), 2)
    release.value(sct(11), weight, "#1.5", 1)
    release.value(sct(13), weight, "#10", 2)
    release.concept(sct(14), "Old gadget", active=False)
    release.associate(REPLACED_BY, sct(14), sct(11))
    release.reason(sct(14), sct(30))
    release.concept(sct(50), "Favourites", sctid.ROOT)
    release.member(sct(50), sct(11))
    release.member(sct(50), sct(13))
    release.map(sct(11), "W99.1")
    release.map(sct(12), "")
    return release


def tangled(seed: int = 7, size: int = 320) -> Release:
    """Some hundred concepts with several parents each, attributes in groups, numbers, reference sets, history."""
    chance = random.Random(seed)
    release = Release()
    metadata(release)
    tops = [release.concept(sct(100 + n), f"kind {n}", sctid.ROOT) for n in range(3)]
    top_type = release.concept(sct(200), "attribute", sctid.ROOT)
    types = [release.concept(sct(201 + n), f"attribute {n}", top_type) for n in range(5)]
    types.append(release.concept(sct(210), "finer attribute", types[0], types[1]))
    refsets = [release.concept(sct(300 + n), f"list {n}", sctid.ROOT) for n in range(3)]
    words = ("red", "green", "blue", "bright", "dark", "heavy", "light", "old", "new")
    placed = list(tops)
    for n in range(size):
        parents = chance.sample(placed[-60:] + tops, k=min(chance.choice((1, 1, 1, 2, 2, 3)), len(placed)))
        name = f"{' '.join(chance.sample(words, 2))} thing {n}"
        placed.append(release.concept(sct(1000 + n), name, *dict.fromkeys(parents), defined=chance.random() < 0.3))
    things = placed[3:]
    for code in things:
        for group in range(chance.choice((0, 0, 1, 2, 3))):
            for type_ in chance.sample(types, k=chance.choice((1, 1, 2, 3))):
                release.relate(code, type_, chance.choice(things), group)
        if chance.random() < 0.3:
            release.value(code, types[4], f"#{chance.choice((1, 2, 2.5, 10, 250))}", chance.choice((0, 1)))
        if chance.random() < 0.1:
            release.value(code, types[3], chance.choice(('"mild"', '"strong"', "true")), 0)
        release.relate(code, types[0], chance.choice(things), 1, active=False)
        for refset in refsets:
            if chance.random() < 0.15:
                release.member(refset, code)
    for n in range(20):
        old = release.concept(sct(5000 + n), f"old thing {n}", active=False)
        release.associate(chance.choice((SAME_AS, REPLACED_BY)), old, chance.choice(things))
        if chance.random() < 0.3:
            release.member(refsets[0], old)
    return release
