"""What happened to a document: its timeline, and who has which codes (https://hl7.org/fhir/R4/provenance.html).

Three sets of codes are told apart: what the machine proposed, what stood after the coders, what stands after the
auditors.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from server.review.model import Review, Suggestion
from server.review.past import STATED, in_order, void_of
from server.review.read import (
    CODED,
    decided_of,
    formers_of,
    kind_of,
    reference_of,
    targets_of,
    undone_by,
    version_of,
)

SYSTEMS = frozenset(system for systems in CODED.values() for system in systems)
Key = tuple[str, str]
"""System and code."""
Party = Literal["machine", "coder", "auditor"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: a coding run or a decision. `about` are suggestions, `versions` what stood before.

    `void`: it was undone later. `software` is name and version of what coded, `source` the version that was read.
    """

    at: str
    kind: str  # run, or the kind of the decision
    provenance: str
    who: str
    role: str
    about: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    reason: str = ""
    note: str = ""
    undoes: str = ""
    void: bool = False
    source: str = ""
    editions: tuple[str, ...] = ()


def timeline(review: Review, runs: Iterable[Mapping[str, Any]] = ()) -> list[Event]:
    """Runs and decisions, oldest first.

    `runs` are the versions of the pipeline's Provenance (its history); the current one is known without.
    """
    provenances = in_order(review.resources.values())
    void = void_of(provenances)
    current = [one for one in review.resources.values() if _is_run(one)]
    every = {(reference_of(one), version_of(one)): one for one in [*current, *runs] if _is_run(one)}
    events = [_run(one) for one in every.values()]
    events += [_decision(one, void) for one in provenances]
    return sorted(events, key=lambda event: event.at)


def _is_run(resource: Mapping[str, Any]) -> bool:
    return resource["resourceType"] == "Provenance" and kind_of(resource) is None


def _run(provenance: Mapping[str, Any]) -> Event:
    """A coding run; it happened when its Provenance was stored."""
    devices = {one["id"]: one for one in provenance.get("contained") or ()}
    whats = [one.get("what") or {} for one in provenance.get("entity") or ()]
    read = (str(what.get("reference", "")) for what in whats)
    return Event(
        at=str((provenance.get("meta") or {}).get("lastUpdated") or provenance.get("recorded", "")),
        kind="run",
        provenance=reference_of(provenance),
        who=_software(devices.get("software", {})),
        role="machine",
        about=tuple(name for name in targets_of(provenance) if name.partition("/")[0] in CODED),
        note=str((provenance.get("activity") or {}).get("text", "")),
        source=next((one for one in read if one.startswith("DocumentReference/")), ""),
        editions=tuple(
            str(what["display"]) for what in whats if what.get("type") == "CodeSystem" and "display" in what
        ),
    )


def _software(device: Mapping[str, Any]) -> str:
    name = next((one["name"] for one in device.get("deviceName") or ()), "machine")
    return " ".join([name, *(one["value"] for one in device.get("version") or ())])


def _decision(provenance: Mapping[str, Any], void: Collection[str]) -> Event:
    decided = decided_of(provenance)
    if decided is None:
        raise ValueError("no decision is recorded here")
    versions = formers_of(provenance)
    whats = [str((one.get("what") or {}).get("reference", "")) for one in provenance.get("entity") or ()]
    named = [*targets_of(provenance), *(one.partition("/_history")[0] for one in whats)]
    return Event(
        at=decided.at,
        kind=decided.kind,
        provenance=decided.provenance,
        who=decided.who,
        role=decided.role,
        about=tuple(dict.fromkeys(name for name in named if name.partition("/")[0] in CODED)),
        versions=tuple(versions),
        reason=decided.reason,
        note=decided.note,
        undoes=undone_by(provenance) or "",
        void=decided.provenance in void,
    )


class Row(NamedTuple):
    """A suggestion and the code that each party has for it; None: not in that party's set."""

    reference: str
    machine: Key | None
    coder: Key | None
    auditor: Key | None

    @property
    def changed(self) -> bool:
        """Whether two parties differ."""
        return len({self.machine, self.coder, self.auditor}) > 1


