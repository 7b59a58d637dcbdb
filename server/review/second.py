"""A second look: a document coded again by somebody who does not see what was decided.

Each opinion is a Provenance about the document (https://hl7.org/fhir/R4/provenance.html). It changes nothing, and what
reads decisions does not take it for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import CODING_DECISION, ICD10CM
from server.review.coded import REASONS
from server.review.gather import references, review_of
from server.review.model import Decision, Json, Review, Suggestion
from server.review.past import KINDS, SECOND_LOOK, STATED, in_order
from server.review.read import CODED, formers_of, kind_of, reference_of, targets_of
from server.review.recorded import DISPLAYS, agent_of, reason_of
from server.review.trail import SYSTEMS

MOST = 2_000
"""Opinions about one document."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody would decide; `about` is the suggestion, with `undo` the Provenance of what is taken back."""

    provenance: str
    kind: str
    at: str
    about: str
    system: str = ""
    code: str = ""
    display: str = ""


def shown(task: Mapping[str, Any], provenances: Iterable[Mapping[str, Any]]) -> list[str]:
    """What a blind review is gathered from: the results of the coding Task, in the versions before any decision.

    `Type/ID`, or `Type/ID/_history/N` for what was decided since. What a person made is left out, and the Claim, which
    tells what was decided.
    """
    before: dict[str, str | None] = {}
    for one in in_order(provenances):
        if kind_of(one) in KINDS:
            for former in formers_of(one):
                before.setdefault(former.partition("/_history")[0], former)
            for target in targets_of(one):
                before.setdefault(target, None)
    names = dict.fromkeys([*references(task), *before])
    found = (before.get(name, name) for name in names if name.partition("/")[0] not in ("Claim", "Provenance"))
    return [name for name in found if name is not None]


def blind(resources: Iterable[Json], run: Json | None, document: str) -> Review:
    """The review of DocumentReference/ID as the machine left it: `resources` are what `shown` names, `run` is the
    Provenance of the pipeline.
    """
    known = {reference_of(one): one for one in resources}
    return review_of(known | ({reference_of(run): run} if run else {}), document)


def opinions_of(provenances: Iterable[Mapping[str, Any]]) -> list[Opinion]:
    """The opinions that stand, oldest first: not those that were taken back."""
    told = [one for one in provenances if kind_of(one) == SECOND_LOOK]
    told.sort(key=lambda one: (str(one.get("recorded", "")), (one.get("meta") or {}).get("lastUpdated", "")))
    every = [_opinion(one) for one in told]
    gone = {one.about for one in every if one.kind == "undo"}
    return [one for one in every if one.kind in STATED and one.provenance not in gone]


def looked(review: Review, opinions: Sequence[Opinion]) -> Review:
    """The blind review with the opinions in it: the newest about a suggestion counts."""
    newest = {one.about: one for one in opinions if one.kind != "add"}
    added = [_added(one) for one in opinions if one.kind == "add"]
    diagnoses = [_held(one, newest.get(one.reference)) for one in review.diagnoses]
    services = [_held(one, newest.get(one.reference)) for one in review.services]
    return replace(
        review,
        diagnoses=(*diagnoses, *(one for one in added if one.kind == "diagnosis")),
        services=(*services, *(one for one in added if one.kind == "service")),
    )


def opine(
    review: Review, decision: Decision, who: Mapping[str, Any], display: str, opinions: Sequence[Opinion]
) -> Json:
    """The Provenance of an opinion; FhirError (400, 422) for one that cannot be held.

    `review` is the blind one, `display` what a chosen code means.
    """
    if decision.kind == "undo":
        if not opinions:
            raise FhirError.of(Category.CONFLICT, "business-rule", "There is nothing to undo.")
    elif decision.kind not in STATED:
        raise FhirError.of(Category.INCORRECT, "value", "A second look is about codes alone, not about the claim.")
    if len(opinions) >= MOST:
        raise FhirError.of(Category.INCORRECT, "too-costly", f"A second look has at most {MOST} opinions.")
    codings = [
        {"system": CODING_DECISION, "code": SECOND_LOOK, "display": "Second look"},
        {"system": CODING_DECISION, "code": decision.kind, "display": DISPLAYS[decision.kind]},
    ]
    if decision.kind in ("replace", "add"):
        codings.append({"system": decision.system, "code": decision.code} | ({"display": display} if display else {}))
    made: Json = {
        "resourceType": "Provenance",
        "target": [{"reference": review.document}],
        "recorded": decision.at,
        "activity": {"coding": codings},
    }
    if decision.kind == "reject":
        _check_reason(decision)
        made["reason"] = [reason_of(decision)]
    return made | {"agent": [agent_of(who)], "entity": _entities(review, decision, opinions)}


def _check_reason(decision: Decision) -> None:
    if decision.reason not in REASONS or (decision.reason == "other" and not decision.note.strip()):
        text = "Rejecting needs a reason of the list, and a note where it is another."
        raise FhirError.of(Category.INCORRECT, "required", text)


def _entities(review: Review, decision: Decision, opinions: Sequence[Opinion]) -> list[Json]:
    """The version that was looked at, or the opinion that is taken back; and the document."""
    document: Json = {"role": "source", "what": {"reference": review.document}}
    if decision.kind == "add":
        return [document]
    if decision.kind == "undo":
        return [{"role": "removal", "what": {"reference": opinions[-1].provenance}}, document]
    about = review.find(decision.about)
    if about is None:
        text = "This is no suggestion of the machine. What you added yourself, undo takes back."
        raise FhirError.of(Category.INCORRECT, "value", text)
    return [{"role": "source", "what": {"reference": f"{about.reference}/_history/{about.version}"}}, document]


def _opinion(provenance: Mapping[str, Any]) -> Opinion:
    codings = (provenance.get("activity") or {}).get("coding") or ()
    kinds = [str(one.get("code")) for one in codings if one.get("system") == CODING_DECISION]
    chosen: Json = next((one for one in codings if one.get("system") in SYSTEMS), {})
    whats = [str((one.get("what") or {}).get("reference", "")) for one in provenance.get("entity") or ()]
    about = (name.partition("/_history")[0] for name in whats if name.partition("/")[0] in (*CODED, "Provenance"))
    return Opinion(
        reference_of(provenance),
        kinds[1] if len(kinds) > 1 else "",
        str(provenance.get("recorded", "")),
        next(about, ""),
        *(str(chosen.get(name, "")) for name in ("system", "code", "display")),
    )


def _held(one: Suggestion, opinion: Opinion | None) -> Suggestion:
    """A suggestion as the second person would have it."""
    if opinion is None:
        return replace(one, state="suggested")
    if opinion.kind == "replace":
        machine = (one.system, one.code, one.display)
        system, code, display = opinion.system, opinion.code, opinion.display
        return replace(one, state="replaced", machine=machine, system=system, code=code, display=display)
    return replace(one, state="accepted" if opinion.kind == "accept" else "rejected")


def _added(one: Opinion) -> Suggestion:
    return Suggestion(
        reference=one.provenance, version="", kind="diagnosis" if one.system == ICD10CM else "service",
        system=one.system, code=one.code, display=one.display, edition="", confidence=None, band="", state="added",
        words="", reason="", proposed=False,
    )  # fmt: skip
