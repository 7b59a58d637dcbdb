"""What RxNorm says of its concepts besides names: attributes, semantic types, relations, retirement.

https://www.nlm.nih.gov/research/umls/rxnorm/docs/techdoc.html

In RXNREL the second concept has the relation to the first: a line with RXCUI1 1191, RXCUI2 243670 and RELA
has_ingredient says that 243670 has the ingredient 1191, and so it is told of 243670.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Set
from sys import intern
from typing import Any

from terminology.importers.given import Member
from terminology.importers.rrf import Rrf

ATTRIBUTES = (
    "RXCUI", "LUI", "SUI", "RXAUI", "STYPE", "CODE", "ATUI", "SATUI", "ATN", "SAB", "ATV", "SUPPRESS", "CVF",
)  # fmt: skip
RELATIONS = (
    "RXCUI1", "RXAUI1", "STYPE1", "REL", "RXCUI2", "RXAUI2", "STYPE2", "RELA", "RUI", "SRUI", "SAB", "SL", "DIR", "RG",
    "SUPPRESS", "CVF",
)  # fmt: skip
TYPES = ("RXCUI", "TUI", "STN", "STY", "ATUI", "CVF")
ARCHIVE = (
    "RXAUI", "AUI", "STR", "ARCHIVE_TIMESTAMP", "CREATED_TIMESTAMP", "UPDATED_TIMESTAMP", "CODE", "IS_BRAND", "LAT",
    "LAST_RELEASED", "SAUI", "VSAB", "RXCUI", "SAB", "TTY", "MERGED_TO_RXCUI",
)  # fmt: skip
HISTORY = ("CUI1", "VER_START", "VER_END", "CARDINALITY", "CUI2")
KEPT = frozenset((
    "NDC", "RXN_STRENGTH", "RXN_AVAILABLE_STRENGTH", "RXN_HUMAN_DRUG", "RXN_VET_DRUG", "RXN_OBSOLETED", "RXN_ACTIVATED",
    "RXTERM_FORM", "RXN_QUANTITY", "RXN_QUALITATIVE_DISTINCTION", "RXN_BN_CARDINALITY",
))  # fmt: skip
"""The attributes that become properties."""

_NDC = re.compile(r"[0-9]{11}")
_CUI_BITS, _TYPE_BITS = 27, 10
_CUI, _TYPE = (1 << _CUI_BITS) - 1, (1 << _TYPE_BITS) - 1


class Facts:
    """Attributes by CUI."""

    def __init__(self) -> None:
        self._values: dict[int, list[tuple[str, str]]] = {}

    def add(self, cui: int, name: str, value: str) -> None:
        """Take an attribute."""
        self._values.setdefault(cui, []).append((intern(name), intern(value)))

    def of(self, cui: int) -> dict[str, list[str]]:
        """Name → values of the attributes of a concept."""
        found: dict[str, dict[str, None]] = {}
        for name, value in self._values.get(cui, ()):
            found.setdefault(name, {})[value] = None
        return {name: list(values) for name, values in found.items()}


class Links:
    """Relations as numbers that sort by the concept that has them: concept, type, concept it has it to."""

    def __init__(self) -> None:
        self._packed = array("Q")
        self._types: dict[str, int] = {}

    def add(self, cui: int, type_: str, target: int) -> bool:
        """Take a relation; False when there are too many types."""
        number = self._types.setdefault(type_, len(self._types))
        self._packed.append((cui << _TYPE_BITS | number) << _CUI_BITS | target)
        return number < _TYPE

    def settle(self) -> None:
        """Sort what was taken, once each."""
        self._packed = array("Q", sorted(set(self._packed)))
        self._names = list(self._types)

    def of(self, cui: int) -> Iterator[tuple[str, int]]:
        """(type, target) of the relations of a concept."""
        shift = _TYPE_BITS + _CUI_BITS
        place = bisect_left(self._packed, cui << shift)
        while place < len(self._packed) and (packed := self._packed[place]) >> shift == cui:
            yield self._names[packed >> _CUI_BITS & _TYPE], packed & _CUI
            place += 1


def read_facts(member: Member | None, known: Set[int]) -> Facts:
    """The attributes by RxNorm itself that are kept."""
    found = Facts()
    for cui, name, value in _attributes(member, known) if member else ():
        found.add(cui, name, value)
    return found


def _attributes(member: Member, known: Set[int]) -> Iterator[tuple[int, str, str]]:
    file = Rrf(member, ATTRIBUTES)
    atn, sab, atv = (file.at[n] for n in ("ATN", "SAB", "ATV"))
    for number, fields in file.lines("|RXNORM|"):
        if fields[sab] != "RXNORM" or fields[atn] not in KEPT:
            continue
        cui = file.number(number, fields, "RXCUI")
        if not fields[atv]:
            file.refuse(number, fields, "ATV", "a value is expected")
        if fields[atn] == "NDC" and not _NDC.fullmatch(fields[atv]):
            file.refuse(number, fields, "ATV", "an NDC of eleven digits is expected")
        if cui in known:
            yield cui, fields[atn], fields[atv]


def read_types(member: Member | None, known: Set[int]) -> dict[int, dict[str, Any]]:
    """CUI → the property of its semantic types."""
    found: dict[int, dict[str, Any]] = {}
    if member is None:
        return found
    file = Rrf(member, TYPES)
    made: dict[str, dict[str, str]] = {}
    for number, fields in file.lines():
        cui = file.number(number, fields, "RXCUI")
        if not re.fullmatch(r"T\d{3}", fields[1]):
            file.refuse(number, fields, "TUI", "a type is expected, as T121")
        if cui in known:
            type_ = made.setdefault(fields[1], {"code": fields[1], "display": fields[3]})
            found.setdefault(cui, {"STY": []})["STY"].append(type_)
    return found


def read_links(member: Member | None, known: Set[int]) -> Links:
    """The relations by RxNorm itself between its concepts."""
    found = Links()
    if member is None:
        return found
    file = Rrf(member, RELATIONS)
    for number, fields in file.lines("|RXNORM|"):
        if fields[10] != "RXNORM" or fields[2] != "CUI" or fields[6] != "CUI" or not fields[7]:
            continue
        first, second = file.number(number, fields, "RXCUI1"), file.number(number, fields, "RXCUI2")
        if first in known and second in known and not found.add(second, fields[7], first):
            file.refuse(number, fields, "RELA", f"there are more than {_TYPE} types of relations")
    found.settle()
    return found


def read_retired(
    archive: Member | None, history: Member | None, known: Set[int]
) -> dict[int, tuple[str, str, str | None]]:
    """CUI → (name, type, CUI that took its place) of the concepts that RxNorm has no longer."""
    instead: dict[int, int] = {}
    if history is not None:
        file = Rrf(history, HISTORY)
        for number, fields in file.lines():
            old = file.number(number, fields, "CUI1")
            if fields[4] and (new := file.number(number, fields, "CUI2")) != old:
                instead[old] = new
    found: dict[int, tuple[str, str, str | None]] = {}
    if archive is None:
        return found
    file = Rrf(archive, ARCHIVE)
    for number, fields in file.lines("|RXNORM|"):
        if fields[13] != "RXNORM" or not fields[12]:
            continue
        cui = file.number(number, fields, "RXCUI")
        if fields[15]:
            instead[cui] = file.number(number, fields, "MERGED_TO_RXCUI")
        if cui not in known and (cui not in found or found[cui][1] in ("SY", "TMSY", "PSN")):
            found[cui] = fields[2], intern(fields[14]), None
    return {
        cui: (display, type_, str(instead[cui]) if instead.get(cui, 0) in known else None)
        for cui, (display, type_, _) in found.items()
    }
