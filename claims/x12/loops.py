"""The segments of an 837 as the tree of loops that they mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from claims.x12.segments import Segment, Transaction


@dataclass(slots=True)
class Loop:
    """A segment that opens, those that belong to it, and the loops below by kind."""

    head: Segment
    segments: list[Segment] = field(default_factory=list)
    parties: list[Loop] = field(default_factory=list)
    others: list[Loop] = field(default_factory=list)
    lines: list[Loop] = field(default_factory=list)

    def first(self, name: str, qualifier: str | None = None) -> Segment | None:
        """The first segment of a name, with a qualifier in its first element."""
        for one in self.segments:
            elements = one.elements
            if elements[0] == name and (qualifier is None or (len(elements) > 1 and elements[1] == qualifier)):
                return one
        return None

    def all(self, name: str) -> Iterator[Segment]:
        """The segments of a name."""
        return (one for one in self.segments if one.elements[0] == name)

    def party(self, *entities: str) -> Loop | None:
        """The first of those named with one of these roles."""
        for one in self.parties:
            if one.head.get(1) in entities:
                return one
        return None


@dataclass(slots=True)
class Levels:
    """Above a claim: the transaction, who bills, who is insured, who is ill (None where that is who is insured)."""

    header: Loop
    billing: Loop
    subscriber: Loop
    patient: Loop | None


_BELOW = {
    "header": frozenset(["BHT", "REF"]),
    "HL": frozenset(["PRV", "CUR", "SBR", "PAT"]),
    "NM1": frozenset(["N3", "N4", "REF", "PER", "DMG", "PRV", "DTP"]),
    "CLM": frozenset(
        [
            "DTP",
            "CL1",
            "PWK",
            "CN1",
            "AMT",
            "REF",
            "K3",
            "NTE",
            "CR1",
            "CR2",
            "CR3",
            "CR5",
            "CR6",
            "CR8",
            "CRC",
            "HI",
            "HCP",
            "QTY",
        ]
    ),
    "SBR": frozenset(["CAS", "AMT", "OI", "MIA", "MOA"]),
    "LX": frozenset(
        [
            "SV1",
            "SV2",
            "SV5",
            "PWK",
            "CR1",
            "CR3",
            "CR5",
            "CRC",
            "DTP",
            "QTY",
            "MEA",
            "CN1",
            "REF",
            "AMT",
            "K3",
            "NTE",
            "PS1",
            "HCP",
            "LIN",
            "CTP",
            "FRM",
            "LQ",
        ]
    ),
    "SVD": frozenset(["CAS", "DTP", "AMT", "FRM", "LQ"]),
}
"""What may follow the segment that opens a loop."""

_ABOVE = {"20": "", "22": "20", "23": "22"}


def claims_of(transaction: Transaction) -> Iterator[tuple[Levels, Loop]]:
    """Each claim with what stands above it; FhirError where a segment stands in the wrong place."""
    header = Loop(transaction.segments[0])
    reading = _Reading(header)
    for segment in transaction.segments[1:-1]:
        done = reading.take(segment)
        if done is not None:
            yield done
    done = reading.finished()
    if done is not None:
        yield done


class _Reading:
    def __init__(self, header: Loop) -> None:
        self.header = header
        self.levels: dict[str, tuple[str, Loop]] = {}
        self.open: dict[str, Loop] = {}
        self.claim: Loop | None = None
        self.owner: Loop = header  # of the parties that follow
        self.at: Loop = header
        self.kind = "header"

    def take(self, segment: Segment) -> tuple[Levels, Loop] | None:
        """The next segment; the claim before when it begins another."""
        name, done = segment.elements[0], None
        if name == "HL":
            done = self.finished()
            self._level(segment)
        elif name == "CLM":
            done = self.finished()
            if "22" not in self.open:
                segment.damaged("a claim stands below nobody who is insured")
            self._begin(segment, "CLM")
            self.claim = self.owner = self.at
        elif name == "NM1":
            self._begin(segment, "NM1")
            self.owner.parties.append(self.at)
        elif name == "LX" or (name == "SBR" and self.claim is not None):
            if self.claim is None:
                segment.damaged("it stands below no claim")
            self._begin(segment, name)
            self.owner = self.at
            (self.claim.lines if name == "LX" else self.claim.others).append(self.at)
        elif name == "SVD":
            if self.claim is None or self.owner.head.name != "LX":
                segment.damaged("it stands below no line")
            self._begin(segment, "SVD")
            self.owner.others.append(self.at)
        elif name in _BELOW[self.kind]:
            self.at.segments.append(segment)
        else:
            segment.damaged("it stands in the wrong place, or an 837 has no such segment")
        return done

    def _begin(self, segment: Segment, kind: str) -> None:
        self.at, self.kind = Loop(segment), kind

    def _level(self, segment: Segment) -> None:
        level, parent = segment.get(3), segment.get(2)
        number = str(len(self.levels) + 1)
        if segment.get(1) != number or level not in _ABOVE:
            segment.damaged("the levels are not counted from 1, or a level is not known")
        above = self.levels.get(parent)
        if _ABOVE[level] != (above[0] if above else ""):
            segment.damaged("HL02 names no level that may stand above this one")
        self._begin(segment, "HL")
        self.owner, self.claim = self.at, None
        self.levels[number] = level, self.at
        for below in ("20", "22", "23"):
            if below >= level:
                self.open.pop(below, None)
        self.open[level] = self.at
        if above is not None and self.open.get(above[0]) is not above[1]:
            segment.damaged("HL02 names a level that is closed")

    def finished(self) -> tuple[Levels, Loop] | None:
        """The claim that is complete."""
        claim, self.claim = self.claim, None
        if claim is None:
            return None
        return Levels(self.header, self.open["20"], self.open["22"], self.open.get("23")), claim