@dataclass(frozen=True, slots=True)
class Sets:
    """The three sets of codes of a document, and the suggestion each code stands for."""

    rows: tuple[Row, ...]
    audited: bool  # whether an auditor decided anything

    def codes(self, party: Party) -> frozenset[Key]:
        """The set of one of them."""
        return frozenset(key for row in self.rows if (key := getattr(row, party)) is not None)


def sets_of(review: Review) -> Sets:
    """What machine, coders and auditors have, from the decisions that were not undone, oldest first.

    What nobody decided stands as the machine proposed it: a code that it put on the claim is in each set. The auditors'
    set begins as the coders'.
    """
    decisions = in_order(review.resources.values())
    void = void_of(decisions)
    standing = {one.reference: _machine(one) for one in review.suggestions}
    told: dict[str, dict[str, Key | None]] = {"coder": {}, "auditor": {}}
    for provenance in decisions:
        one = decided_of(provenance)
        if one is None or one.provenance in void or one.kind not in STATED:
            continue
        party = told["auditor" if one.role == "auditor" else "coder"]
        for name in (target for target in targets_of(provenance) if target.partition("/")[0] in CODED):
            if chosen := _chosen(provenance):
                standing[name] = chosen
            party[name] = None if one.kind == "reject" else standing.get(name)
    rows = []
    for suggestion in review.suggestions:
        machine = _machine(suggestion) if suggestion.proposed else None
        coder = told["coder"].get(suggestion.reference, machine)
        rows.append(Row(suggestion.reference, machine, coder, told["auditor"].get(suggestion.reference, coder)))
    return Sets(tuple(rows), bool(told["auditor"]))


def _machine(one: Suggestion) -> Key:
    """The code as the machine had it."""
    return one.machine[:2] if one.machine else (one.system, one.code)


def _chosen(provenance: Mapping[str, Any]) -> Key | None:
    """The code that a replacement or addition names."""
    codings = (provenance.get("activity") or {}).get("coding") or ()
    chosen = next((coding for coding in codings if coding.get("system") in SYSTEMS), None)
    return (chosen["system"], chosen["code"]) if chosen else None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two people agree about the codes of a document.

    `jaccard` is the share of the codes of either that both have. `kappa` is Cohen's, over every code that was
    considered (https://doi.org/10.1177/001316446002000104); None where chance alone would agree on everything.
    """

    both: frozenset[Key]
    first: frozenset[Key]  # of the first alone
    second: frozenset[Key]
    jaccard: float
    kappa: float | None
    neither: int = field(default=0)


def agreement(first: Collection[Key], second: Collection[Key], considered: Collection[Key] = ()) -> Agreement:
    """How far two sets of codes agree; `considered` are codes that both looked at, beside those of either.

    Without `considered` the union of both is all there is, and kappa says little: nobody left anything out.
    """
    a, b = frozenset(first), frozenset(second)
    every = a | b | frozenset(considered)
    both, neither = a & b, len(every) - len(a | b)
    jaccard = len(both) / len(a | b) if a | b else 1.0
    return Agreement(both, a - b, b - a, jaccard, _kappa(len(every), len(both), neither, len(a), len(b)), neither)


def _kappa(every: int, both: int, neither: int, first: int, second: int) -> float | None:
    """Cohen's kappa of two yes-or-no raters over `every` items."""
    if not every:
        return None
    observed = (both + neither) / every
    chance = (first * second + (every - first) * (every - second)) / every**2
    return None if chance == 1.0 else (observed - chance) / (1 - chance)


def considered_keys(review: Review) -> frozenset[Key]:
    """Every code that the review put before a person: suggestions, and what was considered."""
    shown = {(one.system, one.code) for one in review.suggestions}
    shown |= {one.machine[:2] for one in review.suggestions if one.machine}
    return frozenset(shown | {(one.system, one.code) for one in review.considered})
