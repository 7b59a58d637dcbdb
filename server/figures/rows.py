"""The rows that figures are computed from: what of a resource counts, and nothing of the patient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from server.figures.model import Row

KINDS = ("accept", "reject", "replace", "add")
"""Decisions that state something of a suggestion; the others are about its place on the claim, or take one back."""


class Work(NamedTuple):
    """The coding of a document, by its Task (`reference`). Moments are seconds since 1970."""

    reference: str
    state: str  # waiting, running, coded, failed, cancelled
    stage: str  # where it stands, or stood when it failed
    cause: str  # issue type of a failure
    asked: float | None  # when the run was asked for
    ended: float | None
    seconds: Mapping[str, float]  # by stage; `received` is the wait for a worker
    confidence: float | None  # mean of the words that were read from images, 0 to 100
    pages: int


class Review(NamedTuple):
    """A coder's item of work, by its Task."""

    reference: str
    state: str  # status of the Task
    owner: str
    begun: float | None
    ended: float | None


class Decided(NamedTuple):
    """A coder's decision (`reference` is the Provenance) about a suggestion, as that was made."""

    reference: str
    at: float
    kind: str
    who: str
    target: str
    system: str
    code: str
    confidence: float | None
    proposer: str
    document: str = ""
    section: str = ""


class Look(NamedTuple):
    """A suggestion on which several people decided: the last decision of each, and whether they decided alike."""

    decisions: tuple[Row, ...]
    agreed: bool


class Paired(NamedTuple):
    """A code of a document that was coded twice, by the Task (`reference`) that tells of it.

    `side` is both, or who alone has it; `band` and `section` are the machine's, where one side is the machine.
    """

    reference: str
    side: str
    system: str
    code: str
    band: str = ""
    section: str = ""


class Twice(NamedTuple):
    """Documents that were coded twice within a period: by two people, and unaided beside the machine.

    `dollars` are (machine or coder, what fee schedules promise for that side's claim, a row of the Task).
    """

    looks: tuple[Paired, ...] = ()
    unaided: tuple[Paired, ...] = ()
    dollars: tuple[tuple[str, float, Paired], ...] = ()


NOTHING_TWICE = Twice()


class Edit(NamedTuple):
    """A rule that found an error in a claim, and the money of the line, or of the claim, that it is about."""

    rule: str
    dollars: float


class Scrubbed(NamedTuple):
    """The answer of our own edits to a claim, by its ClaimResponse. Money in dollars, None where it is not told."""

    reference: str
    claim: str
    at: float
    edits: tuple[Edit, ...]
    charged: float
    expected: float | None


class Adjusted(NamedTuple):
    """Money that a payer took off, and why: group and reason (CARC) of X12."""

    group: str
    reason: str
    dollars: float
    denied: bool


class Answered(NamedTuple):
    """A payer's decision about a claim."""

    reference: str
    claim: str
    at: float
    charged: float
    paid: float
    adjusted: tuple[Adjusted, ...]

    @property
    def denied(self) -> bool:
        """Whether something of it was denied."""
        return any(one.denied for one in self.adjusted)


class Due(NamedTuple):
    """A claim that waits for somebody, by its Task, and the last day on which a payer takes it."""

    reference: str
    state: str
    due: float | None
