"""Claims that replace or void earlier ones (https://hl7.org/fhir/R4/claim.html)."""

from __future__ import annotations

import json
import random
from datetime import datetime
from typing import Any

import pytest

from campaigns.claiming.institutional import inpatient
from campaigns.claiming.making import claim
from campaigns.claiming.x12_cases import pyx12_accepts
from claims.correct import Correction, correct, is_void, payer_number, standing
from claims.sheet.read import read_claim
from claims.x12.envelope import Envelope
from claims.x12.read837 import read_837
from claims.x12.write837 import interchange
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import ANSWER_SOURCE, BILLING, EDIT_RUN

Json = dict[str, Any]
NUMBER = {"system": "urn:icn", "value": "ICN55"}
ENVELOPE = Envelope(
    "SENDER1", "PAYER1", "Mill Lane Billing", "Kim Roe", "5125550100", "EXAMPLE PLAN", 7, datetime(2026, 11, 1), "T"
)


def _replace(**more: Any) -> Correction:
    return Correction("replace", "new", "2026-11-20", NUMBER, **more)


VOID = Correction("void", "new", "2026-11-20", NUMBER)


@pytest.mark.parametrize(("make", "kind"), [(claim, "professional"), (inpatient, "institutional")])
@pytest.mark.parametrize(("correction", "frequency"), [(_replace(), "7"), (VOID, "8")])
def test_x12_says_what_is_corrected(make: Any, kind: Any, correction: Correction, frequency: str) -> None:
    """CLM05-3 has the frequency and REF F8 the payer's number; pyx12 accepts the file, and reading it back says so."""
    made = correct(make(random.Random(1), 1), correction)
    text = "".join(interchange([json.dumps(made).encode()], kind, ENVELOPE))
    assert f":{frequency}*" in text.split("CLM*")[1].split("~")[0] and "REF*F8*ICN55~" in text
    assert pyx12_accepts(text)[0]
    (back,) = read_837(text.encode())
    assert back["related"][0]["reference"]["value"] == "ICN55"
    row = read_claim(json.dumps(made).encode())["claim"]
    assert row["related_how"] == frequency and row["related_number"] == "ICN55"


def test_numbers_are_counted_on() -> None:
    """Each correction has a number of its own, within what X12 holds; the chain names its predecessor alone."""
    made = claim(random.Random(2), 2)
    first = correct(made, Correction("replace", "b", "2026-11-20", NUMBER, made))
    assert first["identifier"] == [{**made["identifier"][0], "value": "A00000002-R1"}]
    second = correct(first, Correction("void", "c", "2026-11-21", NUMBER))
    assert second["identifier"][0]["value"] == "A00000002-R2" and len(second["related"]) == 1
    assert second["related"][0]["claim"] == {"reference": "Claim/b"} and is_void(second) and not is_void(first)
    made["identifier"][0]["value"] = "X" * 38
    assert len(correct(made, VOID)["identifier"][0]["value"]) == 38
    assert "identifier" not in correct({k: v for k, v in made.items() if k != "identifier"}, VOID)
    own = {**made, "identifier": [{"value": "MINE"}]}
    assert correct(made, _replace(content=own))["identifier"] == [{"value": "MINE"}]


def test_a_copy_is_a_draft_and_content_a_bill() -> None:
    """A copy waits for its changes; what was changed, and what voids, is ready; meta and text stay with the old one."""
    made = claim(random.Random(3), 3) | {"meta": {"versionId": "3", "profile": ["urn:p"], "tag": [{"code": "x"}]}}
    copy = correct(made, _replace())
    assert copy["status"] == "draft" and copy["meta"] == {"profile": ["urn:p"]} and copy["item"] == made["item"]
    changed = correct(made, _replace(content={**made, "item": made["item"][:1]}))
    assert changed["status"] == "active" and len(changed["item"]) == 1 and changed["created"] == "2026-11-20"
    assert correct(made, VOID)["status"] == "active"


def test_the_type_of_bill_says_the_frequency() -> None:
    """The last character of a type of bill follows, also where it stands in supportingInfo."""
    made = inpatient(random.Random(4), 4)
    assert correct(made, VOID)["subType"]["coding"][0]["code"] == "0118"
    made["supportingInfo"][0] = {
        "sequence": 1, "category": {"coding": [{"code": "typeofbill"}]}, "code": {"coding": [{"code": "0111"}]},
    }  # fmt: skip
    assert correct(made, _replace())["supportingInfo"][0]["code"]["coding"][0]["code"] == "0117"


NONSENSE: list[tuple[Json, Json | None, str, str]] = [
    ({"use": "preauthorization"}, None, "replace", "Only claims"),
    ({"status": "draft"}, None, "replace", "never a bill"),
    ({"status": "cancelled"}, None, "void", "never a bill"),
    ({"related": [{"relationship": {"coding": [{"code": "8"}]}}]}, None, "replace", "takes another one back"),
    ({}, {}, "void", "Leave the parameter"),
    ({}, {"use": "predetermination"}, "replace", "as it should have been"),
    ({}, {"patient": {"reference": "Patient/other"}}, "replace", "another patient"),
    ({}, {"insurer": {"reference": "Organization/other"}}, "replace", "another insurer"),
    ({}, {"type": {"coding": [{"code": "oral"}]}}, "replace", "another type"),
]


@pytest.mark.parametrize(("old", "new", "kind", "says"), NONSENSE)
def test_nonsense_is_refused(old: Json, new: Json | None, kind: Any, says: str) -> None:
    """What is no bill, a void, another patient, payer or kind: told what to do instead."""
    made = claim(random.Random(5), 5) | old
    content = None if new is None else made | new
    with pytest.raises(FhirError, match=says) as refused:
        correct(made, Correction(kind, "n", "2026-11-20", NUMBER, content))
    assert refused.value.category is Category.CONFLICT


def _from(source: str, **more: Any) -> Json:
    return {"extension": [{"url": ANSWER_SOURCE, "valueCode": source}], **more}


def test_where_a_claim_stands() -> None:
    """By tag, doors of the payer and decisions: what was thrown back is open, what was decided or taken is not."""
    tagged = {"meta": {"tag": [{"system": BILLING, "code": "exported"}]}}
    scrub = {"extension": [{"url": EDIT_RUN, "valueString": "x"}]}

    def task(*told: str, against: tuple[str, ...] = ()) -> Json:
        return {"output": [{"type": {"text": t}} for t in told], "input": [{"type": {"text": t}} for t in against]}

    assert standing({}, None, [scrub]) == "open" and standing(tagged, None, []) == "sent"
    assert standing({}, None, [scrub, _from("835")]) == "decided" and standing({}, None, [{}]) == "decided"
    assert standing(tagged, task("999", against=("999",)), []) == "rejected"
    assert standing({}, task("scrub", "999", against=("scrub",)), []) == "sent"
    assert standing(tagged, task("999", "277ca", against=("277ca",)), []) == "rejected"
    assert standing({}, task("999", "277ca", "835", against=("835",)), []) == "decided"


def test_the_number_of_the_payer_is_that_of_the_newest_answer() -> None:
    """Our own numbers are none of the payer's."""
    ours = {"extension": [{"url": EDIT_RUN, "valueString": "x"}], "identifier": [{"value": "scrub-1"}]}
    assert payer_number([ours]) is None
    assert (
        payer_number([ours, _from("835"), _from("835", identifier=[NUMBER]), _from("835", identifier=[{}])]) == NUMBER
    )
