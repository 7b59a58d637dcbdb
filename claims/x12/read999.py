"""Read an X12 implementation acknowledgement 999 (005010X231): which transaction sets were taken in, and faults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from claims.x12.segments import Segment, transactions
from fhir_profiles.errors import Category, FhirError

_NAMES = frozenset(["AK1", "AK2", "IK3", "CTX", "IK4", "IK5", "AK9"])


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault: the segment, its place in the transaction set, its loop, the element and the code of what is wrong."""

    segment: str
    position: int
    loop: str | None
    code: str | None
    element: str | None = None


@dataclass(slots=True)
class TransactionOutcome:
    """One transaction set: its control number (ST02), the code of the outcome and its faults."""

    control: str
    code: str = ""
    faults: list[Fault] = field(default_factory=list)

    @property
    def accepted(self) -> bool:
        """Whether it was taken in, be it with faults."""
        return self.code in ("A", "E")


@dataclass(slots=True)
class GroupOutcome:
    """One functional group: its control number (GS06), the code of the outcome and its transaction sets."""

    control: str
    code: str = ""
    transactions: list[TransactionOutcome] = field(default_factory=list)

    @property
    def accepted(self) -> bool:
        """Whether anything of it was taken in."""
        return self.code in ("A", "E", "P")


def read_999(data: bytes) -> Iterator[GroupOutcome]:
    """The groups that a file answers; FhirError with segment and position where it is damaged or no 999."""
    for transaction in transactions(data):
        if transaction.number != "999" or not transaction.guide.startswith("005010X231"):
            raise FhirError.of(Category.UNSUPPORTED, "not-supported", "Only a 999 (005010X231) is read here")
        yield _group(transaction.segments)


def _group(segments: list[Segment]) -> GroupOutcome:
    group: GroupOutcome | None = None
    one: TransactionOutcome | None = None
    segment = segments[0]
    for segment in segments[1:-1]:
        name = segment.name
        if name not in _NAMES:
            segment.damaged("a 999 has no such segment")
        if name == "AK1" and group is None:
            group = GroupOutcome(segment.need(2))
            continue
        if group is None:
            segment.damaged("AK1 does not stand before it")
        if name == "AK2":
            one = TransactionOutcome(segment.need(2))
            group.transactions.append(one)
        elif name == "AK9":
            group.code = segment.need(1)
        elif one is None:
            segment.damaged("AK2 does not stand before it")
        elif name == "IK5":
            one.code = segment.need(1)
        elif name == "IK3":
            one.faults.append(Fault(segment.need(1), segment.whole(2), segment.get(3) or None, segment.get(4) or None))
        elif name == "IK4":
            _element(segment, one)
    if group is None or not group.code:
        segment.damaged("AK1 or AK9 is missing")
    return group


def _element(segment: Segment, one: TransactionOutcome) -> None:
    if not one.faults:
        segment.damaged("IK3 does not stand before it")
    last = one.faults[-1]
    found = Fault(last.segment, last.position, last.loop, segment.need(3), segment.need(1))
    if last.element is None and last.code in (None, "8"):
        one.faults[-1] = found
    else:
        one.faults.append(found)
