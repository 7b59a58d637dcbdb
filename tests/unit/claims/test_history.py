"""What earlier claims say to a later one."""

from __future__ import annotations

import random
from typing import Any

import orjson

from campaigns.claiming.making import claim
from campaigns.claiming.tables import made_tables
from claims.edit import Edits
from claims.history import Earlier, corrects, earlier, recall
from claims.rules.rule import own_rules
from claims.sheet.read import Record, read_claim

Json = dict[str, Any]
EDITS = Edits([rule for rule in own_rules() if rule.id in ("DUP-002", "DUP-003", "DUP-005", "REQ-002")], made_tables())


def made(number: int = 1, **changes: Any) -> Json:
    """A sound claim; those of different numbers differ in nothing else."""
    return claim(random.Random(1), 1) | {
        "id": f"c{number}", "identifier": [{"system": "urn:claims", "value": f"A{number}"}], **changes
    }  # fmt: skip


def past(resource: Json) -> Earlier:
    """What it says to later ones."""
    body = orjson.dumps(resource)
    return earlier(read_claim(body), corrects(body))


def held(resource: Json, *several: Json, **states: str) -> Record:
    """The record of a claim with its history."""
    body = orjson.dumps(resource)
    record = read_claim(body)
    recall(record, [past(one) for one in several], corrects(body), states)
    return record


def rules(record: Record) -> set[str]:
    """The rules of repeats that it breaks."""
    return {found.rule.id for found in EDITS.of_record(record)}


def related(number: str, how: str = "prior") -> Json:
    """`Claim.related` to a control number."""
    return {"related": [{"relationship": {"coding": [{"code": how}]}, "reference": {"value": number}}]}


def test_the_lines_of_an_earlier_claim_are_history() -> None:
    """Each line is a row with its performer, group, charges and state; the claim then knows its history."""
    record = held(made(2), made(1), c1="paid")
    first, line = record["history"][0], record["lines"][0]
    assert record["claim"]["history_known"] and len(record["history"]) == 3
    assert (first["claim"], first["control"], first["status"], first["same_claim"]) == ("c1", "A1", "paid", True)
    assert (first["code"], first["start"], first["charge"]) == (line["code"], line["start"], line["charge"])
    assert first["provider_npi"] == line["performer"] and first["claim_total"] == record["claim"]["total"]


def test_a_copy_under_another_number_is_a_duplicate() -> None:
    """The whole claim equals an earlier one; with another charge its lines alone do."""
    assert rules(held(made(2), made(1))) == {"DUP-003"}
    other = made(2)
    other["item"][0]["net"]["value"] += 1
    assert rules(held(other, made(1))) == {"DUP-002"}


def test_the_claim_itself_is_no_earlier_one() -> None:
    """Neither by its id, nor when it was stored under another with the same number; once paid it is one."""
    same = made(1, id="other")
    assert rules(held(made(1), made(1))) == set()
    assert rules(held(same, made(1))) == set()
    assert "DUP-005" in rules(held(same, made(1), c1="paid"))


def test_what_was_corrected_counts_no_more() -> None:
    """The claim that this one replaces, one that another replaced, and a void are left out."""
    assert rules(held(made(2, **related("A1")), made(1))) == set()
    assert rules(held(made(2, related=[{"claim": {"reference": "http://x/fhir/Claim/c1"}}]), made(1))) == set()
    replaced = made(3, **related("A1", "replaces"))
    replaced["item"] = replaced["item"][:1]
    replaced["item"][0]["servicedDate"] = "2020-01-01"
    assert rules(held(made(2), made(1), replaced)) == set()
    void = made(4, **related("A1", "8"))
    assert held(made(2), made(1), void)["history"] == []
    assert held(made(2, **related("A1", "associated")), made(1))["history"]


def test_no_earlier_claim_is_no_known_history() -> None:
    """A server that has no claim of a patient may have been given none."""
    record = held(made(1))
    assert record["history"] == [] and not record["claim"]["history_known"]


def test_how_an_earlier_claim_was_written_does_not_matter() -> None:
    """Codes in small letters are put right before they are compared."""
    small = made(1)
    small["item"][0]["productOrService"]["coding"][0]["code"] = "g0438"
    small["diagnosis"][0]["diagnosisCodeableConcept"]["coding"][0]["code"] = "e119"
    (row, *_) = past(small).rows
    assert row["code"] == "G0438" and row["diagnoses"][0] == "E11.9"


def test_a_bundle_tells_what_its_claim_corrects() -> None:
    """`related` of the first entry counts, versions of references do not."""
    claim = made(2, related=[{"claim": {"reference": "Claim/c1/_history/3"}}])
    bundle = {"resourceType": "Bundle", "entry": [{"resource": claim}]}
    assert corrects(orjson.dumps(bundle)) == {"Claim/c1"}
