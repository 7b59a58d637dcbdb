"""The timeline of a document, the three sets of codes, and how far two people agree."""

from __future__ import annotations

import pytest

from fhir_profiles.systems import CODING_DECISION, ICD10CM
from server.review.past import last_decision
from server.review.trail import agreement, considered_keys, sets_of, timeline

AUDITOR = {"reference": "Practitioner/auditor", "display": "A. Auditor", "role": "auditor"}


def codes(sets, party: str) -> list[str]:
    """The codes of diagnoses of a party, sorted."""
    return sorted(code for system, code in sets.codes(party) if system == ICD10CM)


def test_the_timeline_tells_runs_and_decisions_in_order(desk) -> None:
    """Who, as what, about which suggestion, why, and which versions stood before."""
    reference = desk.of("I10")
    decided = desk.decide("reject", "I10", reason="history-only", note="2019")
    desk.decide("undo", about=decided)
    desk.decide("principal", "E78.5", who=AUDITOR)
    run, reject, undo, principal = timeline(desk.review)
    assert (run.kind, run.role, run.source) == ("run", "machine", "DocumentReference/doc-1/_history/1")
    assert run.who.startswith("fhirwright") and reference in run.about and run.editions == (f"{ICD10CM}|2026",)
    assert (reject.who, reject.role, reject.reason, reject.note) == ("C. Coder", "coder", "history-only", "2019")
    assert (reject.about, reject.void) == ((reference,), True)
    assert f"{reference}/_history/1" in reject.versions
    assert (undo.undoes, undo.void) == (decided, False)
    assert (principal.role, principal.about) == ("auditor", (desk.of("E78.5"),))


def test_each_run_has_its_place(desk) -> None:
    """With the history of the pipeline's Provenance every run is told, each once."""
    desk.decide("accept", "I10")
    desk.run(text="A new line.\n" + "\n".join(one.words for one in desk.review.suggestions) + "\npneumonia")
    runs = [one for one in desk.shelf.versions.values() if one["resourceType"] == "Provenance" and "contained" in one]
    assert [event.kind for event in timeline(desk.review, runs)] == ["run", "accept", "run"]


def test_machine_coder_and_auditor_are_told_apart(desk) -> None:
    """What the machine put on the claim, what coders made of it, what auditors made of that."""
    desk.decide("reject", "E11.65", reason="not-supported")
    desk.decide("accept", "G47.30")
    desk.replace("I10", "I11.9")
    desk.decide("add", "R06.2", system=ICD10CM)
    desk.decide("reject", "G47.30", reason="rule-out", who=AUDITOR)
    desk.decide("accept", "I11.9", who=AUDITOR)
    desk.decide("accept", "E11.65", who=AUDITOR)
    sets = sets_of(desk.review)
    assert codes(sets, "machine") == ["E11.65", "E78.5", "I10"]
    assert codes(sets, "coder") == ["E78.5", "G47.30", "I11.9", "R06.2"]
    assert codes(sets, "auditor") == ["E11.65", "E78.5", "I11.9", "R06.2"]
    assert sets.audited
    unchanged = [row.reference for row in sets.rows if not row.changed]
    assert unchanged == [desk.of("E78.5"), desk.of("99214"), desk.of("J1885")]


def test_without_decisions_the_sets_are_one(desk) -> None:
    """What nobody decided stands as the machine proposed it, and an undone decision is none."""
    desk.decide("undo", about=desk.decide("reject", "I10", reason="duplicate"))
    sets = sets_of(desk.review)
    assert sets.codes("machine") == sets.codes("coder") == sets.codes("auditor")
    assert not sets.audited


def test_two_who_agree_and_two_who_do_not() -> None:
    """Jaccard over the codes of either; Cohen's kappa over all that was considered."""
    a, b, c, d = ((ICD10CM, code) for code in ("A00.0", "B00.0", "C00.0", "D00.0"))
    same = agreement([a, b], [b, a], considered=[c])
    assert (same.jaccard, same.kappa) == (1.0, 1.0)
    half = agreement([a, b], [b, c], considered=[d])
    assert (half.both, half.first, half.second, half.neither) == ({b}, {a}, {c}, 1)
    assert half.jaccard == pytest.approx(1 / 3)
    assert half.kappa == pytest.approx(0.0)
    assert agreement([a, b], [c, d]).kappa == pytest.approx(-1.0)
    nothing = agreement([], [])
    assert (nothing.jaccard, nothing.kappa) == (1.0, None)


def test_what_was_considered_is_every_code_that_was_shown(desk) -> None:
    """Suggestions, what stood before a replacement, and what the machine left out."""
    desk.replace("I10", "I11.9")
    shown = {code for _, code in considered_keys(desk.review)}
    assert {"I10", "I11.9", "J18.9", "G47.30", "99214"} <= shown


def test_corrected_words_are_told_and_are_no_decision_to_undo(desk) -> None:
    """The Provenance of a correction stands in the timeline; undo passes it over, a run does not count it."""
    accepted = desk.decide("accept", "I10")
    body = {
        "resourceType": "Provenance",
        "target": [{"reference": "DocumentReference/doc-1"}],
        "recorded": "2026-04-01T00:30:00Z",
        "activity": {"coding": [{"system": CODING_DECISION, "code": "correct-words"}]},
        "agent": [{"who": {"display": "C. Coder"}}],
    }
    desk.shelf.take({"entry": [{"resource": body, "request": {"method": "POST", "url": "Provenance"}}]})
    assert last_decision(desk.shelf.current.values()) == accepted
    assert [event.kind for event in timeline(desk.review)][-1] == "correct-words"
    desk.run()
    (told,) = [one for one in desk.shelf.current.values() if "contained" in one]
    assert "1 decision of coders kept." in told["activity"]["text"]
