"""The order of versions (https://hl7.org/fhir/R5/valueset-version-algorithm.html)."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from terminology.operations.versions import newest, order

sys.path.insert(0, str(Path(__file__).parent))
from asking import A, ask, system, values

ALGORITHM = "http://hl7.org/fhir/5.0/StructureDefinition/extension-CodeSystem.versionAlgorithm"


@pytest.mark.parametrize(
    "rising",
    [
        ["1.0.0-alpha", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc", "1.0.0", "1.9.0", "1.10.0", "2.0.0-x", "2.0.0"],
        ["2023", "2023-12-31", "20240301", "2024-10", "2025", "2025-10-01", "2026", "2026-04"],
        ["9", "10", "11.2"],
    ],
)
def test_versions_have_an_order(rising: list[str]) -> None:
    """Numbers count as numbers, a preview comes before its release, a year before its days."""
    mixed = rising.copy()
    random.Random(1).shuffle(mixed)
    assert sorted(mixed, key=order) == rising and newest(mixed) == rising[-1]


def test_a_code_system_may_want_the_order_of_letters() -> None:
    """versionAlgorithm `alpha` is heeded."""

    def both(**more: object) -> list[dict[str, object]]:
        return [system({"code": "one", "display": v}, version=v, **more) for v in ("9", "10")]

    assert values(ask("CodeSystem/$lookup", *both(), system=A, code="one"))["version"] == "10"
    letters = {"extension": [{"url": ALGORITHM, "valueString": "alpha"}]}
    assert values(ask("CodeSystem/$lookup", *both(**letters), system=A, code="one"))["version"] == "9"
