"""What is kept or shortened while claims are written as X12 changes neither a byte nor a fault."""

from __future__ import annotations

import json
import random

import orjson
import pytest

from campaigns.claiming.fuller import fuller
from campaigns.claiming.making import claim
from campaigns.claiming.x12_cases import KINDS, written
from claims.x12 import lines
from claims.x12.codes import Kind
from claims.x12.write837 import write_claim
from fhir_profiles.errors import FhirError


@pytest.mark.parametrize("kind", KINDS)
def test_lines_written_at_once_are_those_written_step_by_step(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """The short way for plain lines gives the same bytes as the long one."""
    made = [*fuller(kind, 200, 7)]
    short = written(made, kind)
    monkeypatch.setattr(lines, "_plain", lambda *_: None)
    assert written(made, kind) == short


@pytest.mark.parametrize("kind", KINDS)
def test_whom_many_claims_name_is_the_same_for_each(kind: Kind) -> None:
    """Claims whose JSON has blanks, so that nobody in them is kept, give the same bytes; so does a second time."""
    made = [*fuller(kind, 100, 8)]
    known = [write_claim(orjson.dumps(one)) for one in made]
    assert [write_claim(json.dumps(one).encode()) for one in made] == known
    assert [write_claim(orjson.dumps(one)) for one in made] == known


def test_a_fault_of_somebody_who_is_kept_is_told_of_each_claim() -> None:
    """The second claim that names a provider without a tax identifier is refused like the first."""
    made = claim(random.Random(1), 1, 3)
    (clinic,) = [one for one in made["contained"] if one["id"] == "o"]
    clinic["identifier"] = [one for one in clinic["identifier"] if not one["system"].startswith("urn:oid")]
    told = []
    for _ in range(2):
        with pytest.raises(FhirError) as refused:
            write_claim(orjson.dumps(made))
        told.append([(one.expression, one.text) for one in refused.value.problems])
    assert told[0] == told[1] == [("Claim.provider.identifier", told[0][0][1])]


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": {"value": -1}},
        {"quantity": {"value": 1.0004}},
        {"net": {"value": 1.005}},
        {"net": {"value": 5, "currency": "EUR"}},
        {"servicedDate": "2026-02-30"},
        {"diagnosisSequence": [9]},
        {"productOrService": {"coding": [{"code": "12"}]}},
        {"modifier": [{"coding": [{"code": "TOO"}]}]},
    ],
)
def test_a_faulty_line_takes_the_long_way(change: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused with the same faults as without the short way."""
    made = claim(random.Random(2), 1, 2)
    made["item"][1].update(change)
    told = []
    for _ in range(2):
        with pytest.raises(FhirError) as refused:
            write_claim(orjson.dumps(made))
        told.append([(one.expression, one.text) for one in refused.value.problems])
        monkeypatch.setattr(lines, "_plain", lambda *_: None)
    assert told[0] == told[1] and "Claim.item[1]" in str(told[0])
