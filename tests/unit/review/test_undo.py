"""Undo is exact, and undoing that does it again."""

from __future__ import annotations

import pytest

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import CPT, ICD10CM
from server.review.past import last_decision, last_undo

STEPS = {
    "accept": lambda desk: desk.decide("accept", "G47.30"),
    "reject": lambda desk: desk.decide("reject", "E11.65", reason="duplicate"),
    "replace": lambda desk: desk.replace("I10", "I11.9"),
    "add": lambda desk: desk.decide("add", "R06.2", system=ICD10CM),
    "add-service": lambda desk: desk.decide("add", "93000", system=CPT),
    "principal": lambda desk: desk.decide("principal", "E78.5"),
    "units": lambda desk: desk.decide("units", "J1885", value="4"),
    "finish": lambda desk: desk.decide("finish"),
}


@pytest.mark.parametrize("step", STEPS)
def test_undo_puts_back_exactly_what_stood(desk, step: str) -> None:
    """Every resource is as before, and the undo of the undo gives what was undone, byte for byte."""
    before = desk.content()
    provenance = STEPS[step](desk)
    after = desk.content()
    assert after != before
    undone = desk.decide("undo", about=provenance)
    assert desk.content() == before
    desk.decide("undo", about=undone)
    assert desk.content() == after


def test_decisions_are_undone_one_by_one_and_done_again(desk) -> None:
    """Back through every decision to what the machine said, and forward again."""
    stood = [desk.content()]
    for step in STEPS.values():
        step(desk)
        stood.append(desk.content())
    for before in reversed(stood[:-1]):
        desk.decide("undo", about=last_decision(desk.shelf.current.values()))
        assert desk.content() == before
    assert last_decision(desk.shelf.current.values()) is None
    for after in stood[1:]:
        desk.decide("undo", about=last_undo(desk.shelf.current.values()))
        assert desk.content() == after
    assert last_undo(desk.shelf.current.values()) is None


def test_a_new_decision_ends_what_could_be_done_again(desk) -> None:
    """After another decision about the same claim there is nothing to do again."""
    desk.decide("undo", about=desk.decide("reject", "E11.65", reason="duplicate"))
    desk.decide("principal", "I10")
    assert last_undo(desk.shelf.current.values()) is None


def test_what_something_newer_rests_on_is_not_undone(desk) -> None:
    """Two decisions about the claim: the older one cannot be undone alone."""
    first = desk.decide("reject", "E11.65", reason="duplicate")
    desk.decide("reject", "I10", reason="duplicate")
    with pytest.raises(FhirError) as told:
        desk.bundle("undo", about=first)
    assert told.value.category is Category.CONFLICT


def test_what_is_undone_cannot_be_undone_again(desk) -> None:
    """The second undo of the same decision is refused."""
    provenance = desk.decide("accept", "G47.30")
    desk.decide("undo", about=provenance)
    with pytest.raises(FhirError):
        desk.bundle("undo", about=provenance)


def test_an_older_decision_about_something_else_may_be_undone(desk) -> None:
    """Accepting two diagnoses that are on the claim anyway touches nothing in common."""
    first = desk.decide("accept", "E11.65")
    desk.decide("accept", "I10")
    desk.decide("undo", about=first)
    assert desk.review.find(desk.of("E11.65")).state == "suggested"
    assert desk.review.find(desk.of("I10")).state == "accepted"


def test_an_undone_decision_is_no_longer_told_at_the_suggestion(desk) -> None:
    """The list of decisions keeps both."""
    desk.decide("undo", about=desk.decide("accept", "I10"))
    assert desk.review.find(desk.of("I10")).decided is None
    assert [one.kind for one in desk.review.decisions] == ["accept", "undo"]


def test_after_another_coding_run_nothing_is_put_back(desk) -> None:
    """What stood before rests on words that may have been read otherwise since."""
    provenance = desk.decide("accept", "I10")
    pipeline = next(k for k, v in desk.shelf.current.items() if k.startswith("Provenance/") and "contained" in v)
    desk.shelf.take(
        {"entry": [{"request": {"method": "PUT", "url": pipeline}, "resource": desk.shelf.current[pipeline]}]}
    )
    with pytest.raises(FhirError, match="coded again"):
        desk.bundle("undo", about=provenance)
