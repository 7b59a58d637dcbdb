"""Each rule finds its defect, and nothing else: in a sound claim, and in one with the defects of other rules."""

import random
from copy import deepcopy
from typing import Any

import orjson
import pytest

from campaigns.claiming.defects import DEFECTS, Defect
from campaigns.claiming.making import claim
from campaigns.claiming.tables import made_tables
from claims.edit import Edits
from claims.rules.rule import own_rules
from claims.sheet.frames import frames
from claims.sheet.read import read_claim

BASES = {"professional": claim}


@pytest.fixture(scope="module")
def edits() -> Edits:
    """All our rules with every table."""
    return Edits(own_rules(), made_tables())


def made(defect: Defect, seed: int) -> Any:
    """A claim with one defect."""
    resource = deepcopy(BASES[defect.base](random.Random(seed), seed))
    defect.change(resource)
    return resource


def found(edits: Edits, resource: Any) -> set[str]:
    """The rules that a claim breaks; both forms must say the same."""
    record = read_claim(orjson.dumps(resource))
    one = [(f.rule.id, -1 if f.place is None else f.place) for f in edits.of_record(record)]
    many = edits.of_frames(frames([record]))
    assert sorted(one) == sorted((edits.active[rule].id, place) for _, rule, place in many.iter_rows())
    return {rule for rule, _ in one}


def test_every_rule_runs_and_has_a_defect(edits: Edits) -> None:
    """With every table loaded no rule is left out, and none is without its defect."""
    assert edits.not_run == {}
    assert {rule.id for rule in edits.active} == set(DEFECTS)


@pytest.mark.parametrize("base", BASES)
def test_a_sound_claim_breaks_nothing(edits: Edits, base: str) -> None:
    """Two hundred made claims have no finding."""
    records = [read_claim(orjson.dumps(BASES[base](random.Random(n), n)), n) for n in range(200)]
    findings = edits.of_frames(frames(records))
    assert [edits.active[rule].id for _, rule, _ in findings.iter_rows()] == []


@pytest.mark.parametrize("defect", DEFECTS.values(), ids=lambda d: d.rule)
def test_one_defect_is_found_alone(edits: Edits, defect: Defect) -> None:
    """The rule of the defect, and only what the same fault breaks by its nature."""
    for seed in range(3):
        rules = found(edits, made(defect, seed))
        assert defect.rule in rules
        assert rules <= {defect.rule, *defect.also}
