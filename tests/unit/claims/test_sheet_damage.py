"""Claims with values of any other kind anywhere are read or refused: nothing else happens, nothing is left behind."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest

from campaigns.claiming.defects import DEFECTS
from campaigns.claiming.fuller import fuller
from campaigns.claiming.institutional import inpatient, outpatient
from campaigns.claiming.making import claim
from claims.answer.head import Head
from claims.answer.repair import repair_many
from claims.sheet.frames import EVERY
from claims.sheet.read import read_claim
from claims.sheet.sheet import Sheet
from fhir_profiles.errors import Category, FhirError

SECRET = "Zzyzx-4711"
MAKERS = (claim, inpatient, outpatient)
STRANGE: tuple[Any, ...] = (
    None, True, False, 0, -1, 2.5, 1e300, -1e300, 10**30, -(2**63), "", SECRET, "1e400", "\x00", "é\u2028",
    "2026-13-45", [], {}, [None], [[]], [{}], [SECRET], [{SECRET: SECRET}], {SECRET: None}, {"coding": None},
    {"coding": [None]},
    {"coding": [{}]}, {"coding": [{"code": 7}]}, {"coding": {}}, {"value": {}}, {"value": []}, {"value": SECRET},
    {"reference": "#nobody"}, {"reference": 5}, {"start": 5}, {"given": [None]}, {"given": 7}, {"line": [7]},
)  # fmt: skip
"""Values that hardly an element may have."""

RESPONSE: dict[str, Any] = {
    "resourceType": "ClaimResponse", "id": "paid", "identifier": [{"value": "1"}],
    "payment": {"date": "2026-04-01", "amount": {"value": 12.5, "currency": "USD"}},
    "adjudication": [{"category": {"coding": [{"system": "s", "code": "PR"}]}, "reason": {"coding": [{"code": "1"}]},
                      "amount": {"value": 3}}],
    "item": [{"itemSequence": 1, "adjudication": [{"category": {"coding": [{"code": "benefit"}]},
                                                   "amount": {"value": 3}}]}],
}  # fmt: skip
"""What another payer answered."""


def sound() -> list[dict[str, Any]]:
    """Claims of every maker, one for each defect, some with the answer of another payer, some as a Bundle."""
    dice = random.Random(5)
    found = [make(dice, number) for make in MAKERS for number in range(30)]
    found += [*fuller("professional", 60, 5), *fuller("institutional", 60, 6)]
    bases = {"professional": claim, "inpatient": inpatient, "outpatient": outpatient}
    for number, defect in enumerate(DEFECTS.values()):
        resource = bases[defect.base](dice, number)
        defect.change(resource)
        found.append(resource)
    for one in found[:40]:
        one.setdefault("contained", []).append(RESPONSE)
        one["insurance"][0]["claimResponse"] = {"reference": "#paid"}
    beside = [{"resource": one} for one in found[3]["contained"]]
    bundles = [{"resourceType": "Bundle", "entry": [{"resource": one}, *beside]} for one in found[:8]]
    return copy.deepcopy(found + bundles)


SOUND = sound()


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a resource: what holds it, and its name or number."""
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


def damaged(dice: random.Random) -> bytes:
    """A claim with one to three strange values, now and then with bytes that were changed."""
    resource = copy.deepcopy(dice.choice(SOUND))
    for _ in range(dice.choice((1, 1, 2, 3))):
        holder, key = dice.choice(list(places(resource)))
        strange = copy.deepcopy(dice.choice(STRANGE))
        if isinstance(holder, dict) and dice.random() < 0.1:
            holder[dice.choice(("name", "address", "type", "code", "item", "payment", "meta", "contained"))] = strange
        else:
            holder[key] = strange
    body = json.dumps(resource, ensure_ascii=False).encode().replace(b'"1e400"', b"1e400")
    if dice.random() < 0.1:
        at = dice.randrange(len(body))
        body = body[:at] + bytes([dice.randrange(256)]) + body[at + dice.choice((0, 1, 1, 5)) :]
    return body


def hold(seed: int, count: int) -> tuple[int, int]:
    """How many of so many damaged claims are read, and how many are refused; AssertionError where one does else."""
    dice, sheet, refused = random.Random(seed), Sheet(), 0
    for _ in range(count):
        body = damaged(dice)
        try:
            Head.of(sheet.add(body)).parts()
        except FhirError as error:
            refused += 1
            assert error.category is Category.INCORRECT and SECRET not in str(error)
            with pytest.raises(FhirError, match=re.escape(str(error))):
                read_claim(body)
    assert len(sheet) == count - refused
    assert len(repair_many(sheet)) == len(sheet)
    assert {name: frame.schema.names() for name, frame in sheet.frames().items()} == {
        name: list(kinds) for name, kinds in EVERY.items()
    }
    assert sheet.columns["claims"]["row"] == list(range(len(sheet)))
    return len(sheet), refused


@pytest.mark.parametrize("seed", range(3))
def test_strange_values_are_read_or_refused(seed: int) -> None:
    """No error but a clear refusal without values, the rows of the others without gaps, frames and repairs as ever."""
    read, refused = hold(seed, 700)
    assert read > 100 and refused > 100
