"""What a coder sees of a document and decides about it, as frozen records (https://hl7.org/fhir/R4/provenance.html).

A suggestion is named by the reference of its resource, `Condition/ID` or `Procedure/ID`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Kind = Literal["diagnosis", "service"]
State = Literal["suggested", "accepted", "rejected", "replaced", "added"]
DecisionKind = Literal[
    "accept", "reject", "replace", "add", "undo", "reorder", "principal", "present-on-admission",
    "modifiers", "units", "pointers", "finish",
]  # fmt: skip
Severity = Literal["hard", "soft", "told"]


@dataclass(frozen=True, slots=True)
class Place:
    """Words of the document: characters of its text, and the box around one printed line of them.

    The sides are fractions of the page as a reader sees it, from the top left; `page` is None for a document without
    pages.
    """

    offset: int
    length: int
    page: int | None = None
    left: float = 0.0
    top: float = 0.0
    width: float = 0.0
    height: float = 0.0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Alternative:
    """A code that was considered and is not among the results; `status` is rejected or suggested."""

    system: str
    code: str
    display: str
    edition: str
    status: str
    confidence: float
    reason: str
    rule: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Gap:
    """What the text would have to say before a code could be chosen."""

    question: str  # its id
    asks: str
    cites: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Hint:
    """What a more specific code would need; `codes` are (code, display) of those that the terminology offers."""

    kind: Literal["header", "seventh", "laterality", "unspecified"]
    text: str
    codes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as it was recorded; `who` is a reference or a name, `role` coder or auditor."""

    provenance: str  # Provenance/ID
    kind: str
    at: str
    who: str
    role: str
    reason: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A diagnosis or service that the machine or a coder put forward.

    `machine` is the (system, code, display) that stood before a coder replaced it. `position` is its place on the claim
    from 1, None when it is not on it; the last five say what the claim tells of it.
    """

    reference: str
    version: str
    kind: Kind
    system: str
    code: str
    display: str
    edition: str
    confidence: float | None  # None: a person's code
    band: str  # sure, likely or doubtful; "" for a person's code
    state: State
    words: str
    reason: str
    rule: str = ""
    section: str = ""
    triggers: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    considered: tuple[Alternative, ...] = ()
    hints: tuple[Hint, ...] = ()
    machine: tuple[str, str, str] | None = None
    proposed: bool = True  # the machine put it on the claim by itself
    doubtful: bool = False
    decided: Decided | None = None
    position: int | None = None
    principal: bool = False
    present_on_admission: str = ""
    modifiers: tuple[str, ...] = ()
    units: str = ""
    pointers: tuple[str, ...] = ()  # references of the diagnoses that the line is for

    @property
    def stands(self) -> bool:
        """True when it belongs on the claim, as far as it is decided."""
        return self.state in ("accepted", "replaced", "added") or (self.state == "suggested" and self.proposed)


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A value that was hard to read, to be compared with the page."""

    reference: str
    version: str
    type: str
    label: str
    value: str
    reason: str
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Review:
    """A document as its coder sees it. `resources` are those it was gathered from, by `Type/ID`."""

    document: str  # DocumentReference/ID
    diagnoses: tuple[Suggestion, ...] = ()
    services: tuple[Suggestion, ...] = ()
    claim: str | None = None  # Claim/ID
    doubtful: tuple[Doubtful, ...] = ()
    gaps: tuple[Gap, ...] = ()
    considered: tuple[Alternative, ...] = ()
    decisions: tuple[Decided, ...] = ()  # oldest first
    resources: Mapping[str, Json] = field(default_factory=dict, repr=False)

    @property
    def suggestions(self) -> tuple[Suggestion, ...]:
        """All of them, diagnoses first."""
        return self.diagnoses + self.services

    def find(self, reference: str) -> Suggestion | None:
        """The suggestion of this reference."""
        return next((one for one in self.suggestions if one.reference == reference), None)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decides; `at` is the instant.

    | kind | needs |
    |---|---|
    | accept | about |
    | reject | about, reason (a code of `rejection-reason`), note with `other` |
    | replace | about, system, code |
    | add | system, code; places where words say it |
    | undo | about: the Provenance of the decision; undo of an undo does it again |
    | reorder | order: every diagnosis on the claim |
    | principal | about |
    | present-on-admission | about, value: y, n, u or w; empty takes it away |
    | modifiers | about, values |
    | units | about, value |
    | pointers | about, order: diagnoses on the claim, at most four |
    | finish | nothing |
    """

    kind: DecisionKind
    at: str
    about: str = ""
    reason: str = ""
    note: str = ""
    system: str = ""
    code: str = ""
    places: tuple[Place, ...] = ()
    order: tuple[str, ...] = ()
    value: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stop:
    """What stands in the way of finishing (hard), what a coder should look at (soft), or what was not checked (told).

    `leads` is the suggestion, or the Claim, that it is about; `field` the element there, as FHIRPath.
    """

    severity: Severity
    code: str
    text: str
    leads: str = ""
    field: str = ""
