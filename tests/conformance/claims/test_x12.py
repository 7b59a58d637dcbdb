"""The 837 that we write is taken by validators from elsewhere, and comes back as the claims that it was."""

from __future__ import annotations

from typing import Any

import pytest

from campaigns.claiming.fuller import drug, fuller, second_by_line
from campaigns.claiming.institutional import inpatient, outpatient
from campaigns.claiming.x12_cases import KINDS, known, pyx12_accepts, written, x12sdk_accepts
from claims.x12.codes import Kind
from claims.x12.read837 import read_837
from claims.x12.read999 import read_999

SDK_LACKS = (drug, second_by_line)
"""Of hospitals, x12sdk takes no drug without a prescription number, no range of days and no paid line without HCPCS."""


@pytest.mark.parametrize("kind", KINDS)
def test_pyx12_takes_every_claim(kind: Kind) -> None:
    """200 claims of each kind with all that claims may hold pass pyx12, whose 999 we read."""
    sound, answer = pyx12_accepts(written(fuller(kind, 200), kind))
    assert sound
    (group,) = read_999(answer.replace("\n", "").encode())
    assert group.code == "A" and [one.code for one in group.transactions] == ["A"]


@pytest.mark.parametrize("kind", KINDS)
def test_x12sdk_takes_every_claim(kind: Kind) -> None:
    """200 claims of each kind pass x12sdk, but for what it lacks of hospitals."""
    leave = SDK_LACKS if kind == "institutional" else ()
    assert x12sdk_accepts(written(fuller(kind, 200, leave=leave), kind))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_comes_back(kind: Kind) -> None:
    """1,000 claims of each kind lose nothing that is mapped in X12, and are written the same again."""
    claims = list(fuller(kind, 1_000, seed=2))
    text = written(claims, kind)
    back = list(read_837(text.encode()))
    assert len(back) == 1_000
    assert written(back, kind) == text
    for claim, copy in zip(claims, back, strict=True):
        first, second = known(claim), known(copy)
        for name, rows in first.items():
            for row, other in zip(rows, _matching(rows, second[name]), strict=True):
                assert row.items() <= other.items() or _units(row) == _units(other), name


def _matching(rows: list[dict[str, Any]], others: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return others if len(rows) == len(others) else []


def _units(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if k != "unit"}


def test_stay_and_visit_are_taken() -> None:
    """The plain stay and the plain visit pass both validators."""
    import random

    dice = random.Random(3)
    text = written([make(dice, n) for n, make in enumerate((inpatient, outpatient))], "institutional")
    assert pyx12_accepts(text)[0] and x12sdk_accepts(text)
