"""Read an X12 claim acknowledgement 277CA (005010X214): what became of each claim at the door of the payer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from claims.x12.segments import Segment, transactions
from fhir_profiles.errors import Category, FhirError

_ACCEPTED = frozenset({"A0", "A1", "A2", "A5"})
_NAMES = frozenset(["BHT", "HL", "NM1", "TRN", "STC", "REF", "DTP", "QTY", "AMT", "SVC", "PER"])
_LEVELS = frozenset({"20", "21", "19", "PT"})


@dataclass(frozen=True, slots=True)
class Status:
    """A status: category and code of the lists of X12, and whom it is about."""

    category: str
    code: str
    entity: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether the category says that the claim goes on."""
        return self.category in _ACCEPTED


@dataclass(slots=True)
class ClaimOutcome:
    """One claim: its number at the submitter and at the payer, and every status; `lines` by the number of a line."""

    control: str
    payer_control: str | None = None
    day: str | None = None
    amount: Decimal | None = None
    statuses: list[Status] = field(default_factory=list)
    lines: dict[str, list[Status]] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        """Whether the claim goes on; one without any status does not."""
        return bool(self.statuses) and all(status.accepted for status in self.statuses)


def read_277ca(data: bytes) -> Iterator[ClaimOutcome]:
    """The claims of a file; FhirError with segment and position where it is damaged or no 277CA of version 5010."""
    for transaction in transactions(data):
        if transaction.number != "277" or not transaction.guide.startswith("005010X214"):
            text = "Only a 277CA (005010X214) is read as an acknowledgement of claims"
            raise FhirError.of(Category.UNSUPPORTED, "not-supported", text)
        yield from _outcomes(transaction.segments[1:-1])


def _outcomes(segments: list[Segment]) -> Iterator[ClaimOutcome]:
    level = ""
    outcome: ClaimOutcome | None = None
    line: list[Status] | None = None
    for segment in segments:
        name = segment.name
        if name not in _NAMES:
            segment.damaged("a 277CA has no such segment")
        if name == "HL":
            if outcome is not None:
                yield outcome
            level, outcome, line = segment.need(3), None, None
            if level not in _LEVELS:
                segment.damaged("the level is not known")
        elif name == "TRN" and level == "PT":
            if outcome is not None:
                yield outcome
            outcome, line = ClaimOutcome(segment.need(2)), None
        elif outcome is None:
            if level == "PT" and name in ("STC", "SVC"):
                segment.damaged("the number of the claim does not stand before it")
        elif name == "STC":
            found = [_status(segment, place) for place in (1, 10, 11) if segment.get(place)]
            (outcome.statuses if line is None else line).extend(found)
            if line is None:
                outcome.day = segment.day(segment.get(2), 2) if segment.get(2) else outcome.day
                outcome.amount = segment.decimal(4) if segment.get(4) else outcome.amount
        elif name == "SVC":
            line = outcome.lines.setdefault(str(len(outcome.lines) + 1), [])
        elif name == "REF" and segment.get(1) == "1K":
            outcome.payer_control = segment.need(2)
        elif name == "REF" and segment.get(1) == "FJ" and line is not None:
            outcome.lines = {(segment.need(2) if v is line else k): v for k, v in outcome.lines.items()}
    if outcome is not None:
        yield outcome


def _status(segment: Segment, place: int) -> Status:
    category, code = segment.part(place, 1), segment.part(place, 2)
    if not category or not code:
        segment.damaged(f"element {place} is no status")
    return Status(category, code, segment.part(place, 3) or None)
