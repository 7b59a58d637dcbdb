"""A second look: what it shows, opinions that change nothing, the score, and which documents get one."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_profiles.errors import FhirError
from fhir_profiles.systems import HCPCS, ICD10CM
from fhir_profiles.validate import check
from server.learning.decisions import latest, read_verdict
from server.review.fold import counting
from server.review.gather import pipeline_of
from server.review.model import Decision, Review
from server.review.past import past_of
from server.review.read import kind_of
from server.review.second import blind, looked, opine, opinions_of, shown
from server.review.second_task import (
    agreed,
    begun,
    check_may_look,
    finished,
    is_over,
    is_sampled,
    score_of,
)
from server.review.trail import sets_of, timeline
from tests.unit.review.conftest import DOCUMENT

AUDITOR = {"reference": "Practitioner/auditor", "display": "A. Auditor", "role": "auditor"}
NOW = "2026-04-02T00:00:00Z"


def provenances(desk) -> list[dict[str, Any]]:
    """Those on the shelf."""
    return [one for one in desk.shelf.current.values() if one["resourceType"] == "Provenance"]


def unseen(desk) -> Review:
    """The document as the second person gets it."""
    run = desk.shelf.current[pipeline_of(DOCUMENT)]
    results = [{"valueReference": {"reference": name}} for name in desk.shelf.current if "Provenance" not in name]
    names = shown({"output": results}, provenances(desk))
    found = [desk.shelf.versions.get(name) or desk.shelf.current[name] for name in names]
    return blind([one for one in found if one["resourceType"] != "Claim"], run, DOCUMENT)


def seen(desk) -> Review:
    """The same with the opinions in it."""
    return looked(unseen(desk), opinions_of(provenances(desk)))


def opine_on(desk, kind: str, code: str = "", **more: Any) -> None:
    """Store an opinion about the suggestion of a code."""
    review = unseen(desk)
    about = next((one.reference for one in review.suggestions if one.code == code), "")
    at = f"2026-04-01T00:{desk.shelf.clock + 1:02}:00Z"
    made = opine(review, Decision(kind, at, about, **more), AUDITOR, "", opinions_of(provenances(desk)))
    desk.shelf.take({"entry": [{"resource": made, "request": {"method": "POST", "url": "Provenance"}}]})


def codes(review: Review) -> dict[str, str]:
    """Code → state."""
    return {one.code: one.state for one in review.suggestions}


def test_nothing_that_was_decided_is_shown(desk) -> None:
    """Decided suggestions stand as the machine left them; what a person added, and the Claim, are not there."""
    before = codes(unseen(desk))
    desk.decide("reject", "E11.65", reason="not-supported")
    desk.decide("accept", "G47.30")
    desk.replace("I10", "I11.9")
    desk.decide("accept", "I11.9")
    desk.decide("add", "R06.2", system=ICD10CM)
    desk.decide("principal", "E78.5")
    review = unseen(desk)
    assert codes(review) == before and set(before.values()) == {"suggested"}
    assert review.claim is None and review.decisions == ()
    assert not any(one.position or one.decided or one.machine for one in review.suggestions)


def test_opinions_change_nothing_of_the_record(desk) -> None:
    """Neither review nor timeline, undo, a next run or learning takes an opinion for a decision."""
    desk.decide("accept", "I10")
    before, told, stood = desk.content(), timeline(desk.review), past_of(desk.shelf.current.values())
    opine_on(desk, "reject", "I10", reason="not-supported")
    opine_on(desk, "accept", "E78.5")
    assert desk.content() == before and timeline(desk.review) == told
    assert past_of(desk.shelf.current.values()) == stood
    opinions = [one for one in provenances(desk) if kind_of(one) == "second-look"]
    assert len(opinions) == 2 and all(check(one) == [] and read_verdict(one) is None for one in opinions)
    assert {verdict.kind for verdict in latest(provenances(desk)).values()} == {"accept"}
    assert len(counting(provenances(desk))) == 1
    assert all(one["target"] == [{"reference": DOCUMENT}] for one in opinions)


def test_the_newest_opinion_counts_and_can_be_taken_back(desk) -> None:
    """Accept, then replace; undo takes back the last one that stands; nothing is left to undo at the end."""
    opine_on(desk, "accept", "I10")
    opine_on(desk, "undo")
    opine_on(desk, "reject", "E78.5", reason="history-only")
    review, at = unseen(desk), "2026-04-01T00:50:00Z"
    about = next(one.reference for one in review.suggestions if one.code == "I10")
    made = opine(review, Decision("replace", at, about, system=ICD10CM, code="I11.9"), AUDITOR, "Heart disease", [])
    desk.shelf.take({"entry": [{"resource": made, "request": {"method": "POST", "url": "Provenance"}}]})
    states = codes(seen(desk))
    assert (states["I11.9"], states["E78.5"], states["E11.65"]) == ("replaced", "rejected", "suggested")
    assert "I10" not in states
    with pytest.raises(FhirError):
        opine(review, Decision("undo", at), AUDITOR, "", [])


@pytest.mark.parametrize("wrong", [
    Decision("principal", NOW, "Condition/x"), Decision("accept", NOW, "Condition/unknown"),
    Decision("reject", NOW, "Condition/x"), Decision("reject", NOW, "Condition/x", reason="other"),
], ids=["about-the-claim", "unknown", "no-reason", "no-note"])  # fmt: skip
def test_what_is_no_opinion_is_refused(desk, wrong: Decision) -> None:
    """Only codes are looked at, a rejection has a reason, and what it is about is a suggestion."""
    with pytest.raises(FhirError):
        opine(unseen(desk), wrong, AUDITOR, "", [])


def test_the_score_tells_how_far_two_agree(desk) -> None:
    """Silence is no agreement; then Jaccard, kappa and the differences stand in the Task."""
    desk.decide("reject", "E11.65", reason="not-supported")
    first = sets_of(desk.review).codes("auditor")
    for code in ("E11.65", "I10", "99214"):
        opine_on(desk, "accept", code)
    opine_on(desk, "reject", "E78.5", reason="not-supported")
    with pytest.raises(FhirError):
        agreed(first, seen(desk))
    opine_on(desk, "accept", "J1885")
    result = agreed(first, seen(desk))
    assert (result.first, result.second) == ({(ICD10CM, "E78.5")}, {(ICD10CM, "E11.65")})
    assert (HCPCS, "J1885") in result.both and result.jaccard == pytest.approx(3 / 5)
    task = begun("doc-1", AUDITOR, {"for": {"reference": "Patient/p"}}, NOW)
    done = finished(task, result, {(ICD10CM, "E78.5"): "Fat"}, NOW)
    assert check(task) == [] and check(done) == [] and is_over(done) and not is_over(task)
    score = score_of(done)
    assert score is not None and score_of(task) is None
    assert (score.jaccard, score.both) == (0.6, 3) and score.kappa == round(result.kappa, 4)
    assert (score.first, score.second) == ((("E78.5", "Fat"),), (("E11.65", ""),))


def test_somebody_else_looks_and_only_once(desk) -> None:
    """Whoever decided does not look again; one person looks; a finished look is over."""
    task = begun("doc-1", AUDITOR, {}, NOW)
    check_may_look(None, ["Practitioner/coder"], AUDITOR)
    check_may_look(task, [], AUDITOR)
    other = {"reference": "Practitioner/other", "display": "O. Other"}
    for standing, deciders, who in (
        (None, ["Practitioner/auditor"], AUDITOR), (task, [], other), (task | {"status": "completed"}, [], AUDITOR)
    ):  # fmt: skip
        with pytest.raises(FhirError):
            check_may_look(standing, deciders, who)


def test_the_sample_is_always_the_same_and_about_as_large_as_asked() -> None:
    """None at 0, all at 100, in between a share that a larger one holds whole."""
    ids = [f"document-{n}" for n in range(2000)]
    assert not any(is_sampled(id, 0) for id in ids) and all(is_sampled(id, 100) for id in ids)
    ten, twenty = ({id for id in ids if is_sampled(id, percent)} for percent in (10, 20))
    assert ten < twenty and 140 < len(ten) < 260
