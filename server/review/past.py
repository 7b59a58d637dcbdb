"""What was decided about a document so far: which decisions count, and which of them may be undone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from server.review.model import Decided, DecisionKind
from server.review.read import CODED, decided_of, formers_of, kind_of, reference_of, targets_of, undone_by

KINDS = frozenset(get_args(DecisionKind))
"""What `decide` decides; other activities of people, such as correcting words, are told and not undone here."""

SECOND_LOOK = "second-look"
"""The activity of an opinion of a second look (`server.review.second`): it is no decision."""

STATED = frozenset({"accept", "reject", "replace", "add"})
"""Decisions about a suggestion itself; the others are about its place on the claim."""


@dataclass(frozen=True, slots=True)
class Past:
    """Every decision, oldest first; those that count about each suggestion; and the Provenances that do not."""

    decisions: tuple[Decided, ...]
    decided: Mapping[str, Decided]
    void: frozenset[str]


def in_order(resources: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The Provenances of coders' decisions, oldest first."""
    found = [
        one for one in resources if one["resourceType"] == "Provenance" and kind_of(one) not in (None, SECOND_LOOK)
    ]
    return sorted(found, key=lambda one: (str(one.get("recorded", "")), (one.get("meta") or {}).get("lastUpdated", "")))


def deciders_of(resources: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Those who decided, as their decisions name them: names and references."""
    told = in_order(resources)
    people = [one.get("who") or {} for provenance in told for one in provenance.get("agent") or ()]
    return frozenset({one.who for one in map(decided_of, told) if one} | {str(p.get("reference", "")) for p in people})


def void_of(provenances: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """Those that were undone, oldest first given: an undo that was undone itself undoes nothing."""
    void: set[str] = set()
    for one in reversed(provenances):
        if (undone := undone_by(one)) and reference_of(one) not in void:
            void.add(undone)
    return frozenset(void)


def past_of(resources: Iterable[Mapping[str, Any]]) -> Past:
    """What was decided, from the Provenances among the resources."""
    provenances = in_order(resources)
    void = void_of(provenances)
    every: list[Decided] = []
    decided: dict[str, Decided] = {}
    for provenance in provenances:
        one = decided_of(provenance)
        if one is None:
            continue
        every.append(one)
        if one.kind in STATED and one.provenance not in void:
            decided |= dict.fromkeys((t for t in targets_of(provenance) if t.partition("/")[0] in CODED), one)
    return Past(tuple(every), decided, void)


def undoable(resources: Iterable[Mapping[str, Any]], provenance: str) -> bool:
    """Whether nothing that came after a decision rests on it.

    A later decision about the same resources stands in its way, unless it was undone: then the two cancel out.
    """
    provenances = in_order(resources)
    names = [reference_of(one) for one in provenances]
    if provenance not in names or provenance in void_of(provenances):
        return False
    at = names.index(provenance)
    touched = _touched(provenances[at])
    later = {n: one for n, one in zip(names[at + 1 :], provenances[at + 1 :], strict=True) if touched & _touched(one)}
    while pair := next(((n, of) for n, one in later.items() if (of := undone_by(one)) in later), None):
        later = {name: one for name, one in later.items() if name not in pair}
    return not later


def last_decision(resources: Iterable[Mapping[str, Any]]) -> str | None:
    """The newest decision that counts and that undo would take back, as Provenance/ID."""
    provenances = in_order(resources)
    void = void_of(provenances)
    mine = (one for one in reversed(provenances) if kind_of(one) in KINDS - {"undo"})
    return next((n for one in mine if (n := reference_of(one)) not in void), None)


def last_undo(resources: Iterable[Mapping[str, Any]]) -> str | None:
    """The undo to be undone, so that what it took back stands again; None where something was decided since."""
    provenances = in_order(resources)
    void = void_of(provenances)
    kinds = {reference_of(one): kind_of(one) for one in provenances}
    undos = (n for one in reversed(provenances) if (of := undone_by(one)) and kinds.get(of) != "undo"
             and (n := reference_of(one)) not in void)  # fmt: skip
    newest = next(undos, None)
    return newest if newest and undoable(provenances, newest) else None


def _touched(provenance: Mapping[str, Any]) -> set[str]:
    formers = {former.partition("/_history")[0] for former in formers_of(provenance)}
    return formers | set(targets_of(provenance))
