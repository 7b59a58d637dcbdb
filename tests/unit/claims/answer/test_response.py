"""What is answered to a claim."""

from __future__ import annotations

import random
from copy import deepcopy
from typing import Any

import orjson
import pytest

from campaigns.claiming.defects import DEFECTS
from campaigns.claiming.making import claim, claims
from campaigns.claiming.tables import made_tables
from claims.answer.head import read_head
from claims.answer.response import Result, Written, response
from claims.answer.scrub import Scrub
from claims.sheet.read import read_claim
from fhir_profiles.systems import CLAIM_RULE, FINDING_PATH, PRICE_BASIS, RULES_NOT_RUN, TABLE_RELEASE
from fhir_profiles.validate import check

Json = dict[str, Any]


@pytest.fixture(scope="module")
def scrub() -> Scrub:
    """All our rules with every made table."""
    return Scrub.over(made_tables())


def answered(scrub: Scrub, resource: Json) -> Json:
    """The ClaimResponse to a Claim."""
    body = orjson.dumps(resource)
    return told(scrub, scrub.one(read_claim(body), read_head(body)))


def told(scrub: Scrub, result: Result) -> Json:
    """The ClaimResponse of a result."""
    written = Written("a1", "2026-06-01", scrub.stamp.whole, bool(scrub.stamp.not_run))
    found: Json = orjson.loads(response(result, written))
    return found


def made(seed: int = 1) -> Json:
    """A sound claim."""
    return claim(random.Random(seed), seed)


def test_a_sound_claim_is_complete(scrub: Scrub) -> None:
    """No error, no note, the charges and totals of the claim, and the word that nobody has decided anything."""
    resource = made()
    found = answered(scrub, resource)
    assert check(found) == []
    assert found["outcome"] == "complete" and "error" not in found and "processNote" not in found
    assert "not a decision of the payer" in found["disposition"]
    assert found["request"]["reference"] == "Claim/c1"
    assert [i["adjudication"][0]["amount"] for i in found["item"]] == [i["net"] for i in resource["item"]]
    assert found["total"][0]["amount"] == resource["total"]


def test_an_error_names_line_rule_and_element(scrub: Scrub) -> None:
    """A negative charge: the line by its number, our code with the CARC, the sentence, the FHIRPath."""
    resource = made()
    resource["item"][1]["net"]["value"] = -1
    found = answered(scrub, resource)
    assert found["outcome"] == "error" and check(found) == []
    error = next(e for e in found["error"] if e["code"]["coding"][0] == {"system": CLAIM_RULE, "code": "CHG-001"})
    assert error["itemSequence"] == 2 and error["code"]["coding"][1]["code"] == "16" and error["code"]["text"]
    assert error["extension"] == [{"url": FINDING_PATH, "valueString": "Claim.item.where(sequence = 2).net"}]


@pytest.mark.parametrize("seed", range(2))
def test_every_defect_is_answered_with_valid_fhir(scrub: Scrub, seed: int) -> None:
    """The claims of all defects: each answer is valid R4, and each finding stands in it as error or note."""
    wrong = []
    for defect in DEFECTS.values():
        if defect.base != "professional":
            continue
        resource = deepcopy(made(seed))
        defect.change(resource)
        body = orjson.dumps(resource)
        result = scrub.one(read_claim(body), read_head(body))
        found = told(scrub, result)
        errors = [f for f in result.findings if f.rule.severity == "error"]
        if check(found) or len(found.get("error", ())) != len(errors):
            wrong.append((defect.rule, check(found)[:2]))
        notes = {
            e["extension"][0]["valueCoding"]["code"]
            for n in found.get("processNote", ())
            for e in n.get("extension", ())
        }
        if notes != {f.rule.id for f in result.findings} - {f.rule.id for f in errors}:
            wrong.append((defect.rule, []))
    assert wrong == []


def test_many_claims_are_answered_as_each_alone(scrub: Scrub) -> None:
    """Findings and prices of a batch are those of its claims one by one."""
    bodies = [orjson.dumps(one) for one in claims(30)]
    bodies[3] = bodies[3].replace(b'"value":1,', b'"value":0,')
    many = scrub.many([read_claim(body, row) for row, body in enumerate(bodies)], [read_head(body) for body in bodies])
    alone = [scrub.one(read_claim(body), read_head(body)) for body in bodies]
    assert [told(scrub, one) for one in many.results] == [told(scrub, one) for one in alone]
    assert any(one.findings for one in alone)


