"""Files of X12 as answers to claims, and the difference between two answers."""

from __future__ import annotations

import pytest

from campaigns.claiming.making import claims
from campaigns.claiming.x12_cases import written
from claims.work_diff import compare, expected, found_rules, not_run, rests_on
from claims.work_x12 import acknowledged, recognise, refusals, sent
from claims.x12.read277ca import ClaimOutcome, Status
from claims.x12.read999 import Fault, GroupOutcome, TransactionOutcome
from fhir_profiles.errors import FhirError
from fhir_profiles.systems import ADJUDICATION, CLAIM_RULE, FINDING_RULE, RULES_NOT_RUN, TABLE_RELEASE

TEXT = written(claims(3), "professional")


def test_a_file_says_what_it_is() -> None:
    """Kind, sender, number and day of the envelope; ids follow from them and from the content."""
    found = recognise(TEXT.encode())
    assert (found.kind, found.number, found.day) == ("837", "SENDER1-000000001", "2026-11-01")
    assert found.id("a", 1) == recognise(TEXT.encode()).id("a", 1) != found.id("a", 2)
    assert found.id("a") != recognise(TEXT.replace("MILL LANE", "MALL LANE").encode()).id("a")


def test_other_files_are_refused() -> None:
    """A transaction set that is not about claims, and what is no X12."""
    with pytest.raises(FhirError, match="of one kind"):
        recognise(TEXT.replace("ST*837*", "ST*270*").encode())
    with pytest.raises(FhirError, match="Segment 1"):
        recognise(b"{}")


def test_the_claims_of_a_sent_file_are_listed() -> None:
    """Each transaction set with its numbers and those of its claims."""
    [one] = sent(TEXT.encode())
    assert (one.group, one.control) == ("1", "0001")
    assert one.claims == ["A00000000", "A00000001", "A00000002"]


def test_a_refused_group_refuses_all() -> None:
    """Without transaction sets the group's own code counts; faults are told by their place, three at most."""
    assert refusals(GroupOutcome("1", "A"), None) == []
    [whole] = refusals(GroupOutcome("1", "R"), None)
    assert whole.category == "refused" and "code R" in whole.concept["text"]
    faults = [Fault("NM1", n, None, "8", "9") for n in range(5)]
    [one] = refusals(GroupOutcome("1", "P"), TransactionOutcome("0001", "R", faults))
    assert one.concept["text"].endswith(
        "segment NM1 at 0, element 9; segment NM1 at 1, element 9; segment NM1 at 2, element 9"
    )


def test_a_status_for_a_line_names_it() -> None:
    """Refused statuses are errors; of a claim that goes on none is."""
    outcome = ClaimOutcome("A1", "ICN", None, None, [Status("A3", "187")], {"2": [Status("A7", "454", "PR")]})
    found = acknowledged(outcome, "2026-11-01")
    assert [one.get("itemSequence") for one in found["error"]] == [None, 2]
    assert found["created"] == "2026-11-01" and found["identifier"] == [{"value": "ICN"}]
    good = acknowledged(ClaimOutcome("A1", statuses=[Status("A2", "20")]), "2026-11-01")
    assert good["outcome"] == "queued" and "error" not in good


def test_answers_are_compared_by_rule_and_cents() -> None:
    """Errors count each, notes as often as lines name them; a first answer gains all that it finds."""
    note = {
        "number": 1,
        "extension": [{"url": FINDING_RULE, "extension": [{"url": "rule", "valueCoding": {"code": "UNT-001"}}]}],
    }
    error = {"code": {"coding": [{"system": CLAIM_RULE, "code": "CHG-002"}]}}
    total = {"category": {"coding": [{"system": ADJUDICATION, "code": "eligible"}]}, "amount": {"value": 86.84}}
    new = {
        "outcome": "error", "error": [error, error], "processNote": [note], "total": [total],
        "item": [{"noteNumber": [1]}, {"noteNumber": [1]}],
    }  # fmt: skip
    assert found_rules(new) == {"CHG-002": 2, "UNT-001": 2} and expected(new) == 8684
    old = {"outcome": "partial", "error": [error]}
    one = compare(old, new)
    assert (one.gained, one.lost, one.before, one.after) == ({"CHG-002": 1, "UNT-001": 2}, {}, 0, 8684)
    assert (one.clean_before, one.clean_after, one.changed, one.first) == (1, 0, 1, 0)
    assert compare(None, new).first == 1 and not compare(new, new).differs


def test_what_an_answer_rests_on_is_read() -> None:
    """Releases of tables, and the rules that were not run with the tables that they lack."""
    release = {
        "url": TABLE_RELEASE,
        "extension": [{"url": "table", "valueCode": "rvu"}, {"url": "release", "valueString": "26A"}],
    }
    missing = {
        "url": RULES_NOT_RUN,
        "extension": [{"url": "table", "valueCode": "ptp"}, {"url": "rule", "valueCode": "NCC-001"}],
    }
    response = {"extension": [release, missing]}
    assert rests_on(response) == {"rvu": "26A"} and not_run(response) == ({"NCC-001"}, {"ptp"})
