"""The Task of a claim: one for each, with what is wrong, by when and whose work it is."""

from __future__ import annotations

import random
from typing import Any

import polars as pl
import pytest

from campaigns.claiming.making import claim
from claims.sheet.read import read_claim
from claims.sheet.values import day
from claims.tables.schema import TABLES
from claims.tables.table import Table
from claims.work import Circumstances, state_of, task_after
from claims.work_answer import Answer, Failure, read_answer
from claims.work_due import due, priority
from fhir_profiles import json
from fhir_profiles.systems import (
    ADJUDICATION,
    ANSWER_SOURCE,
    CLAIM_RULE,
    EDIT_RUN,
    FINDING_PATH,
    X12_ADJUSTMENT_GROUPS,
    X12_ADJUSTMENT_REASONS,
)
from fhir_profiles.validate import check

Json = dict[str, Any]
NOW = "2026-06-01T10:00:00Z"
LATER = "2026-06-02T10:00:00Z"


def at(now: str = NOW, **more: Any) -> Circumstances:
    return Circumstances("c1", now, day("2026-06-01") or 0, **more)


def failure(rule: str, path: str | None = None, carc: str = "16") -> Failure:
    codings = [{"system": CLAIM_RULE, "code": rule}, {"system": X12_ADJUSTMENT_REASONS, "code": carc}]
    return Failure(rule.partition("-")[0], {"coding": codings, "text": f"What {rule} says"}, path)


def scrub(*rules: str, name: str = "ClaimResponse/s") -> Answer:
    return Answer("scrub", [failure(rule) for rule in rules], name)


def follow(*answers: Answer) -> Json:
    """The Task after several answers."""
    task: Json | None = None
    for answer in answers:
        task = task_after(answer, task, at()) or task
    assert task is not None and check(task) == []
    return task


def test_a_failed_claim_has_a_task_that_says_all() -> None:
    """Status, state, reason with its CARC, every finding, the last day, priority and owner; valid FHIR."""
    where = at(due=day("2026-06-20"), patient="Patient/p", owners={"NCC": "Organization/coding", "*": "Organization/b"})
    task = task_after(scrub("NCC-001", "CHG-002"), None, where)
    assert task is not None and check(task) == []
    assert (task["status"], state_of(task), task["priority"]) == ("requested", "NCC", "urgent")
    assert task["reasonCode"]["coding"][1] == {"system": X12_ADJUSTMENT_REASONS, "code": "16"}
    assert task["reasonReference"] == {"reference": "ClaimResponse/s"} and task["focus"] == {"reference": "Claim/c1"}
    assert [one["valueCodeableConcept"]["coding"][0]["code"] for one in task["input"]] == ["NCC-001", "CHG-002"]
    assert task["restriction"] == {"period": {"end": "2026-06-20"}}
    assert task["owner"] == {"reference": "Organization/coding"} and task["for"] == {"reference": "Patient/p"}
    assert task["description"] == "What NCC-001 says; and 1 more finding."


def test_a_clean_claim_makes_no_work() -> None:
    """No Task is made of an answer without errors; one that stands is completed."""
    assert task_after(scrub(), None, at()) is None
    task = follow(scrub("CHG-002"), scrub(name="ClaimResponse/t"))
    assert (task["status"], state_of(task)) == ("completed", "clean")
    assert "input" not in task and "reasonCode" not in task
    assert task_after(scrub(name="ClaimResponse/t"), task, at(LATER)) is None, "nothing new is no new version"


def test_what_people_set_stays() -> None:
    """Owner, status, notes and priority of a person outlive another failure; completed work opens again."""
    task = follow(scrub("CHG-002"))
    mine = {**task, "status": "in-progress", "owner": {"reference": "Practitioner/me"}, "note": [{"text": "called"}]}
    again = task_after(scrub("DAT-003"), {**mine, "priority": "stat"}, at(LATER, owners={"*": "Organization/b"}))
    assert again is not None
    assert (again["status"], again["owner"], again["priority"]) == ("in-progress", mine["owner"], "stat")
    assert again["note"] == mine["note"] and state_of(again) == "DAT" and again["lastModified"] == LATER
    closed = task_after(scrub("DAT-003", "CHG-002"), {**again, "status": "completed"}, at())
    assert closed is not None and closed["status"] == "requested"


def test_work_that_was_set_aside_stays_so_until_something_new_is_wrong() -> None:
    """A cancelled Task is not opened by the same errors, and is by others."""
    task = {**follow(scrub("CHG-002")), "status": "cancelled"}
    same = task_after(scrub("CHG-002", name="ClaimResponse/t"), task, at())
    assert same is not None and same["status"] == "cancelled"
    other = task_after(scrub("DAT-003"), task, at())
    assert other is not None and other["status"] == "requested"


def test_the_work_goes_to_who_sees_to_its_category() -> None:
    """An owner of the settings changes with the category."""
    owners = {"CHG": "Organization/a", "DAT": "Organization/b"}
    task = task_after(scrub("CHG-002"), None, at(owners=owners))
    again = task_after(scrub("DAT-003"), task, at(owners=owners))
    assert again is not None and again["owner"] == {"reference": "Organization/b"}


