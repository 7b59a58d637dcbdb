"""Hard and soft stops, each with what it leads to."""

from __future__ import annotations

from pathlib import Path

import pytest

from claims.answer.head import read_head
from claims.answer.response import Written, response
from claims.answer.scrub import Scrub
from claims.sheet.read import read_claim
from fhir_profiles import json
from fhir_profiles.errors import FhirError
from fhir_profiles.systems import CLAIM_RULE, FINDING_PATH, FINDING_RULE, RULES_NOT_RUN
from server.review.stops import stops_of
from terminology.model import Validation


def error(rule: str, path: str, text: str = "It is wrong") -> dict:
    """An error of a ClaimResponse."""
    code = {"coding": [{"system": CLAIM_RULE, "code": rule}], "text": text}
    return {"extension": [{"url": FINDING_PATH, "valueString": path}], "code": code}


def note(number: int, rule: str, severity: str, path: str | None = None) -> dict:
    """A note of a ClaimResponse."""
    parts = [
        {"url": "rule", "valueCoding": {"system": CLAIM_RULE, "code": rule}},
        {"url": "severity", "valueCode": severity},
        *([{"url": "path", "valueString": path}] if path else []),
    ]
    return {"extension": [{"url": FINDING_RULE, "extension": parts}], "number": number, "text": f"Note {number}"}


def edits(desk, response: dict, **more) -> list[tuple[str, str, str]]:
    """Severity, rule and what it leads to of the stops that a ClaimResponse gives."""
    found = stops_of(desk.review, response, **more)
    return [(s.severity, s.code, s.leads) for s in found if s.code not in ("undecided", "not-run")]


def test_errors_about_what_a_coder_decides_are_hard(desk) -> None:
    """Each leads to the diagnosis or service that it is about."""
    paths = ("Claim.diagnosis.where(sequence = 2).diagnosis", "Claim.item.where(sequence = 2).modifier")
    response = {"error": [error(f"ABC-00{n}", path) for n, path in enumerate(paths)]}
    assert edits(desk, response) == [("hard", "ABC-000", desk.of("I10")), ("hard", "ABC-001", desk.of("J1885"))]


def test_what_billing_puts_in_is_soft_for_a_coder_and_hard_for_billing(desk) -> None:
    """Coverage and charges lead to the Claim or the line, and to the field."""
    response = {"error": [error("REQ-009", "Claim.insurer"), error("REQ-016", "Claim.item.where(sequence = 1).net")]}
    soft = [("soft", "REQ-009", desk.review.claim), ("soft", "REQ-016", desk.of("99214"))]
    assert edits(desk, response) == soft
    assert [one[0] for one in edits(desk, response, billing=True)] == ["hard", "hard"]
    assert stops_of(desk.review, response)[0].field == "Claim.insurer"


def test_notes_are_soft_or_told(desk) -> None:
    """A warning is soft, information is told; one about lines leads to each line that names it."""
    response = {
        "processNote": [
            note(1, "DXV-031", "warning"),
            note(2, "DXV-011", "information", "Claim.diagnosis.where(sequence = 3).diagnosis"),
            {"number": 3, "text": "Repaired before the edits"},
        ],
        "item": [{"itemSequence": 1}, {"itemSequence": 2, "noteNumber": [1]}],
    }
    assert edits(desk, response) == [("soft", "DXV-031", desk.of("J1885")), ("told", "DXV-011", desk.of("E78.5"))]


def test_rules_that_were_not_run_are_told(desk) -> None:
    """How many, and for want of which table."""
    parts = [{"url": "table", "valueCode": "mue"}, {"url": "rule", "valueCode": "MUE-001"}]
    told = stops_of(desk.review, {"extension": [{"url": RULES_NOT_RUN, "extension": parts}]})
    assert [(s.severity, s.text) for s in told if s.code == "not-run"] == [
        ("told", "1 rule was not run: mue is not loaded.")
    ]


def test_what_is_undecided_is_a_soft_stop(desk) -> None:
    """Each leads to its suggestion, and goes with the decision."""
    assert len(stops_of(desk.review, None)) == len(desk.review.suggestions)
    desk.decide("accept", "I10")
    assert desk.of("I10") not in {stop.leads for stop in stops_of(desk.review, None)}


def test_a_claim_without_a_diagnosis_is_not_finished(desk_of) -> None:
    """The stop is hard, and finish refuses with its text."""
    desk = desk_of(said=(("office visit", "http://www.ama-assn.org/go/cpt", "99214", 0.95, "accepted"),))
    stops = stops_of(desk.review, None)
    assert [stop.code for stop in stops if stop.severity == "hard"] == ["no-diagnosis"]
    with pytest.raises(FhirError, match="No diagnosis"):
        desk.bundle("finish", stops=tuple(stops))


def test_soft_stops_do_not_keep_from_finishing(desk) -> None:
    """The Claim is active then, and no further decision is taken before that is undone."""
    stops = tuple(stops_of(desk.review, {"error": [error("REQ-009", "Claim.insurer")]}))
    assert stops
    provenance = desk.decide("finish", stops=stops)
    assert desk.claim["status"] == "active"
    with pytest.raises(FhirError, match="finished"):
        desk.bundle("accept", "I10")
    desk.decide("undo", about=provenance)
    desk.decide("accept", "I10")


def test_a_code_that_cannot_be_billed_is_a_hard_stop(desk) -> None:
    """The terminology is asked about what is on the claim, and its message is told."""

    def check(system: str, code: str, on: object) -> Validation:
        return Validation(code != "E78.5", system, code, message="It was retired.")

    hard = [s for s in stops_of(desk.review, None, check=check) if s.severity == "hard"]
    assert [(s.code, s.leads, s.text) for s in hard] == [
        ("invalid-code", desk.of("E78.5"), "E78.5 cannot be billed. It was retired.")
    ]


def test_the_answer_of_the_edits_themselves_is_understood(desk) -> None:
    """A draft of the machine against the rules as they are: every error has its rule and a path that is read."""
    scrub, body = Scrub.open(Path("nowhere")), json.encode(desk.claim)
    result = scrub.one(read_claim(body, 0, lambda _: None, 20_600), read_head(body))
    told = json.decode(response(result, Written("x", "2026-06-01", scrub.stamp.whole, True)))
    stops = stops_of(desk.review, told)
    assert {s.code for s in stops} >= {"REQ-009", "REQ-016", "not-run", "undecided"}
    assert all(s.leads for s in stops)
    assert "edit" not in {s.code for s in stops}
