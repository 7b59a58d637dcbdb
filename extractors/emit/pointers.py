"""The diagnoses that each line of a draft Claim points to: those its service was done for, the likeliest first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from extractors.model import Code

MOST = 12
"""Diagnoses that a professional claim holds: a later one cannot be pointed to."""

_OUTSIDE = ("V", "W", "X", "Y")  # what happened is never what a service is for
_BREAKS = re.compile(r"[.;](?=\s|$)|\n")
_LONGEST = 400  # characters of a sentence to each side of the service
_SIDES = {"RT": "right", "LT": "left"}
_OTHER = {"right": "left", "left": "right"}


class Needs(NamedTuple):
    """The table, ready to ask: of each service number the diagnoses it is done for, by how their codes begin."""

    families: tuple[tuple[tuple[tuple[str, str], ...], tuple[str, ...]], ...]
    visit: tuple[tuple[str, str], ...]
    preventive: tuple[tuple[str, str], ...]
    aside: tuple[str, ...]

    def of(self, service: str) -> tuple[str, ...]:
        """What a service is commonly done for, the likeliest first."""
        return next((needs for numbers, needs in self.families if _among(service, numbers)), ())


@cache
def needs() -> Needs:
    """The table of `needs.json`."""
    data: dict[str, Any] = msgspec.json.decode(Path(__file__).with_name("needs.json").read_bytes())
    families = tuple((_numbers(row["services"]), tuple(row["for"].split())) for row in data["families"])
    return Needs(families, _numbers(data["visit"]), _numbers(data["preventive"]), tuple(data["aside"].split()))


def _numbers(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((first, last or first) for first, _, last in (part.partition("-") for part in text.split()))


def _among(service: str, numbers: Sequence[tuple[str, str]]) -> bool:
    return any(first <= service <= last for first, last in numbers)


def pointers(text: str, line: Sequence[Code], diagnoses: Sequence[Sequence[Code]]) -> list[int]:
    """1-based places of the diagnoses that a line is for, the likeliest first; `diagnoses` are in claim order.

    A visit is for what it treats, a preventive one first for that it is one. Any other service is for the diagnoses
    that the table of needs gives it, those of its own sentence first and those of the other side never; else for those
    of its sentence; else, as nothing ties it to any, for the first of the claim.
    """
    listed = [(n, codes) for n, codes in enumerate(diagnoses[:MOST], 1) if not codes[0].code.startswith(_OUTSIDE)] or [
        *enumerate(diagnoses[:MOST], 1)
    ]
    table, service = needs(), line[0].code
    if _among(service, table.preventive):
        return [n for n, codes in sorted(listed, key=lambda one: not one[1][0].code.startswith("Z0"))]
    if _among(service, table.visit):
        return [n for n, codes in sorted(listed, key=lambda one: one[1][0].code.startswith(table.aside))]
    wanted, sentences = table.of(service), [*_sentences(text, line)]
    tied = []
    for n, codes in listed:
        need = next((i for i, begins in enumerate(wanted) if codes[0].code.startswith(begins)), None)
        beside = any(low <= code.start < high for code in codes for low, high in sentences)
        if (need is not None or (beside and not wanted)) and not _of_the_other_side(line[0], codes[0]):
            tied.append((not beside, need or 0, n))
    return [n for *_, n in sorted(tied)] or [n for n, _ in listed]


def _sentences(text: str, line: Sequence[Code]) -> Iterator[tuple[int, int]]:
    """The sentences or lines of the text that tell of the service."""
    for code in line:
        for start, end in ((code.start, code.end), *code.evidence):
            low, high = max(0, start - _LONGEST), min(len(text), end + _LONGEST)
            before = [match.end() for match in _BREAKS.finditer(text, low, start)]
            after = _BREAKS.search(text, end, high)
            yield before[-1] if before else low, after.start() if after else high


def _of_the_other_side(line: Code, diagnosis: Code) -> bool:
    sides = {_SIDES[modifier] for modifier in line.modifiers if modifier in _SIDES}
    words = diagnosis.display.lower()
    return len(sides) == 1 and (side := sides.pop()) not in words and _OTHER[side] in words
