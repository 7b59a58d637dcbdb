"""Decisions as transactions: accept, reject, replace, add."""

from __future__ import annotations

import pytest

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import CPT, ICD10CM, REJECTION_REASON
from server.review.coded import REASONS
from server.review.model import Place


def test_accepting_what_is_on_the_claim_changes_the_condition_alone(desk) -> None:
    """One Provenance and one Condition, against the version that was shown."""
    transaction = desk.bundle("accept", "I10")
    assert [entry["request"]["method"] for entry in transaction["entry"]] == ["PUT", "POST"]
    assert transaction["entry"][0]["request"]["ifMatch"] == 'W/"1"'
    desk.shelf.take(transaction)
    one = desk.review.find(desk.of("I10"))
    assert (one.state, one.decided.kind, one.decided.who, one.decided.role) == (
        "accepted",
        "accept",
        "C. Coder",
        "coder",
    )


def test_accepting_a_suggestion_puts_it_on_the_claim(desk) -> None:
    """Confirmed, behind the diagnoses that are shown before it; the pointers of the lines stay."""
    desk.decide("accept", "G47.30")
    assert desk.claimed == ["E11.65", "I10", "E78.5", "G47.30"]
    assert desk.lines == [("99214", [1, 2, 3]), ("J1885", [1, 2, 3])]
    status = desk.shelf.current[desk.of("G47.30")]["verificationStatus"]["coding"][0]["code"]
    assert status == "confirmed"


def test_rejecting_takes_it_off_the_claim_and_renumbers(desk) -> None:
    """The next diagnosis becomes the principal one and each pointer still leads to the diagnosis it led to."""
    desk.decide("pointers", "99214", order=(desk.of("E78.5"), desk.of("E11.65")))
    desk.decide("reject", "E11.65", reason="not-supported", note="no result above the limit")
    assert desk.claimed == ["I10", "E78.5"]
    assert desk.lines == [("99214", [2]), ("J1885", [1, 2])]
    assert desk.claim["diagnosis"][0]["type"][0]["coding"][0]["code"] == "principal"
    assert "type" not in desk.claim["diagnosis"][1]
    one = desk.review.find(desk.of("E11.65"))
    assert (one.state, one.decided.reason, one.decided.note) == (
        "rejected",
        "not-supported",
        "no result above the limit",
    )


def test_a_decision_moves_nothing_else(desk) -> None:
    """Rejected and accepted again, every suggestion keeps its place in the list."""
    before = [one.code for one in desk.review.suggestions]
    for kind, code, more in (
        ("reject", "E11.65", {"reason": "duplicate"}),
        ("accept", "G47.30", {}),
        ("accept", "E11.65", {}),
    ):
        desk.decide(kind, code, **more)
        assert [one.code for one in desk.review.suggestions] == before
    assert desk.claimed == before[:4]


@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_makes_a_valid_condition(desk, reason: str) -> None:
    """What the shelf takes is valid R4, and accepting it afterwards makes it a diagnosis again."""
    desk.decide("reject", "I10", reason=reason, note="as the chart says")
    provenance = desk.shelf.current[desk.review.decisions[-1].provenance]
    assert provenance["reason"][0]["coding"][0] == {
        "system": REJECTION_REASON, "code": reason, "display": REASONS[reason].display,
    }  # fmt: skip
    desk.decide("accept", "I10")
    stored = desk.shelf.current[desk.of("I10")]
    assert stored["verificationStatus"]["coding"][0]["code"] == "confirmed"
    assert "clinicalStatus" in stored


def test_a_reason_is_asked_for(desk) -> None:
    """No reason, an unknown one, and `other` without a note are refused."""
    for more in ({}, {"reason": "because"}, {"reason": "other", "note": " "}):
        with pytest.raises(FhirError):
            desk.bundle("reject", "I10", **more)


def test_replacing_keeps_the_evidence_and_tells_what_the_machine_had(desk) -> None:
    """The Condition keeps its id; its place on the claim and its words stay, the confidence of the other code goes."""
    reference, places = desk.of("E11.65"), desk.review.diagnoses[0].places
    desk.replace("E11.65", "E11.9")
    one = desk.review.find(reference)
    assert (one.state, one.code, one.display, one.machine) == (
        "replaced", "E11.9", "Title of E11.9", (ICD10CM, "E11.65", "Display of E11.65"),
    )  # fmt: skip
    assert (one.confidence, one.band, one.places, one.position) == (None, "", places, 1)
    assert desk.claimed[0] == "E11.9"
    activity = desk.shelf.current[one.decided.provenance]["activity"]["coding"]
    assert [coding["code"] for coding in activity] == ["replace", "E11.9"]


