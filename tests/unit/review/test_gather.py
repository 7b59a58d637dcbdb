"""A document's review from its resources."""

from __future__ import annotations

from extractors.model import Gap
from server.review.gather import references


def test_what_the_machine_found_is_told_with_its_proof(desk) -> None:
    """Code, title, edition, confidence and band, words, reason, rule, section, trigger, and the box on the page."""
    one = desk.review.diagnoses[0]
    assert (one.code, one.display, one.edition, one.confidence, one.band) == (
        "E11.65", "Display of E11.65", "2026", 0.97, "sure",
    )  # fmt: skip
    assert (one.words, one.reason, one.rule, one.section) == (
        "type 2 diabetes with hyperglycemia", "why E11.65", "some-rule", "assessment",
    )  # fmt: skip
    assert one.triggers == ("type",)
    (place,) = one.places
    assert (place.page, place.offset, place.length, place.left, place.top) == (1, 0, 34, 0.1, 0.0)
    assert place.text == one.words
    assert (one.state, one.version, one.proposed, one.stands) == ("suggested", "1", True, True)


def test_diagnoses_stand_in_claim_order_and_what_is_only_suggested_behind(desk) -> None:
    """The claim's order, the principal one first; a suggestion that is not on the claim has no position."""
    told = [(one.code, one.position, one.principal) for one in desk.review.diagnoses]
    assert told == [("E11.65", 1, True), ("I10", 2, False), ("E78.5", 3, False), ("G47.30", None, False)]
    assert not desk.review.diagnoses[-1].proposed


def test_lines_tell_units_and_pointers(desk) -> None:
    """Each service with its place on the claim, its units and the diagnoses that it is for."""
    told = [(one.code, one.position, one.units, len(one.pointers)) for one in desk.review.services]
    assert told == [("99214", 1, "1", 3), ("J1885", 2, "2", 3)]
    assert desk.review.services[0].pointers[0] == desk.of("E11.65")


def test_what_was_considered_and_rejected_is_told(desk) -> None:
    """With status, confidence, reason and place; and at the suggestion whose words it shares."""
    (one,) = desk.review.considered
    assert (one.code, one.status, one.confidence, one.reason) == ("J18.9", "rejected", 0.55, "why J18.9")
    assert all(not suggestion.considered for suggestion in desk.review.suggestions)


def test_alternatives_of_the_same_words_stand_at_the_suggestion(desk_of) -> None:
    """What was considered of other words is not told there."""
    said = (
        ("sleep apnea", "http://hl7.org/fhir/sid/icd-10-cm", "G47.33", 0.9, "accepted"),
        ("apnea", "http://hl7.org/fhir/sid/icd-10-cm", "R06.81", 0.4, "rejected"),
        ("cough", "http://hl7.org/fhir/sid/icd-10-cm", "R05.9", 0.4, "rejected"),
    )
    (one,) = desk_of(said=said, text="sleep apnea\ncough").review.diagnoses
    assert [other.code for other in one.considered] == ["R06.81"]


def test_open_questions_are_told(desk_of) -> None:
    """What the text would have to say, with the rule that asks and the words that raise it."""
    gap = Gap("asthma-severity", "How severe is it?", "I.C.10.a", 3, 6)
    (told,) = desk_of(gaps=(gap,)).review.gaps
    assert (told.question, told.asks, told.cites, told.offset, told.length) == (
        "asthma-severity", "How severe is it?", "I.C.10.a", 3, 3,
    )  # fmt: skip


def test_a_review_is_gathered_from_results_and_what_coders_added(desk) -> None:
    """The outputs of the Task, the targets of decisions and the decisions themselves, each once."""
    task = {"output": [{"valueReference": {"reference": "Condition/a"}}, {"valueReference": {"reference": "Claim/b"}}]}
    assert references(task) == ["Condition/a", "Claim/b"]
    made = desk.decide("add", "J45.909", system="http://hl7.org/fhir/sid/icd-10-cm")
    told = references(task, [desk.shelf.current[made]])
    assert told == ["Condition/a", "Claim/b", desk.of("J45.909"), desk.review.claim, made]


def test_nothing_coded_is_an_empty_review(desk_of) -> None:
    """A document that says nothing to code has a review all the same."""
    review = desk_of(said=()).review
    assert (review.suggestions, review.claim, review.considered, review.decisions) == ((), None, (), ())
