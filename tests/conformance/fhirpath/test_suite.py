"""HL7's FHIRPath suite for R4, case by case, and fhirpathpy beside it (http://hl7.org/fhirpath/tests.html)."""

from __future__ import annotations

import json as standard
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import fhirpathpy
import pytest
from fhirpathpy.models import models
from lxml import etree

from fhir_profiles import json, xml
from fhir_profiles.errors import FhirError
from fhir_profiles.fhirpath import Node, compile
from fhir_profiles.fhirpath.check import check
from fhir_profiles.fhirpath.types import system_type
from fhir_profiles.fhirpath.values import plain

FOLDER = Path(__file__).parents[4] / "shared" / "conformance" / "fhirpath"

SUITE = FOLDER / "tests-fhir-r4.xml"


@dataclass(frozen=True)
class Case:
    """One test of the suite: what to evaluate on what, and what must come out."""

    name: str
    group: str
    file: str | None
    expression: str
    invalid: str | None
    strict: bool
    ordered_functions: bool
    any_order: bool
    predicate: bool
    outputs: tuple[tuple[str | None, str], ...]

    @property
    def id(self) -> str:
        """The name, with the group for names that stand twice."""
        return f"{self.group}/{self.name}"


@cache
def cases() -> tuple[Case, ...]:
    """Every test, in the order of the suite; none without the shared material."""
    if not SUITE.is_file():
        return ()
    found = []
    seen: set[str] = set()
    for group in etree.parse(SUITE).getroot().iter("group"):
        for test in group.iter("test"):
            name = str(test.get("name"))
            while f"{group.get('name')}/{name}" in seen:
                name += "+"
            seen.add(f"{group.get('name')}/{name}")
            found.append(_case(test, name, str(group.get("name"))))
    return tuple(found)


def _case(test: Any, name: str, group: str) -> Case:
    expression = test.find("expression")
    return Case(
        name,
        group,
        test.get("inputfile"),
        expression.text,
        expression.get("invalid"),
        test.get("mode") == "strict" or expression.get("invalid") == "semantic",
        test.get("checkOrderedFunctions") == "true",
        test.get("ordered") == "false",
        test.get("predicate") == "true",
        tuple((o.get("type"), o.text or "") for o in test.findall("output")),
    )


@cache
def resource(file: str | None) -> dict[str, Any]:
    """The input of a case; a case without one gets an empty patient."""
    if file is None:
        return {"resourceType": "Patient"}
    raw = (FOLDER / "input" / file).read_bytes()
    return json.decode(xml.to_json(raw) if file.endswith(".xml") else raw)


Evaluate = Callable[[Case, dict[str, Any]], list[Any]]


def fault(case: Case, evaluate: Evaluate) -> str | None:
    """Why the case fails; None when it passes."""
    try:
        found = evaluate(case, resource(case.file))
    except ValueError as e:
        return None if case.invalid else f"refused: {e}"
    if case.invalid:
        return f"should be refused ({case.invalid})"
    if case.predicate:
        return None if bool(found) == (case.outputs[0][1] == "true") else "wrong truth"
    got = [_shown(item) for item in found]
    wanted = [(t, v.removeprefix("@").removeprefix("T")) for t, v in case.outputs]
    if case.any_order:
        got.sort()
        wanted.sort(key=lambda w: (w[0] or "", w[1]))
    same = len(got) == len(wanted) and all(
        value == text and (of is None or of == kind) for (kind, value), (of, text) in zip(got, wanted, strict=True)
    )
    return None if same else f"gives {got}"


def _shown(item: Any) -> tuple[str, str]:
    """Type and text of an item as the suite writes them."""
    if isinstance(item, Node):
        kind, value = item.type, item.value
    else:
        name = system_type(item)
        kind, value = (name if name == "Quantity" else name[0].lower() + name[1:]), item
    if isinstance(value, bool):
        return kind, "true" if value else "false"
    return kind, plain(value) if kind == "decimal" else str(value)


FAILING: dict[str, str] = {}
"""The cases that fail, each with its reason. A case that passes must not stand here."""

DOCS = Path(__file__).parents[3] / "docs" / "fhirpath.md"


def _evaluate(case: Case, resource: dict[str, Any]) -> list[Any]:
    """As a server does it with an expression from outside: check it on the type, then evaluate it."""
    try:
        if case.invalid != "execution":
            check(case.expression, resource["resourceType"], ordered=case.ordered_functions)
        return compile(case.expression).nodes(resource)
    except FhirError as e:
        raise ValueError(str(e)) from None


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.id)
def test_case(case: Case) -> None:
    """Every case of the suite gives what the suite says, those named in FAILING not."""
    assert (fault(case, _evaluate) is not None) == (case.id in FAILING), fault(case, _evaluate)


def test_nearly_all_pass() -> None:
    """At least 99 % of the suite passes, and the page that says so has the true number."""
    total = len(cases())
    if not total:
        pytest.skip("no shared conformance material beside the repository")
    passed = total - len(FAILING)
    assert passed / total >= 0.99
    said = re.search(r"\*\*(\d+) of (\d+)\*\*", DOCS.read_text())
    assert said is not None
    assert (int(said[1]), int(said[2])) == (passed, total)


def test_a_foreign_engine_agrees() -> None:
    """Where fhirpathpy passes a case, its values are those found here; it passes fewer."""
    if not cases():
        pytest.skip("no shared conformance material beside the repository")
    foreign = 0
    for case in cases():
        if case.invalid or case.predicate:
            continue
        try:
            theirs = fhirpathpy.evaluate(_floats(resource(case.file)), case.expression, None, models["r4"])
        except Exception:
            continue
        mine = _evaluate(case, resource(case.file))
        foreign += len(theirs) == len(case.outputs) and fault(case, lambda *_, m=mine: m) is None
    assert 700 < foreign < len(cases())


def _floats(value: Any) -> Any:
    """The resource with the numbers that the other engine knows."""
    return standard.loads(json.encode(value))


def test_results_know_their_place() -> None:
    """A value found in a resource says which object and property hold it."""
    patient = {"resourceType": "Patient", "name": [{"given": ["Ada", "Mae"]}]}
    found = compile("name.given").nodes(patient)
    assert all(isinstance(node, Node) and node.owner is patient["name"][0] for node in found)
    assert [(node.key, node.index, node.type) for node in found] == [("given", 0, "string"), ("given", 1, "string")]
