"""From resources to rows: whatever is missing of them, and whose decision counts."""

from __future__ import annotations

import json
from typing import Any

from fhir_profiles.systems import CODING_BASIS, CODING_DECISION, CONFIDENCE, ICD10CM
from server.figures.reading import (
    counting,
    decided,
    read_decision,
    read_due,
    read_review,
    read_work,
    second_looks,
    suggested_in,
)


def _decision(id: str, kind: str, second: int, who: str = "a", undoes: str = "") -> Any:
    body: dict[str, Any] = {
        "resourceType": "Provenance", "id": id, "recorded": f"2026-03-01T00:00:{second:02d}Z",
        "target": [{"reference": "Condition/c/_history/2"}, {"reference": "Claim/x"}],
        "activity": {"coding": [{"system": CODING_DECISION, "code": kind}]},
        "agent": [{"who": {"reference": f"Practitioner/{who}"}}],
        "entity": [{"role": "removal", "what": {"reference": f"Provenance/{undoes}"}}] if undoes else [],
    }  # fmt: skip
    found = read_decision(json.dumps(body).encode())
    assert found is not None
    return found


def test_an_undo_that_was_undone_undoes_nothing() -> None:
    """accept, undo, undo of that: accepted; the last decision that stands counts, in whatever order they come."""
    accept, undo = _decision("1", "accept", 1), _decision("2", "undo", 2, undoes="1")
    again = _decision("3", "undo", 3, undoes="2")
    assert counting([undo, accept]) == {}
    assert counting([again, undo, accept]) == {"Condition/c": accept}
    reject = _decision("4", "reject", 4)
    assert counting([reject, accept]) == {"Condition/c": reject}


def test_second_looks_are_those_of_another_person() -> None:
    """The same person twice is one look; two people agree when they decided alike at last."""
    mine, changed = _decision("1", "accept", 1), _decision("2", "reject", 2)
    other = _decision("3", "reject", 3, who="b")
    assert second_looks([mine, changed]) == []
    [look] = second_looks([mine, changed, other])
    assert look.agreed and look.decisions == (changed, other)
    assert not second_looks([mine, other])[0].agreed


def test_a_suggestion_says_who_made_it() -> None:
    """The rule of the basis, else that of the note, else a printed code, else the words; a coder's own is a coder's."""
    basis = {"url": CODING_BASIS, "extension": [{"url": "rule", "valueString": "copd"}]}

    def proposer(note: str, *extensions: dict[str, Any]) -> str:
        body = {"code": {"coding": [{"system": ICD10CM, "code": "I10", "extension": list(extensions)}]},
                "note": [{"text": note}]}  # fmt: skip
        return suggested_in(json.dumps(body).encode()).proposer()

    assert proposer("x (kidney-stage; I.C.14.a)", basis) == "copd"
    assert proposer("x (kidney-stage; I.C.14.a)") == "kidney-stage"
    assert proposer("Printed on the page. Valid") == "printed code"
    assert proposer('"asthma" names it') == "words of the text"
    added = _decision("1", "add", 1)
    assert decided("Condition/c", added, None).proposer == "coder"


def test_what_was_taken_away_is_read_from_the_version_before() -> None:
    """A confidence that the decision removed counts as the suggestion had it."""
    sure = {"url": CONFIDENCE, "valueDecimal": 0.7}

    def coded(*extensions: dict[str, Any]) -> Any:
        body = {"code": {"coding": [{"system": ICD10CM, "code": "I10", "extension": list(extensions)}]}}
        return suggested_in(json.dumps(body).encode())

    row = decided("Condition/c", _decision("1", "replace", 1), coded(), coded(sure))
    assert (row.confidence, row.code) == (0.7, "I10")
    hidden = decided("Condition/c", _decision("1", "replace", 1), None)
    assert (hidden.confidence, hidden.code, hidden.proposer) == (None, "", "unknown")


def test_tasks_that_say_little_are_read_all_the_same() -> None:
    """Anybody may write a Task of these codes: what is missing is unknown, and nothing fails."""
    bare = b'{"resourceType":"Task","id":"t","status":"draft"}'
    work = read_work(bare)
    assert (work.state, work.stage, work.cause, work.asked, work.ended) == ("waiting", "unknown", "unknown", None, None)
    assert read_review(bare).begun is None and read_due(bare).due is None
    assert read_decision(b'{"resourceType":"Provenance","id":"p","recorded":"2026"}') is None