def test_replaced_twice_still_tells_the_machines_code(desk) -> None:
    """What the machine had is not forgotten by a second thought."""
    desk.replace("E11.65", "E11.9")
    desk.replace("E11.9", "E11.8")
    assert desk.review.diagnoses[0].machine[1] == "E11.65"


@pytest.mark.parametrize(
    ("by", "system"),
    [("E11.99", ICD10CM), ("E11", ICD10CM), ("I10", ICD10CM), ("E11.65", ICD10CM), ("99213", CPT)],
    ids=["unknown", "header", "stands-here", "the-same", "a-service"],
)
def test_only_another_billable_code_of_the_kind_replaces(desk, by: str, system: str) -> None:
    """A code that is unknown, cannot be billed, stands here already or is of another kind is refused."""
    with pytest.raises(FhirError):
        desk.replace("E11.65", by, system)


def test_adding_from_the_words_of_the_page(desk) -> None:
    """The Condition has the words as evidence, a person's mark and no confidence; it comes last on the claim."""
    place = Place(36, 4, 1, 0.1, 0.2, 0.3, 0.02, "wheezing")
    desk.decide("add", "R06.2", system=ICD10CM, places=(place,))
    one = desk.review.find(desk.of("R06.2"))
    assert (one.state, one.places, one.words, one.confidence) == ("added", (place,), "wheezing", None)
    assert desk.claimed[-1] == "R06.2"
    assert desk.review.diagnoses[-1].code == "R06.2"


def test_adding_a_service_makes_a_line(desk) -> None:
    """A Procedure and a line of one unit that points to the first diagnoses."""
    desk.decide("add", "93000", system=CPT)
    assert desk.lines[-1] == ("93000", [1, 2, 3])
    assert desk.claim["item"][-1]["servicedDate"] == "2026-03-12"
    assert desk.review.find(desk.of("93000")).units == "1"


@pytest.mark.parametrize("code", ["I10", "E11.99"])
def test_nothing_is_added_twice_or_unknown(desk, code: str) -> None:
    """A code that stands already and one that does not exist are refused."""
    with pytest.raises(FhirError):
        desk.bundle("add", code, system=ICD10CM)


def test_a_code_that_was_rejected_is_accepted_and_not_added(desk) -> None:
    """The refusal says so."""
    desk.decide("reject", "I10", reason="duplicate")
    with pytest.raises(FhirError, match="accept that suggestion"):
        desk.bundle("add", "I10", system=ICD10CM)


def test_the_first_accepted_code_makes_a_claim(desk_of) -> None:
    """A document from which the machine claimed nothing gets its draft Claim with the first diagnosis."""
    desk = desk_of(said=(("sleep apnea", ICD10CM, "G47.30", 0.62, "suggested"),))
    assert desk.review.claim is None
    desk.decide("accept", "G47.30")
    assert desk.claimed == ["G47.30"]
    assert desk.claim["patient"] == {"reference": "Patient/p"}
    assert desk.claim["status"] == "draft"


def test_a_thirteenth_diagnosis_waits_for_room(desk_of) -> None:
    """It is accepted and not on the claim; when another leaves, it comes in."""
    said = tuple((f"word{n:02}", ICD10CM, f"A{n:02}.1", 0.9, "accepted") for n in range(13))
    desk = desk_of(said=said, text="\n".join(words for words, *_ in said))
    assert len(desk.claimed) == 12
    desk.decide("accept", "A12.1")
    assert desk.review.find(desk.of("A12.1")).position is None
    desk.decide("reject", "A03.1", reason="duplicate")
    assert desk.claimed[-1] == "A12.1"
    assert len(desk.claimed) == 12


def test_a_suggestion_that_is_not_there_is_told(desk) -> None:
    """The error is of category not-found."""
    with pytest.raises(FhirError) as told:
        desk.bundle("accept", about="Condition/none")
    assert told.value.category is Category.NOT_FOUND
