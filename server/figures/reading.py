"""From stored resources to the rows of figures: only what counts is decoded, nothing of the patient.

https://hl7.org/fhir/R4/task.html, https://hl7.org/fhir/R4/provenance.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from fhir_profiles.systems import (
    CODING_BASIS,
    CODING_DECISION,
    CODING_REPLACED,
    CONFIDENCE,
    DERIVATION_REFERENCE,
    ISSUE_TYPE,
    PAGE_READING,
    STAGE_SECONDS,
    TASK_STAGE,
    WORK_STATE,
)
from server.figures.families import UNKNOWN
from server.figures.model import seconds_of
from server.figures.rows import KINDS, Decided, Due, Look, Review, Work

_STATES = {
    "requested": "waiting", "in-progress": "running", "completed": "coded", "failed": "failed",
    "cancelled": "cancelled",
}  # fmt: skip
_FIRST = "/1"
"""How the number of a run ends that is the first of its version."""
_RULE = re.compile(r"\(([a-z][a-z0-9]*(?:-[a-z0-9]+)*); ")
_PRINTED = "Printed on the page"
CODED = ("Condition/", "Procedure/")
WORDS, PRINTED, CODER = "words of the text", "printed code", "coder"


class _Part(msgspec.Struct, rename="camel", gc=False):
    """A part of a stored resource."""


class _Coding(_Part):
    system: str = ""
    code: str = ""
    extension: list[_Extension] = []


class _Concept(_Part):
    coding: list[_Coding] = []
    text: str = ""


class _Reference(_Part):
    reference: str = ""
    display: str = ""


class _Period(_Part):
    start: str | None = None
    end: str | None = None


class _Extension(_Part):
    url: str = ""
    value_decimal: float | None = None
    value_unsigned_int: int | None = None
    value_instant: str | None = None
    value_string: str | None = None
    value_coding: _Coding | None = None
    value_reference: _Reference | None = None
    extension: list[_Extension] = []


class _Identifier(_Part):
    value: str = ""


class _Restriction(_Part):
    period: _Period = msgspec.field(default_factory=_Period)


class _Task(_Part):
    id: str = ""
    status: str = ""
    identifier: list[_Identifier] = []
    extension: list[_Extension] = []
    business_status: _Concept = msgspec.field(default_factory=_Concept)
    status_reason: _Concept = msgspec.field(default_factory=_Concept)
    owner: _Reference = msgspec.field(default_factory=_Reference)
    authored_on: str | None = None
    last_modified: str | None = None
    execution_period: _Period = msgspec.field(default_factory=_Period)
    restriction: _Restriction = msgspec.field(default_factory=_Restriction)


class _Agent(_Part):
    who: _Reference = msgspec.field(default_factory=_Reference)


class _Entity(_Part):
    role: str = ""
    what: _Reference = msgspec.field(default_factory=_Reference)


class _Provenance(_Part):
    id: str = ""
    recorded: str = ""
    activity: _Concept = msgspec.field(default_factory=_Concept)
    target: list[_Reference] = []
    agent: list[_Agent] = []
    entity: list[_Entity] = []


class _Note(_Part):
    text: str = ""


class Suggested(_Part):
    """A Condition or Procedure as far as a figure asks for it."""

    id: str = ""
    code: _Concept = msgspec.field(default_factory=_Concept)
    note: list[_Note] = []

    def coding(self) -> _Coding:
        """The coding that was suggested: the one that a coder replaced, the one with a confidence, else the first."""
        for one in self.code.coding:
            for extension in one.extension:
                if extension.url == CODING_REPLACED and extension.value_coding is not None:
                    return extension.value_coding
        sure = (one for one in self.code.coding if any(e.url == CONFIDENCE for e in one.extension))
        return next(sure, self.code.coding[0] if self.code.coding else _Coding())

    def confidence(self) -> float | None:
        """How sure the suggestion was, 0 to 1; None where nothing says so."""
        return next((e.value_decimal for c in self.code.coding for e in c.extension if e.url == CONFIDENCE), None)

    def proposer(self) -> str:
        """Who suggested it: the rule, a code on the page, or the words alone."""
        if rule := self._basis("rule"):
            return rule
        text = " ".join(note.text for note in self.note)
        if rules := _RULE.findall(text):
            return str(rules[-1])
        return PRINTED if _PRINTED in text else WORDS

    def section(self) -> str:
        """The section of the note that its words stand in; empty where none is told."""
        return self._basis("section")

    def document(self) -> str:
        """The document (`Type/id`) that its words stand in; empty where none is told."""
        extensions = (e for c in self.code.coding for e in c.extension if e.url == DERIVATION_REFERENCE)
        places = (p.value_reference.reference for e in extensions for p in e.extension if p.value_reference)
        return next(places, "").partition("/_history")[0]

    def _basis(self, name: str) -> str:
        bases = (e for c in self.code.coding for e in c.extension if e.url == CODING_BASIS)
        return next((p.value_string for e in bases for p in e.extension if p.url == name and p.value_string), "")


_task = msgspec.json.Decoder(_Task)
_provenance = msgspec.json.Decoder(_Provenance)
suggested_in = msgspec.json.Decoder(Suggested).decode


def read_work(body: bytes) -> Work:
    """The coding of a document from its Task."""
    task = _task.decode(body)
    period = task.execution_period
    ended = seconds_of(period.end) if task.status in ("completed", "failed", "cancelled") else None
    told = {part.url: part for part in _within(task.extension, STAGE_SECONDS)}
    first = any(one.value.endswith(_FIRST) for one in task.identifier)
    asked = seconds_of(told["asked"].value_instant if "asked" in told else task.authored_on if first else None)
    spent = {name: part.value_decimal for name, part in told.items() if part.value_decimal is not None}
    if asked is not None and ended is not None and task.status == "completed":
        spent["whole"] = max(0.0, ended - asked)
    sure = {part.url: part for part in _within(task.extension, PAGE_READING)}
    return Work(
        f"Task/{task.id}",
        _STATES.get(task.status, "waiting"),
        _code(task.status_reason, TASK_STAGE) or _code(task.business_status, TASK_STAGE) or UNKNOWN,
        _code(task.status_reason, ISSUE_TYPE) or UNKNOWN,
        asked,
        ended,
        spent,
        sure["confidence"].value_decimal if "confidence" in sure else None,
        (sure["pages"].value_unsigned_int or 0) if "pages" in sure else 0,
    )


def read_review(body: bytes) -> Review:
    """A coder's item of work from its Task; it begins with the coder's lock, or when it was made."""
    task = _task.decode(body)
    ended = task.execution_period.end or (task.last_modified if task.status == "completed" else None)
    begun = task.execution_period.start or task.authored_on
    owner = task.owner.reference or task.owner.display
    return Review(f"Task/{task.id}", task.status, owner, seconds_of(begun), seconds_of(ended))


def read_due(body: bytes) -> Due:
    """A claim that waits from its Task."""
    task = _task.decode(body)
    return Due(
        f"Task/{task.id}", _code(task.business_status, WORK_STATE) or UNKNOWN, seconds_of(task.restriction.period.end)
    )


class Decision(msgspec.Struct, frozen=True, gc=False):
    """A Provenance that is a coder's decision: what kind, when, by whom, about which resources (`Type/id`).

    `former` are the versions that it changed, `undoes` the Provenance of the decision that it took back.
    """

    reference: str
    kind: str
    at: float
    who: str
    targets: tuple[str, ...]
    former: tuple[str, ...] = ()
    undoes: str = ""


def stated(decisions: Iterable[Decision]) -> list[Decision]:
    """Those that state something of a suggestion and were not undone, the oldest first."""
    ordered = sorted(decisions, key=lambda one: one.at)
    void: set[str] = set()
    for one in reversed(ordered):  # an undo that was undone itself undoes nothing
        if one.undoes and one.reference not in void:
            void.add(one.undoes)
    return [one for one in ordered if one.kind in KINDS and one.reference not in void]


def counting(decisions: Iterable[Decision]) -> dict[str, Decision]:
    """The decision that counts of each suggestion: the last one."""
    return {target: one for one in stated(decisions) for target in one.targets}


def second_looks(decisions: Iterable[Decision]) -> list[Look]:
    """Suggestions on which two or more people decided: whether all of them, each at last, decided alike."""
    found: dict[str, dict[str, Decision]] = {}
    for one in stated(decisions):
        for target in one.targets:
            found.setdefault(target, {})[one.who] = one
    several = [list(by.values()) for by in found.values() if len(by) > 1]
    return [Look(tuple(some), len({one.kind for one in some}) == 1) for some in several]


def decided(target: str, by: Decision, about: Suggested | None, former: Suggested | None = None) -> Decided:
    """The row of a decision; of a suggestion that the caller may not see the code is not told.

    `former` is the suggestion as it stood before, for what the decision took away of it.
    """
    added = by.kind == "add"
    coding = about.coding() if about else _Coding()
    sure = (about.confidence() if about else None) or (former.confidence() if former else None)
    proposer = CODER if added else _proposer(about, former)
    code = (coding.system, coding.code)
    known = former or about
    place = (known.document(), known.section()) if known else ("", "")
    return Decided(by.reference, by.at, by.kind, by.who, target, *code, None if added else sure, proposer, *place)


def _proposer(about: Suggested | None, former: Suggested | None) -> str:
    known = former or about
    return known.proposer() if known else UNKNOWN


def read_decision(body: bytes) -> Decision | None:
    """The decision that a Provenance records; None where it records something else."""
    one = _provenance.decode(body)
    kind = _code(one.activity, CODING_DECISION)
    at = seconds_of(one.recorded)
    if not kind or at is None:
        return None
    targets = (target.reference.partition("/_history")[0] for target in one.target)
    about = tuple(name for name in targets if name.startswith(CODED))
    people = (agent.who for agent in one.agent if not agent.who.reference.startswith("#"))
    who = next((person.reference or person.display for person in people), "")
    former = tuple(e.what.reference for e in one.entity if e.role == "revision" and e.what.reference.startswith(CODED))
    undoes = next((e.what.reference.partition("/_history")[0] for e in one.entity if e.role == "removal"), "")
    return Decision(f"Provenance/{one.id}", kind, at, who or UNKNOWN, about, former, undoes)


def _within(extensions: list[_Extension], url: str) -> list[_Extension]:
    return next((one.extension for one in extensions if one.url == url), [])


def _code(concept: _Concept, system: str) -> str:
    return next((one.code for one in concept.coding if one.system == system), "")
