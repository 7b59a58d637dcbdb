"""A coding run that comes after decisions keeps them."""

from __future__ import annotations

import pytest

from fhir_profiles.errors import FhirError
from fhir_profiles.systems import CPT, ICD10CM
from server.review.model import Place
from tests.unit.review.conftest import SAID, TEXT, machine


def without(*codes: str) -> tuple:
    """What the document says, without some codes."""
    return tuple(said for said in SAID if said[2] not in codes)


def states(desk) -> dict[str, str]:
    """Code → state."""
    return {one.code: one.state for one in desk.review.suggestions}


@pytest.fixture
def decided(desk):
    """One of each: accepted, rejected, replaced, added; a line that was changed."""
    desk.decide("accept", "G47.30")
    desk.decide("reject", "E78.5", reason="not-supported", note="no treatment")
    desk.replace("I10", "I11.9")
    desk.decide("add", "R06.2", system=ICD10CM, places=(Place(1, 4, 1, 0.1, 0.1, 0.1, 0.1, "wheezing"),))
    desk.decide("units", "J1885", value="3")
    return desk


@pytest.mark.parametrize(
    "said", [SAID, without("G47.30", "E78.5", "I10"), without("J18.9", "99214")], ids=["same", "fewer", "other"]
)
def test_what_was_decided_stays_decided(decided, said: tuple) -> None:
    """Accepted stays accepted, rejected stays off the claim, replaced stays replaced, added stays added."""
    before = {one.code: (one.state, one.reference, one.decided) for one in decided.review.suggestions if one.decided}
    decided.run(said=said)
    after = {one.code: (one.state, one.reference, one.decided) for one in decided.review.suggestions if one.decided}
    assert after == before
    assert decided.claimed == ["E11.65", "I11.9", "G47.30", "R06.2"]


def test_the_same_run_again_changes_nothing(decided) -> None:
    """What is stored of suggestions and claim is as before."""
    decided.run()
    once = decided.content()
    decided.run()
    assert decided.content() == once


def test_a_changed_line_keeps_its_units_and_another_takes_the_machines(decided) -> None:
    """Three units as the coder said; the visit, which nobody touched, as the new run has it."""
    decided.run()
    assert [(one.code, one.units) for one in decided.review.services] == [("99214", "1"), ("J1885", "3")]


def test_new_findings_come_in_and_undecided_ones_go(decided) -> None:
    """What nobody decided follows the machine; the place of the decided ones stays."""
    said = (*without("E11.65"), ("gout", ICD10CM, "M10.9", 0.9, "accepted"))
    decided.run(said=said, text=f"{TEXT}\ngout")
    assert "E11.65" not in states(decided)
    assert states(decided)["M10.9"] == "suggested"
    assert "M10.9" in decided.claimed and "E78.5" not in decided.claimed


def test_the_evidence_is_that_of_the_new_reading(decided) -> None:
    """Words that moved are pointed at where they stand now; the machine's code under a replacement is told still."""
    decided.run(text=f"A new first line.\n{TEXT}")
    one = next(one for one in decided.review.diagnoses if one.code == "I11.9")
    assert one.places[0].offset == len("A new first line.\n") + TEXT.index("hypertension")
    assert one.machine == (ICD10CM, "I10", "Display of I10")


def test_the_run_says_what_it_kept(decided) -> None:
    """Its Provenance names each decision as an entity, tells their number, and targets what stays."""
    decided.run(said=without("G47.30"))
    (told,) = [one for one in decided.shelf.current.values() if "contained" in one]
    assert told["activity"]["text"] == "Coded from the document. 5 decisions of coders kept."
    named = {one["what"].get("reference") for one in told["entity"]}
    assert named >= {one.provenance for one in decided.review.decisions}
    targets = [one["reference"] for one in told["target"]]
    assert decided.of("G47.30") in targets and decided.of("R06.2") in targets
    assert len(set(targets)) == len(targets)


def test_an_order_that_a_coder_gave_stays(desk) -> None:
    """Without one the order is the machine's."""
    desk.decide("principal", "E78.5")
    desk.run()
    assert desk.claimed == ["E78.5", "E11.65", "I10"]


def test_an_undone_decision_is_not_kept(desk) -> None:
    """The machine's word counts again."""
    desk.decide("undo", about=desk.decide("reject", "I10", reason="duplicate"))
    desk.decide("undo", about=desk.decide("add", "R06.2", system=ICD10CM))
    desk.run()
    assert desk.claimed == ["E11.65", "I10", "E78.5"]
    assert states(desk)["I10"] == "suggested"


def test_a_code_that_was_added_and_is_found_now_is_one(desk) -> None:
    """The machine's evidence comes to the coder's word: the same Condition, added still."""
    desk.run(said=without("I10"))
    desk.decide("add", "I10", system=ICD10CM)
    desk.run()
    (one,) = [one for one in desk.review.diagnoses if one.code == "I10"]
    assert (one.state, one.words, one.confidence) == ("added", "hypertension", 0.93)
    assert desk.claimed.count("I10") == 1


def test_a_finished_claim_is_left_alone(desk) -> None:
    """A run after the review was finished does not write the Claim."""
    desk.decide("finish")
    before = desk.claim
    desk.run(said=without("I10"))
    assert desk.claim == before


def test_undecided_diagnoses_give_way_to_decided_ones(desk_of) -> None:
    """Twelve are on the claim: those that a coder accepted, whatever the machine finds more."""
    few = tuple((f"word{n:02}", ICD10CM, f"A{n:02}.1", 0.9, "accepted") for n in range(11))
    more = tuple((f"term{n:02}", ICD10CM, f"B{n:02}.1", 0.9, "accepted") for n in range(5))
    late = ("last one", ICD10CM, "C50.1", 0.6, "suggested")
    text = "\n".join(words for words, *_ in (*few, *more, late))
    desk = desk_of(said=(*few, late), text=text)
    desk.decide("accept", "C50.1")
    desk.run(said=(*more, *few, late), text=text)
    assert len(desk.claimed) == 12 and "C50.1" in desk.claimed


def test_without_decisions_the_bundle_is_the_machines(desk) -> None:
    """Nothing is folded in where nobody decided."""
    desk.run()
    pipeline = [one for one in desk.shelf.current.values() if "contained" in one]
    assert pipeline[0]["activity"]["text"] == "Coded from the document"
    assert machine()["entry"][-1]["resource"]["activity"] == pipeline[0]["activity"]


def test_after_a_run_a_line_can_be_decided_on(decided) -> None:
    """What is stored then takes further decisions."""
    decided.run()
    decided.decide("add", "93000", system=CPT)
    decided.decide("reject", "R06.2", reason="duplicate")
    with pytest.raises(FhirError):
        decided.bundle("add", "R06.2", system=ICD10CM)
    assert "R06.2" not in decided.claimed
