"""Read the segments and envelopes of X12 interchanges (https://x12.org); damage is told by segment and position."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple, NoReturn

import msgspec

from fhir_profiles.errors import Category, FhirError

MAX_BYTES = 256 * 2**20
MAX_SEGMENT = 20_000
MAX_IN_TRANSACTION = 2_000_000
ISA_LENGTH = 106
_NAME = re.compile(r"[A-Z][A-Z0-9]{1,2}")
_AMOUNT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{0,6})?|-?\.[0-9]{1,6}")


class Segment(msgspec.Struct, gc=False):
    """One segment: its number in the file from 1, the character at which it begins from 0, its elements."""

    number: int
    position: int
    elements: list[str]
    parts: str
    """What separates the parts of an element."""
    repeats: str

    @property
    def name(self) -> str:
        """Its identifier."""
        return self.elements[0]

    def get(self, place: int) -> str:
        """An element; empty where it is left away."""
        return self.elements[place] if place < len(self.elements) else ""

    def need(self, place: int) -> str:
        """An element that must be there."""
        found = self.get(place)
        return found or self.damaged(f"element {place} is empty")

    def split(self, place: int) -> list[str]:
        """The parts of an element."""
        return self.get(place).split(self.parts)

    def part(self, place: int, at: int) -> str:
        """A part of an element, from 1; empty where it is left away."""
        found = self.split(place)
        return found[at - 1] if at <= len(found) else ""

    def damaged(self, text: str) -> NoReturn:
        """FhirError that says where."""
        name = self.name if _NAME.fullmatch(self.name) else "without a name"
        where = f"Segment {self.number} ({name}) at character {self.position}: {text}"
        raise FhirError.of(Category.INCORRECT, "structure", where)

    def whole(self, place: int) -> int:
        """A whole number."""
        found = self.need(place)
        return int(found) if found.isdigit() and found.isascii() else self.damaged(f"element {place} is no number")

    def decimal(self, place: int) -> Decimal:
        """A number."""
        return self.exact(self.need(place), place)

    def exact(self, text: str, place: int) -> Decimal:
        """A number in a part of an element."""
        if not _AMOUNT.fullmatch(text):
            self.damaged(f"element {place} is no number")
        return Decimal(text)

    def day(self, text: str, place: int) -> str:
        """CCYYMMDD as a FHIR date."""
        return _day(text) or self.damaged(f"element {place} is no date")

    def days(self, place: int, kind: str) -> tuple[str, str | None]:
        """The first and the last day of D8, RD8 or DT; None for the last where there is one only."""
        text = self.need(place)
        if kind == "RD8":
            first, _, last = text.partition("-")
            return self.day(first, place), self.day(last, place)
        if kind not in ("D8", "DT"):
            self.damaged("the form of the date is not known")
        return self.day(text[:8] if kind == "DT" else text, place), None


@lru_cache(maxsize=16_384)
def _day(text: str) -> str:
    """CCYYMMDD as a FHIR date; empty where it is none."""
    if len(text) != 8 or not text.isdigit():
        return ""
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:])).isoformat()
    except ValueError:
        return ""


class Transaction(NamedTuple):
    """One transaction set: its number (837, 835 …), its guide and the segments from ST to SE."""

    number: str
    guide: str
    segments: list[Segment]


def transactions(data: bytes) -> Iterator[Transaction]:
    """The transaction sets of a file; FhirError for a file that is too big or damaged, before the first is given.

    Checked are the delimiters, every count and control number, and that envelopes open and close in order.
    """
    if len(data) > MAX_BYTES:
        text = f"An interchange has at most {MAX_BYTES >> 20} MiB: part it"
        raise FhirError.of(Category.INCORRECT, "too-costly", text)
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        where = f"Character {error.start} is outside the character set of X12"
        raise FhirError.of(Category.INCORRECT, "structure", where) from None
    for _ in _enveloped(text, keep=False):
        pass
    return _enveloped(text, keep=True)


def segments(text: str) -> Iterator[Segment]:
    """The segments; each ISA sets the delimiters of what follows."""
    position, number, end = 0, 0, len(text)
    element = part = repeat = terminator = ""
    while position < end:
        if text[position] in "\r\n" and number:
            position += 1
            continue
        if not number or (text.startswith("ISA", position) and text[position + 3 : position + 4] == element):
            element, part, repeat, terminator = _delimiters(text, position, number + 1)
        stop = text.find(terminator, position)
        number += 1
        if stop < 0 or stop - position > MAX_SEGMENT:
            name = text[position : position + 3].split(element)[0]
            Segment(number, position, [name], part, repeat).damaged("it does not end")
        yield Segment(number, position, text[position:stop].split(element), part, repeat)
        position = stop + 1


def _delimiters(text: str, at: int, number: int) -> tuple[str, str, str, str]:
    isa = text[at : at + ISA_LENGTH]
    here = Segment(number, at, ["ISA"], ":", "^")
    if not isa.startswith("ISA") or len(isa) < ISA_LENGTH:
        here.damaged("an interchange begins with an ISA segment of 106 characters")
    found = isa[3], isa[104], isa[82], isa[105]
    if isa.count(found[0]) != 16 or len(set(found)) < 4 or any(c.isalnum() or c == " " for c in found):
        here.damaged("the delimiters are not four different signs, or the elements do not have their lengths")
    return found


def _enveloped(text: str, keep: bool) -> Iterator[Transaction]:
    isa = gs = st = None
    groups = sets = count = 0
    kept: list[Segment] = []
    for segment in segments(text):
        name = segment.elements[0]
        count += 1
        if st is not None and name not in ("SE", "ST", "GS", "GE", "ISA", "IEA"):
            if not _NAME.fullmatch(name):
                segment.damaged("this is no segment")
            if count > MAX_IN_TRANSACTION:
                segment.damaged(f"a transaction set has more than {MAX_IN_TRANSACTION:,} segments: part it")
            if keep:
                kept.append(segment)
        elif name == "ISA" and isa is None:
            isa, groups = segment, 0
        elif name == "GS" and isa is not None and gs is None:
            gs, sets = segment, 0
        elif name == "ST" and gs is not None and st is None:
            st, count, kept = segment, 1, [segment]
        elif name == "SE" and st is not None and gs is not None:
            _counted(segment, count, st.get(2), "SE01 does not count the segments, or SE02 is not ST02")
            if keep:
                yield Transaction(st.get(1), gs.get(8), [*kept, segment])
            st, sets = None, sets + 1
        elif name == "GE" and gs is not None and st is None:
            _counted(segment, sets, gs.get(6), "GE01 does not count the transaction sets, or GE02 is not GS06")
            gs, groups = None, groups + 1
        elif name == "IEA" and isa is not None and gs is None:
            _counted(segment, groups, isa.get(13), "IEA01 does not count the groups, or IEA02 is not ISA13")
            isa = None
        else:
            segment.damaged("an envelope opens or closes in the wrong place")
    if isa is not None or not text:
        where = "The interchange does not end: IEA is missing" if text else "The file is empty"
        raise FhirError.of(Category.INCORRECT, "structure", where)


def _counted(segment: Segment, count: int, control: str, text: str) -> None:
    if segment.whole(1) != count or segment.get(2) != control:
        segment.damaged(text)
