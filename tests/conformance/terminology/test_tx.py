"""The terminology operations against HL7's cases for terminology servers (https://build.fhir.org/ig/HL7/fhir-tx-ecosystem-ig/)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import tx

pytestmark = pytest.mark.skipif(not tx.RUNNER.exists(), reason="the cases are not beside the repository")

LEAST = 368


@pytest.fixture(scope="module")
def found() -> list[tx.Outcome]:
    """How every case went."""
    return list(tx.outcomes())


def test_no_case_is_lost(found: list[tx.Outcome]) -> None:
    """As many cases pass as did before."""
    assert sum(one.fault is None for one in found) >= LEAST


def test_every_failing_case_has_a_reason(found: list[tx.Outcome]) -> None:
    """What fails is explained."""
    assert [one.name for one in found if one.fault and one.name not in tx.REASONS] == []


def test_the_page_is_what_the_command_writes(found: list[tx.Outcome]) -> None:
    """docs/terminology-conformance.md tells how the cases go now."""
    assert tx.PAGE.read_text() == tx.page(found)
