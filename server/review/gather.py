"""The review of a document, gathered from the resources that its coding yielded and what coders decided since."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from extractors.emit.ids import resource_id
from server.review.bands import band
from server.review.claim_of import Draft, taken_apart
from server.review.doubts import doubtful_of
from server.review.model import Alternative, Decided, Hint, Json, Place, Review, Suggestion
from server.review.past import past_of
from server.review.read import (
    CODED,
    STATES,
    basis_of,
    coding_of,
    confidence_of,
    considered_of,
    gaps_of,
    kind_of,
    machine_of,
    places_of,
    reference_of,
    tags_of,
    targets_of,
    version_of,
)

NEAREST = 20
"""Alternatives that are told of one suggestion."""

UNCLAIMED: Mapping[str, Any] = {
    "position": None, "principal": False, "present_on_admission": "", "modifiers": (), "units": "", "pointers": (),
}  # fmt: skip
"""What a suggestion tells of a claim that it is not on."""

Hints = Callable[[str, str], tuple[Hint, ...]]
"""What would make a (system, code) more specific: `server.review.hints.hints_of` with a terminology."""


def references(task: Mapping[str, Any], provenances: Iterable[Mapping[str, Any]] = ()) -> list[str]:
    """`Type/ID` of what a review is gathered from: the outputs of the coding Task, and what coders added.

    `provenances` are those that `Provenance?entity=DocumentReference/ID` finds.
    """
    outputs = [str((one.get("valueReference") or {}).get("reference", "")) for one in task.get("output") or ()]
    of_coders = [one for one in provenances if kind_of(one)]
    added = chain.from_iterable(map(targets_of, of_coders))
    return list(dict.fromkeys(filter(None, [*outputs, *added, *map(reference_of, of_coders)])))


def pipeline_of(document: str) -> str:
    """The Provenance in which the pipeline tells what it did: its reference, for a DocumentReference/ID."""
    return f"Provenance/{resource_id(_id(document), 'Provenance', 0)}"


def claim_of(document: str) -> str:
    """The draft Claim of a DocumentReference/ID: its reference, whether there is one or not."""
    return f"Claim/{resource_id(_id(document), 'Claim', 0)}"


def review_of(
    resources: Mapping[str, Json], document: str, hints: Hints | None = None, former: Review | None = None
) -> Review:
    """The review of DocumentReference/ID. `resources` are its results and their Provenances as they are stored, by
    `Type/ID`; what is missing is left out. Without `hints` no suggestion has one. `former` is the review of the same
    document before some of the resources took the place of others: what stands there of the rest is not read again.
    """
    pipeline = resources.get(pipeline_of(document), {})
    same = former is not None and former.resources.get(pipeline_of(document)) is pipeline
    considered = former.considered if former and same else considered_of(pipeline)
    claim = resources.get(claim_of(document))
    draft = taken_apart(claim or {}, resources.values())
    past = past_of(resources.values())
    told = _Telling(draft, past.decided, considered, hints, former if same else None)
    coded = [one for one in resources.values() if one["resourceType"] in CODED and _is_wanted(one)]
    machine = {reference: n for n, reference in enumerate(targets_of(pipeline))}
    coded.sort(key=lambda one: machine.get(reference_of(one), len(machine)))
    diagnoses = [told.suggestion(one) for one in coded if one["resourceType"] == "Condition"]
    services = [told.suggestion(one) for one in coded if one["resourceType"] == "Procedure"]
    return Review(
        document,
        _as_claimed(diagnoses, list(draft.diagnoses)),
        _as_claimed(services, list(draft.lines)),
        reference_of(claim) if claim else None,
        tuple(doubtful_of(resources.values())),
        tuple(gaps_of(pipeline)),
        tuple(considered),
        past.decisions,
        resources,
    )


def _id(document: str) -> str:
    return document.rpartition("/")[2]


def _is_wanted(resource: Json) -> bool:
    """A diagnosis or service that somebody put forward: not what the words deny."""
    status = (resource.get("verificationStatus") or {}).get("coding") or [{}]
    refuted = status[0].get("code") == "refuted" and not tags_of(resource) & {*STATES}
    return coding_of(resource) is not None and not refuted


def _as_claimed(suggestions: Sequence[Suggestion], claimed: Sequence[str]) -> tuple[Suggestion, ...]:
    """The suggestions in the order of the machine, those on the claim in the order of the claim.

    What is not on the claim keeps its place, so that a decision moves nothing else.
    """
    by_reference = {one.reference: one for one in suggestions}
    on_claim = iter([by_reference[reference] for reference in claimed if reference in by_reference])
    return tuple(next(on_claim) if one.position is not None else one for one in suggestions)


class _Telling:
    """Makes suggestions of one review."""

    def __init__(
        self,
        draft: Draft,
        decided: Mapping[str, Decided],
        considered: Sequence[Alternative],
        hints: Hints | None,
        former: Review | None,
    ) -> None:
        self._draft = draft
        self._decided = decided
        self._hints = hints
        self._considered = considered
        self._offsets = [one.offset for one in considered]
        self._longest = max((one.length for one in considered), default=0)
        self._former = former.resources if former else {}
        self._made = {one.reference: one for one in former.suggestions} if former else {}
        self._positions = {reference: n for n, reference in enumerate(draft.diagnoses, 1)}
        self._positions |= {reference: n for n, reference in enumerate(draft.lines, 1)}

    def suggestion(self, resource: Json) -> Suggestion:
        """The suggestion of a coded Condition or Procedure, as it was made before where nothing about it changed."""
        reference = reference_of(resource)
        made = self._made.get(reference)
        if made is None or self._former.get(reference) is not resource:
            return self._read(resource)
        if made.position is None and reference not in self._positions:
            decided = self._decided.get(reference)
            return made if made.decided == decided else replace(made, decided=decided)
        return replace(made, decided=self._decided.get(reference), **{**UNCLAIMED, **self._claimed(reference)})

    def _read(self, resource: Json) -> Suggestion:
        coding = coding_of(resource) or {}
        extensions = coding.get("extension") or []
        reference, tags = reference_of(resource), tags_of(resource)
        confidence, places = confidence_of(extensions), places_of(extensions)
        basis = basis_of(extensions)
        return Suggestion(
            reference=reference,
            version=version_of(resource),
            kind="diagnosis" if resource["resourceType"] == "Condition" else "service",
            system=coding["system"],
            code=coding["code"],
            display=coding.get("display", ""),
            edition=coding.get("version", ""),
            confidence=confidence,
            band="" if confidence is None else band(confidence).name,
            state=next((state for state in STATES if state in tags), "suggested"),
            words=resource["code"].get("text", ""),
            reason=" ".join(note["text"] for note in resource.get("note") or () if note.get("text")),
            rule=basis.rule,
            section=basis.section,
            triggers=basis.triggers,
            places=places,
            considered=self._beside(places),
            hints=self._hints(coding["system"], coding["code"]) if self._hints else (),
            machine=machine_of(extensions),
            proposed=basis.status == "accepted" if basis.status else confidence is not None and "suggested" not in tags,
            doubtful="doubtful" in tags,
            decided=self._decided.get(reference),
            **self._claimed(reference),
        )

    def _claimed(self, reference: str) -> dict[str, Any]:
        """What the claim says of it."""
        position = self._positions.get(reference)
        if position is None:
            return {}
        if (element := self._draft.diagnoses.get(reference)) is not None:
            return {
                "position": position,
                "principal": position == 1,
                "present_on_admission": _codes([element.get("onAdmission") or {}])[0],
            }
        line = self._draft.lines[reference]
        return {
            "position": position,
            "modifiers": tuple(filter(None, _codes(line.get("modifier") or []))),
            "units": str((line.get("quantity") or {}).get("value", "")),
            "pointers": tuple(self._draft.pointers.get(reference, ())),
        }

    def _beside(self, places: Sequence[Place]) -> tuple[Alternative, ...]:
        """What else was considered of the same words, the surest first."""
        found: dict[Alternative, None] = {}
        for offset, length in {(place.offset, place.length) for place in places} if self._considered else ():
            first = bisect_left(self._offsets, offset - self._longest)
            for one in self._considered[first : bisect_left(self._offsets, offset + length)]:
                if one.offset + one.length > offset:
                    found[one] = None
        return tuple(sorted(found, key=lambda one: -one.confidence)[:NEAREST])


def _codes(concepts: Sequence[Mapping[str, Any]]) -> list[str]:
    """The first code of each concept, "" where it has none."""
    codings: list[Json] = [next(iter(concept.get("coding") or ()), {}) for concept in concepts]
    return [str(coding.get("code", "")) for coding in codings]
