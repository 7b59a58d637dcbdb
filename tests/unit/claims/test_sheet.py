"""Claims read together have the rows, frames, repairs and refusals that each has alone."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import pytest

from campaigns.claiming.defects import DEFECTS
from campaigns.claiming.fuller import fuller
from campaigns.claiming.institutional import inpatient, outpatient
from campaigns.claiming.making import claim
from claims.answer.head import Head, read_head
from claims.answer.repair import repair, repair_many
from claims.sheet.frames import EVERY, frames
from claims.sheet.read import read_claim
from claims.sheet.rows import NAMES
from claims.sheet.sheet import Sheet
from fhir_profiles.errors import FhirError

BASES = {"professional": claim, "inpatient": inpatient, "outpatient": outpatient}
RECEIVED = 20_600


def made() -> list[dict[str, Any]]:
    """Claims of every maker, and one for each defect."""
    dice = random.Random(11)
    found = [make(dice, number) for make in BASES.values() for number in range(60)]
    found += [*fuller("professional", 250, 5), *fuller("institutional", 250, 6)]
    for number, defect in enumerate(DEFECTS.values()):
        resource = BASES[defect.base](dice, number)
        defect.change(resource)
        found.append(resource)
    return found


CLAIMS = made()


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a resource: what holds it, and its name or number."""
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


def damaged(dice: random.Random) -> bytes:
    """A claim in which elements are left out or written otherwise, so that now and then it can no longer be read."""
    resource = copy.deepcopy(dice.choice(CLAIMS))
    for _ in range(dice.randrange(1, 6)):
        holder, key = dice.choice(list(places(resource)))
        value = holder[key]
        if dice.random() < 0.5:
            del holder[key]
        elif isinstance(value, str):
            holder[key] = dice.choice(
                (value.lower(), f"{value} ", value.replace(".", ""), "2026-02-30", f"{value}-1234")
            )
        elif isinstance(value, int | float) and not isinstance(value, bool):
            holder[key] = dice.choice((0, -1, 2, 0.005, 3.3333, "x"))
    return orjson.dumps(resource)


def plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record as dicts and lists."""
    return {
        name: dict(part) if name == "claim" else [dict(row) for row in part] for name, part in sorted(record.items())
    }


def test_rows_have_the_columns_of_the_schema() -> None:
    """What is read has the names that the schema tells, no more and no less."""
    assert {name: sorted(names) for name, names in NAMES.items()} == {n: sorted(kinds) for n, kinds in EVERY.items()}


def test_claims_read_together_are_as_each_alone() -> None:
    """Rows, heads and frames of claims of every maker and with every defect."""
    bodies = [orjson.dumps(one) for one in CLAIMS]
    sheet = Sheet()
    heads = [Head.of(sheet.add(body, RECEIVED)) for body in bodies]
    records = [read_claim(body, row, None, RECEIVED) for row, body in enumerate(bodies)]
    assert [plain(one) for one in sheet] == [plain(one) for one in records]
    assert heads == [read_head(body) for body in bodies]
    expected = frames(records)
    for name, frame in sheet.frames().items():
        assert frame.equals(expected[name]), name


@pytest.mark.parametrize("seed", range(4))
def test_damaged_claims_are_refused_or_read_as_each_alone(seed: int) -> None:
    """The same claims are refused with the same words, the others are numbered without gaps and have the same rows."""
    dice = random.Random(seed)
    bodies = [damaged(dice) for _ in range(500)]
    bodies[dice.randrange(500)] = b'{"resourceType": "Claim", "item": '
    sheet, refused, records = Sheet(), {}, []
    for place, body in enumerate(bodies):
        try:
            sheet.add(body)
        except FhirError as error:
            refused[place] = str(error)
    for place, body in enumerate(bodies):
        try:
            records.append(read_claim(body, len(records)))
        except FhirError as error:
            assert refused.pop(place) == str(error)
    assert not refused and len(records) == len(sheet)
    repairs = repair_many(sheet)
    assert repairs == [repair(record) for record in records] and any(repairs)
    assert [plain(one) for one in sheet] == [plain(one) for one in records]
    expected = frames(records)
    for name, frame in sheet.frames().items():
        assert frame.equals(expected[name]), name


def test_a_sheet_of_records_is_as_one_that_was_read() -> None:
    """Records, with what is known of earlier claims, laid out as a sheet."""
    history = [{"code": "99213", "start": 20_500, "mods": ["25"]}, {"code": "99214"}]
    records = [read_claim(orjson.dumps(one), row, history=history) for row, one in enumerate(CLAIMS[:40])]
    sheet = Sheet.of(records)
    assert sheet[3]["history"][0]["mods"] == ["25"] and len(sheet[2:5]) == 3
    expected = frames(records)
    for name, frame in sheet.frames().items():
        assert frame.equals(expected[name]), name


def test_a_sheet_without_claims_has_empty_frames() -> None:
    """No claim, and columns of the right types all the same."""
    found = Sheet().frames()
    assert found.keys() == EVERY.keys() and all(frame.is_empty() for frame in found.values())
    assert {name: frame.schema for name, frame in found.items()} == {n: f.schema for n, f in frames([]).items()}
