"""HL7's FHIRPath suite for R4, case by case, and fhirpathpy beside it (http://hl7.org/fhirpath/tests.html)."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import suite

from fhir_profiles.errors import FhirError
from fhir_profiles.fhirpath import Node, compile
from fhir_profiles.fhirpath.check import check

FAILING: dict[str, str] = {}
"""The cases that fail, each with its reason. A case that passes must not stand here."""

DOCS = Path(__file__).parents[3] / "docs" / "fhirpath.md"


def _evaluate(case: suite.Case, resource: dict[str, Any]) -> list[Any]:
    """As a server does it with an expression from outside: check it on the type, then evaluate it."""
    try:
        if case.invalid != "execution":
            check(case.expression, resource["resourceType"], ordered=case.ordered_functions)
        return compile(case.expression).nodes(resource)
    except FhirError as e:
        raise ValueError(str(e)) from None


@pytest.mark.parametrize("case", suite.cases(), ids=lambda case: case.id)
def test_case(case: suite.Case) -> None:
    """Every case of the suite gives what the suite says, those named in FAILING not."""
    assert (suite.fault(case, _evaluate) is not None) == (case.id in FAILING), suite.fault(case, _evaluate)


def test_nearly_all_pass() -> None:
    """At least 99 % of the suite passes, and the page that says so has the true number."""
    total = len(suite.cases())
    if not total:
        pytest.skip("no shared conformance material beside the repository")
    passed = total - len(FAILING)
    assert passed / total >= 0.99
    said = re.search(r"\*\*(\d+) of (\d+)\*\*", DOCS.read_text())
    assert said is not None
    assert (int(said[1]), int(said[2])) == (passed, total)


def test_a_foreign_engine_agrees() -> None:
    """Where fhirpathpy passes a case, its values are those found here; it passes fewer."""
    import fhirpathpy
    from fhirpathpy.models import models

    if not suite.cases():
        pytest.skip("no shared conformance material beside the repository")
    foreign = 0
    for case in suite.cases():
        if case.invalid or case.predicate:
            continue
        try:
            theirs = fhirpathpy.evaluate(_floats(suite.resource(case.file)), case.expression, None, models["r4"])
        except Exception:  # noqa: S112 - whatever the other engine cannot do says nothing about this one
            continue
        mine = _evaluate(case, suite.resource(case.file))
        foreign += len(theirs) == len(case.outputs) and suite.fault(case, lambda *_, m=mine: m) is None
    assert 700 < foreign < len(suite.cases())


def _floats(value: Any) -> Any:
    """The resource with the numbers that the other engine knows."""
    import json as standard

    from fhir_profiles import json

    return standard.loads(json.encode(value))


def test_results_know_their_place() -> None:
    """A value found in a resource says which object and property hold it."""
    patient = {"resourceType": "Patient", "name": [{"given": ["Ada", "Mae"]}]}
    found = compile("name.given").nodes(patient)
    assert all(isinstance(node, Node) and node.owner is patient["name"][0] for node in found)
    assert [(node.key, node.index, node.type) for node in found] == [("given", 0, "string"), ("given", 1, "string")]
