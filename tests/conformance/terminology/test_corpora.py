"""Units, languages and value sets held against what others published."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles import bindings, json
from fhir_profiles.systems import UCUM
from fhir_profiles.validate import check
from terminology import ucum
from terminology.bindings import open_bindings

SHARED = Path(__file__).parents[4] / "shared" / "conformance"
NOT_UCUM = {"drop"}
"""What one of HL7's own examples gives as UCUM and is not."""


@pytest.fixture(scope="module")
def resources() -> list[dict[str, Any]]:
    """HL7's R4 examples and every resource of Synthea's bundles."""
    if not SHARED.is_dir():
        pytest.skip("no shared conformance material beside the repository")
    examples = [json.decode(p.read_bytes()) for p in sorted((SHARED / "r4-examples").glob("*.json"))]
    bundles = [json.decode(p.read_bytes()) for p in sorted((SHARED / "synthea").glob("*.json"))]
    return examples + [entry["resource"] for bundle in bundles for entry in bundle["entry"]]


def quantities(value: Any) -> Iterator[tuple[Decimal, str]]:
    """Every quantity in UCUM anywhere below."""
    if isinstance(value, dict):
        if value.get("system") == UCUM and "code" in value and isinstance(value.get("value"), int | float | Decimal):
            yield Decimal(str(value["value"])), value["code"]
        for child in value.values():
            yield from quantities(child)
    elif isinstance(value, list):
        for child in value:
            yield from quantities(child)


def test_no_published_resource_is_refused(resources: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Media types, currencies, languages and units of HL7's examples and of Synthea all pass."""
    monkeypatch.setattr(bindings, "_told", {})
    bindings.tell(open_bindings())
    sets = tuple(open_bindings())
    wrong = [p for r in resources for p in check(r) if p.code == "code-invalid" and any(s in p.text for s in sets)]
    assert wrong == []


def test_published_quantities_have_a_canonical_form(resources: list[dict[str, Any]]) -> None:
    """Every unit that the resources call UCUM is read, but for the one that is not."""
    seen = {code: value for r in resources for value, code in quantities(r)}
    assert len(seen) > 20
    assert {code for code, value in seen.items() if ucum.canonical(value, code) is None} <= NOT_UCUM