def test_rules_without_tables_are_told_as_not_run() -> None:
    """Without any table the answer is partial, and names each rule with the tables that it needs."""
    bare = Scrub.over({})
    found = answered(bare, made())
    assert found["outcome"] == "partial" and check(found) == []
    listed = {
        part["valueCode"]
        for extension in found["extension"] if extension["url"] == RULES_NOT_RUN
        for part in extension["extension"] if part["url"] == "rule"
    }  # fmt: skip
    assert listed == set(bare.edits.not_run)
    assert {i["adjudication"][1]["reason"]["coding"][0]["code"] for i in found["item"]} == {"rvu-not-loaded"}


def test_the_answer_names_the_releases_that_it_rests_on(scrub: Scrub) -> None:
    """Each table that was asked with its release; other rules or releases have another fingerprint."""
    found = answered(scrub, made())
    releases = [e["extension"] for e in found["extension"] if e["url"] == TABLE_RELEASE]
    assert [{"url": "table", "valueCode": "rvu"}, {"url": "release", "valueString": "made"}] in releases
    fewer = Scrub.over(made_tables(), scrub.edits.rules[1:])
    assert fewer.stamp.fingerprint != scrub.stamp.fingerprint
    assert Scrub.over(made_tables()).stamp.fingerprint == scrub.stamp.fingerprint


def test_spelling_is_repaired_and_told(scrub: Scrub) -> None:
    """Small letters, a missing dot, a dashed ZIP code: no finding, a note for each, and nothing to do again."""
    resource = made()
    resource["diagnosis"][0]["diagnosisCodeableConcept"]["coding"][0]["code"] = "e119"
    resource["contained"][0]["address"][0]["postalCode"] = " 01103-1234"
    resource["contained"][0]["address"][0]["state"] = "ma"
    resource["item"][0]["modifier"] = [{"coding": [{"code": "gc"}]}]
    body = orjson.dumps(resource)
    record = read_claim(body)
    result = scrub.one(record, read_head(body))
    assert record["diagnoses"][0]["code"] == "E11.9" and "E11.9" in record["lines"][0]["pointed"]
    assert record["claim"]["patient_zip"] == "011031234" and record["lines"][0]["mods"] == ["GC"]
    assert len(result.repairs) == 4
    notes = told(scrub, result)["processNote"]
    assert [n["number"] for n in notes] == list(range(1, len(notes) + 1))
    assert not any("e119" in n["text"] or "1234" in n["text"] for n in notes)
    assert scrub.one(record, read_head(body)).repairs == []


def test_what_is_no_code_is_left_as_it_is(scrub: Scrub) -> None:
    """Repairs touch only what has the shape of a code."""
    resource = made()
    resource["diagnosis"][0]["diagnosisCodeableConcept"]["coding"][0]["code"] = "diabetes"
    resource["contained"][0]["address"][0]["postalCode"] = "0110-3"
    body = orjson.dumps(resource)
    record = read_claim(body)
    scrub.one(record, read_head(body))
    assert record["diagnoses"][0]["code"] == "diabetes" and record["claim"]["patient_zip"] in ("0110-3", "01103")


def test_a_price_tells_what_it_rests_on(scrub: Scrub) -> None:
    """Amounts for every line, their sum, and conversion factor and locality; without a ZIP code the reason instead."""
    resource = made()
    found = answered(scrub, resource)
    amounts = [item["adjudication"][1]["amount"]["value"] for item in found["item"]]
    assert found["total"][1]["amount"]["value"] == pytest.approx(sum(amounts)) and min(amounts) > 0
    (basis,) = [e["extension"] for e in found["extension"] if e["url"] == PRICE_BASIS]
    assert {"url": "conversion-factor", "valueDecimal": 33.4009} in basis
    assert {"url": "locality", "valueString": "01"} in basis
    del resource["contained"][1]["address"]
    bare = answered(scrub, resource)
    assert bare["item"][0]["adjudication"][1]["reason"]["coding"][0]["code"] == "zip" and check(bare) == []


@pytest.mark.parametrize("broken", ["type", "use", "patient", "insurer", "provider", "identifier", "id"])
@pytest.mark.parametrize("value", [None, "odd"])
def test_a_poor_head_still_gives_valid_fhir(scrub: Scrub, broken: str, value: str | None) -> None:
    """Whatever is missing or odd in what an answer repeats, the answer is valid R4."""
    odd: Json = {
        "type": {"coding": [{"code": " "}]}, "use": "gift", "patient": {"reference": "not an address"},
        "insurer": {"display": "x"}, "provider": {"identifier": {"value": " "}},
        "identifier": [{"system": "no uri", "value": "7"}], "id": "a b",
    }  # fmt: skip
    resource = made()
    resource.pop(broken, None)
    if value:
        resource[broken] = odd[broken]
    assert check(answered(scrub, resource)) == []
