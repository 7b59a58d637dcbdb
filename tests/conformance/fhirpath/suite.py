"""HL7's FHIRPath suite for R4: its cases, and whether an engine passes one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from fhir_profiles import json, xml
from fhir_profiles.fhirpath import Node
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
