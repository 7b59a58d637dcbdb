"""The names of RxNorm's concepts, from RXNCONSO (https://www.nlm.nih.gov/research/umls/rxnorm/docs/techdoc.html).

A concept is listed under its name of a type of its own (IN, SCD, BN …); synonyms (SY), names in tall man letters (TMSY)
and prescribable names (PSN) are further names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from sys import intern
from typing import Any, NamedTuple

from terminology.importers.given import Member, refuse
from terminology.importers.rrf import Rrf
from terminology.source import Name, Relation, SourceConcept

FIELDS = (
    "RXCUI", "LAT", "TS", "LUI", "STT", "SUI", "ISPREF", "RXAUI", "SAUI", "SCUI", "SDUI", "SAB", "TTY", "CODE", "STR",
    "SRL", "SUPPRESS", "CVF",
)  # fmt: skip
FURTHER = {"SY": "synonym", "TMSY": "synonym", "PSN": "short", "ET": "synonym"}
"""Types of further names, and their kind."""

ACTIVE = "N"
SUPPRESSED = ("N", "O", "Y", "E")
_TYPE = re.compile(r"[A-Z][A-Z0-9_]{1,15}")


class Atom(NamedTuple):
    """One name of a concept."""

    type: str
    text: str
    suppressed: str
    source: str


class Names:
    """The atoms of each concept by its CUI."""

    def __init__(self) -> None:
        self.names: dict[int, list[Atom]] = {}
        self.left_out = 0  # atoms of other sources

    @property
    def known(self) -> frozenset[int]:
        """The CUIs that RxNorm names."""
        return frozenset(self.names)

    def concept(self, cui: int, facts: Mapping[str, Any], relations: tuple[Relation, ...]) -> SourceConcept:
        """The concept with what the other files say of it."""
        own = [a for a in self.names[cui] if a.source == "RXNORM"]
        main = [a for a in own if a.type not in FURTHER] or own
        display = min(main, key=lambda a: (a.suppressed != ACTIVE, main.index(a)))
        told = {display.text}
        names = []
        for atom in self.names[cui]:
            if atom.text not in told:
                told.add(atom.text)
                names.append(Name(atom.text, FURTHER.get(atom.type, "synonym")))
        states = {a.suppressed for a in main}
        sources = list(dict.fromkeys(a.source for a in self.names[cui]))
        return SourceConcept(
            str(cui),
            display.text,
            active=ACTIVE in states,
            names=tuple(names),
            properties={
                "TTY": list(dict.fromkeys(a.type for a in main)),
                "SAB": sources,
                **({"SUPPRESS": min(states)} if ACTIVE not in states else {}),
                **facts,
            },
            relations=relations,
        )


def read_names(member: Member, *, licensed: bool) -> Names:
    """The names by RxNorm, and by the other sources where they are `licensed`; refuses a damaged file by its place."""
    file, found = Rrf(member, FIELDS), Names()
    other: dict[int, list[Atom]] = {}
    seen: set[int] = set()
    at = file.at
    sab, tty, text, suppress = (at[n] for n in ("SAB", "TTY", "STR", "SUPPRESS"))
    for number, fields in file.lines():
        cui, atom = file.number(number, fields, "RXCUI"), file.number(number, fields, "RXAUI", 10)
        if atom in seen:
            file.refuse(number, fields, "RXAUI", "the atom stands twice")
        seen.add(atom)
        if fields[sab] != "RXNORM" and not licensed:
            found.left_out += 1
            continue
        if not fields[text]:
            file.refuse(number, fields, "STR", "a name is expected")
        if not _TYPE.fullmatch(fields[tty]):
            file.refuse(number, fields, "TTY", "the type of the name is expected, as IN or SCD")
        if fields[suppress] not in SUPPRESSED:
            file.refuse(number, fields, "SUPPRESS", f"one of {', '.join(SUPPRESSED)} is expected")
        into = found.names if fields[sab] == "RXNORM" else other
        made = Atom(intern(fields[tty]), fields[text], intern(fields[suppress]), intern(fields[sab]))
        into.setdefault(cui, []).append(made)
    if not found.names:
        refuse(member, 1, 1, "the file has no names by RxNorm (SAB=RXNORM)")
    for cui, atoms in other.items():
        if cui in found.names:
            found.names[cui].extend(atoms)
    return found
