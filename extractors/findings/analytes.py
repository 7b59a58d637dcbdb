"""What can be measured: names, LOINC codes, units and plausible ranges, from the terminology's starter table (https://loinc.org)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from fhir_profiles.systems import LOINC
from terminology.fragments import starter

Kind = Literal["vital", "lab", "survey"]
SYSTOLIC, DIASTOLIC, PRESSURE = "8480-6", "8462-4", "85354-9"
TEMPERATURE, PULSE, RESPIRATION, SATURATION = "8310-5", "8867-4", "9279-1", "59408-5"
FLOW, WEIGHT, HEIGHT, PAIN = "3151-8", "29463-7", "8302-2", "72514-3"
_OTHER = 0x7F  # stands for a character beyond ASCII, which is no blank; `encode` makes a question mark of it
_SPACED = bytes(_OTHER if c == ord("?") else c if c < 128 and chr(c).isalnum() else ord(" ") for c in range(256))
HEMATOCRIT = "4544-3"
LETTERS = {"t": TEMPERATURE, "p": PULSE, "r": RESPIRATION}


@dataclass(frozen=True, slots=True)
class Analyte:
    """A measurable thing; `low` and `high` are the bounds of belief in `unit`, not of health."""

    loinc: str
    display: str
    kind: Kind
    unit: str | None
    low: Decimal | None
    high: Decimal | None


@dataclass(frozen=True, slots=True)
class Analytes:
    """All of them, by code and by name, with the matcher of the names in folded text."""

    by_code: dict[str, Analyte]
    by_name: dict[str, Analyte]
    names: list[str]
    automaton: AhoCorasick


def _data(name: str) -> Any:
    return json.loads(files("extractors.findings").joinpath(name).read_text("utf-8"))


@cache
def load() -> Analytes:
    """The starter table with our further names."""
    by_code: dict[str, Analyte] = {}
    by_name: dict[str, Analyte] = {}
    for concept in starter(LOINC).values():
        kind = concept.properties.get("kind", "lab")
        if kind not in ("vital", "lab", "survey"):
            continue
        low, high = (concept.properties.get(k) for k in ("low", "high"))
        by_code[concept.code] = Analyte(
            concept.code, concept.display, kind, concept.properties.get("unit"),
            Decimal(low) if low else None, Decimal(high) if high else None,
        )  # fmt: skip
        for name, *_ in concept.names:
            by_name.setdefault(" ".join(name.lower().split()), by_code[concept.code])
    for code, names in _data("analyte_names.json").items():
        for name in names:
            if code in by_code:
                by_name.setdefault(name, by_code[code])
    for letter in LETTERS:  # a single letter is a vital sign only among others
        by_name.pop(letter, None)
    names = sorted(by_name)
    spaced = [f" {_spaced(name).rstrip()}" for name in names]
    return Analytes(
        by_code,
        by_name,
        names,
        AhoCorasick(spaced, matchkind=MatchKind.LeftmostLongest, implementation=Implementation.DFA),
    )


def _spaced(folded: str) -> str:
    """The text with a blank for every mark, for a name may stand after any; by way of octets, which is far cheaper."""
    return folded.replace("?", " ").encode("ascii", "replace").translate(_SPACED).decode("ascii")


def find_names(folded: str, analytes: Analytes) -> Iterator[tuple[int, int, Analyte]]:
    """The names of measurable things, whole words (a number may follow without a space)."""
    size = len(folded)
    for number, start, end in analytes.automaton.find_matches_as_indexes(f" {_spaced(folded)}"):
        end -= 1  # one space stands before the text, one before the name
        if end < size and folded[end].isalpha() and folded[end - 1].isalnum():
            continue
        yield start, end, analytes.by_name[analytes.names[number]]


@cache
def units() -> dict[str, str]:
    """Printed unit in lower case → UCUM (https://ucum.org)."""
    table: dict[str, str] = _data("units.json")
    return table
