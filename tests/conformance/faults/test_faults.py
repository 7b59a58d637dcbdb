"""Each single fault is found, at its place, and nothing else is said."""

from __future__ import annotations

import runpy
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles.validate import check

_cases = runpy.run_path(str(Path(__file__).with_name("cases.py")))
CASES: list[Any] = _cases["CASES"]
BASES: dict[str, dict[str, Any]] = _cases["BASES"]


@pytest.mark.parametrize("name", list(BASES))
def test_the_base_is_valid(name: str) -> None:
    """Before the fault is planted nothing is wrong."""
    assert check(BASES[name]) == []


@pytest.mark.parametrize("fault", CASES, ids=lambda fault: fault.name)
def test_the_fault_is_found_alone(fault: Any) -> None:
    """Exactly one problem, with the expression of the place and the code, and for an invariant with its key."""
    found = [(p.expression or "", p.code) for p in check(fault.resource())]
    assert found == [(fault.expression, fault.code)]
    if fault.key:
        assert check(fault.resource())[0].text.startswith(f"{fault.key}: ")


def test_there_are_enough_of_every_kind() -> None:
    """At least 120 faults, of every kind that a write is checked for, and 25 invariants."""
    kinds = Counter(fault.kind for fault in CASES)
    assert len(CASES) >= 120
    assert set(kinds) >= {
        *("structure", "unknown property", "cardinality", "choice", "primitive", "real dates", "required binding"),
        *("reference", "contained", "ids", "narrative", "extension", "empty", "wrong JSON type", "_ sibling"),
        "invariant",
    }
    assert len({fault.key for fault in CASES if fault.key}) >= 25


def test_no_problem_repeats_a_value() -> None:
    """No text holds the planted value."""
    for fault in CASES:
        if isinstance(fault.value, str) and len(fault.value) > 3 and fault.kind in ("primitive", "narrative"):
            assert all(fault.value not in p.text for p in check(fault.resource()))