def test_the_doors_of_a_payer_follow_each_other() -> None:
    """Received, accepted, decided; a refusal is open work until a later door lets the claim pass."""
    refused = Answer("999", [Failure("refused", {"text": "The file was refused"})], "List/x")
    task = follow(refused)
    assert (task["status"], state_of(task)) == ("requested", "refused")
    task = follow(refused, Answer("999", [], "List/y"))
    assert (task["status"], state_of(task)) == ("received", "received")
    task = follow(Answer("999", [], "List/y"), Answer("277ca", [], "ClaimResponse/a"))
    assert (task["status"], state_of(task)) == ("accepted", "accepted")
    task = follow(refused, Answer("277ca", [], "ClaimResponse/a"), Answer("835", [], "ClaimResponse/b"))
    assert (task["status"], state_of(task)) == ("completed", "paid")


def test_a_clean_scrub_does_not_undo_a_denial() -> None:
    """What a payer said stays until the payer says otherwise, and is the main reason."""
    denied = Answer("835", [Failure("denied", {"text": "Denied"}, "Claim.item.where(sequence = 1)")], "ClaimResponse/d")
    task = follow(denied, scrub())
    assert (task["status"], state_of(task)) == ("requested", "denied")
    assert state_of(follow(denied, scrub("CHG-002"))) == "denied"


def test_a_task_lists_so_many_findings_and_tells_of_the_rest() -> None:
    """At most a hundred inputs; the description counts all."""
    task = follow(scrub(*(f"CHG-{n:03}" for n in range(150))))
    assert len(task["input"]) == 100 and task["description"].endswith("and 149 more findings.")


def test_errors_of_a_scrub_are_read() -> None:
    """Category from the rule, the concept as it stands, the path."""
    error = {
        "extension": [{"url": FINDING_PATH, "valueString": "Claim.item.where(sequence = 2).net"}],
        "code": failure("CHG-002").concept,
    }
    response = {"id": "r", "extension": [{"url": EDIT_RUN, "valueString": "f"}], "outcome": "error", "error": [error]}
    answer = read_answer(response)
    assert (answer.source, answer.reference) == ("scrub", "ClaimResponse/r")
    assert answer.failures == [failure("CHG-002", "Claim.item.where(sequence = 2).net")]


def adjudication(submitted: int, paid: int, *reasons: str) -> list[Json]:
    def coded(system: str, code: str) -> Json:
        return {"coding": [{"system": system, "code": code}]}

    found: list[Json] = [
        {"category": coded(ADJUDICATION, "submitted"), "amount": {"value": submitted}},
        {"category": coded(ADJUDICATION, "benefit"), "amount": {"value": paid}},
    ]
    for reason in reasons:
        group, _, code = reason.partition("-")
        found.append({"category": coded(X12_ADJUSTMENT_GROUPS, group), "reason": coded(X12_ADJUSTMENT_REASONS, code)})
    return found


@pytest.mark.parametrize(
    ("line", "denied"),
    [
        (adjudication(100, 80, "CO-45"), []),
        (adjudication(100, 0, "CO-45", "PR-1"), []),
        (adjudication(100, 0, "CO-50"), ["50"]),
        (adjudication(100, 0, "OA-18", "CO-45"), ["18"]),
    ],
)
def test_a_remittance_denies_what_it_pays_nothing_for(line: list[Json], denied: list[str]) -> None:
    """Deductibles and contractual reductions are no denial; other reasons for paying nothing are."""
    response = json.decode(
        json.encode(
            {
                "extension": [{"url": ANSWER_SOURCE, "valueCode": "835"}],
                "outcome": "complete",
                "item": [{"itemSequence": 1, "adjudication": line}],
            }
        )
    )
    answer = read_answer(response)
    assert [f.concept["coding"][0]["code"] for f in answer.failures] == denied
    assert all(f.path == "Claim.item.where(sequence = 1)" for f in answer.failures)


def test_a_claim_that_was_denied_as_a_whole_fails() -> None:
    """The disposition alone is enough where no reason is given."""
    response = {"extension": [{"url": ANSWER_SOURCE, "valueCode": "835"}], "disposition": "Denied"}
    assert [f.category for f in read_answer(response).failures] == ["denied"]


def test_the_last_day_is_that_of_the_payer_or_of_medicare() -> None:
    """The limit of the table `payer`, for a correction its own; a year for Medicare; none where nothing is known."""
    made = claim(random.Random(1), 1)
    record = read_claim(json.encode(made))
    last = record["claim"]["last_service"]
    rows = pl.DataFrame({"id": ["12345"], "filing_days": [90], "correction_days": [120]})
    values = {name: pl.lit(None) for name in TABLES["payer"].values if name not in rows.columns}
    payers = Table.of(TABLES["payer"], rows.with_columns(**values), "test")
    assert due(record, payers) == last + 90
    record["claim"]["related_number"] = "1"
    assert due(record, payers) == last + 120
    assert due(record, None) is None
    record["claim"]["medicare"] = True
    assert due(record, None) == last + 365


def test_work_is_the_more_urgent_the_nearer_the_last_day() -> None:
    """Routine beyond thirty days and where no day is known, urgent, first from a week on and after it."""
    assert [priority(left, 0) for left in (31, 30, 8, 7, -1)] == ["routine", "urgent", "urgent", "asap", "asap"]
    assert priority(None, 0) == "routine"
