"""A frozen dataset of coders' decisions: which document, which codes, decided when, and by a hash whose it is.

Texts stay where they are: a document that is deleted is learned from no more. Datasheet: https://arxiv.org/abs/1803.09010
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from extractors.learn import Row
from extractors.learn.corpus import Marked
from extractors.model import Span
from server.figures.model import seconds_of
from server.learning.decisions import Whole

AGES = ((18, "0–17"), (45, "18–44"), (65, "45–64"), (80, "65–79"), (999, "80 and over"))
UNKNOWN = "unknown"
LATE = 0.7
"""Share of the documents, the oldest first, that lie before the day that parts training from measuring."""
HELD = 3
"""One patient of so many is measured with where documents lie on both sides of that day."""
_YEAR = 365.2425 * 86_400


class Case(msgspec.Struct, frozen=True):
    """A document that was decided on whole. `at` is the last decision; `lineage` are hashes of the Provenances."""

    document: str
    print: str
    """SHA-256 of the text that was coded."""
    at: str
    patient: str
    age: str
    sex: str
    marks: list[tuple[str, list[Span]]]
    kinds: dict[str, int]
    lineage: list[str]

    def row(self, text: str) -> Row:
        """The document to learn from, or to measure with."""
        marks = tuple(Marked(code, tuple(spans)) for code, spans in self.marks)
        return Row(self.document, "", text, frozenset(code for code, _ in self.marks), marks)


class Frozen(msgspec.Struct, frozen=True):
    """The dataset of a run: the same decisions give the same bytes, and so the same hash."""

    cutoff: str
    """The last decision in it."""
    cases: list[Case]
    unfinished: int = 0
    unreadable: int = 0

    def packed(self) -> bytes:
        """As it is kept."""
        return msgspec.json.encode(self)

    @property
    def hash(self) -> str:
        """SHA-256 of its bytes."""
        return hashlib.sha256(self.packed()).hexdigest()


def unpacked(data: bytes) -> Frozen:
    """A dataset from its bytes."""
    return msgspec.json.decode(data, type=Frozen)


class Split(NamedTuple):
    """What is learned from, and what is measured with: later decisions about other patients."""

    train: list[Case]
    held: list[Case]
    day: str
    """The decision that parts them."""
    left: int
    """Documents on the wrong side of it for their patient."""


def split(frozen: Frozen) -> Split:
    """Training before, measuring after: no patient is on both sides, and nothing that is measured was known before."""
    cases = sorted(frozen.cases, key=lambda case: (case.at, case.document))
    cut = int(len(cases) * LATE)
    early, late = cases[:cut], cases[cut:]
    both = {case.patient for case in early} & {case.patient for case in late}
    held = {patient for patient in both if int(patient[:8], 16) % HELD == 0}
    train = [case for case in early if case.patient not in held]
    after = [case for case in late if case.patient not in both or case.patient in held]
    return Split(train, after, late[0].at if late else "", len(cases) - len(train) - len(after))


def freeze(
    wholes: Iterable[Whole],
    unfinished: int,
    text_of: Callable[[str], str | None],
    people: Callable[[str], Mapping[str, Any] | None],
    secret: bytes,
) -> Frozen:
    """The dataset of documents that were decided on whole; `people` gives a Patient, `secret` keys the hashes."""
    cases, gone = [], 0
    for one in wholes:
        text = text_of(one.document)
        if text is None:
            gone += 1
            continue
        at = max(verdict.at for _, _, verdict in one.items)
        patient = people(one.subject) if one.subject else None
        kinds: dict[str, int] = {}
        for _, _, verdict in one.items:
            kinds[verdict.kind] = kinds.get(verdict.kind, 0) + 1
        cases.append(
            Case(
                one.document, print_of(text), at, named(one.subject or one.document, secret),
                age_of(patient, at), str((patient or {}).get("gender") or UNKNOWN),
                sorted((code, list(spans)) for code, spans in one.kept()), dict(sorted(kinds.items())),
                sorted({named(verdict.by, secret) for _, _, verdict in one.items}),
            )
        )  # fmt: skip
    cases.sort(key=lambda case: (case.at, case.document))
    return Frozen(cases[-1].at if cases else "", cases, unfinished, gone)


def named(reference: str, secret: bytes) -> str:
    """A hash in place of a reference: the same for the same one on this server, and for nobody else to find out."""
    return hashlib.blake2b(reference.encode(), key=secret[:64], digest_size=16).hexdigest()


def print_of(text: str) -> str:
    """The SHA-256 of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def age_of(patient: Mapping[str, Any] | None, at: str) -> str:
    """The band of a patient's age on a day."""
    born, then = seconds_of(str((patient or {}).get("birthDate") or "")), seconds_of(at)
    if born is None or then is None or then < born:
        return UNKNOWN
    return next(band for most, band in AGES if (then - born) / _YEAR < most)


def counts_of(frozen: Frozen) -> dict[str, Any]:
    """What a model card tells of a dataset: numbers and days, nobody and no word."""
    parts = split(frozen)
    kinds: dict[str, int] = {}
    for case in frozen.cases:
        for kind, count in case.kinds.items():
            kinds[kind] = kinds.get(kind, 0) + count
    return {
        "hash": frozen.hash,
        "cutoff": frozen.cutoff,
        "documents": len(frozen.cases),
        "patients": len({case.patient for case in frozen.cases}),
        "decisions": dict(sorted(kinds.items())),
        "codes": sum(len(case.marks) for case in frozen.cases),
        "age": _shares(frozen.cases, "age"),
        "sex": _shares(frozen.cases, "sex"),
        "first": frozen.cases[0].at if frozen.cases else "",
        "train": len(parts.train),
        "held_back": len(parts.held),
        "parted_at": parts.day,
        "left_out": {"undecided": frozen.unfinished, "unreadable": frozen.unreadable, "patient": parts.left},
        "lineage": hashlib.sha256("".join(sorted(x for c in frozen.cases for x in c.lineage)).encode()).hexdigest(),
    }


def _shares(cases: Sequence[Case], by: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for case in cases:
        group = str(getattr(case, by))
        found[group] = found.get(group, 0) + 1
    return dict(sorted(found.items()))
