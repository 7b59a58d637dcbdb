"""The shape of expansions (https://hl7.org/fhir/R4/valueset-operation-expand.html)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles.errors import FhirError

sys.path.insert(0, str(Path(__file__).parent))
from asking import SET, A, ask, system, value_set, values

CODES = system({"code": "one", "display": "One", "concept": [{"code": "two"}]}, {"code": "three"}, language="en")
WHOLE: dict[str, Any] = {"system": A}
OTHER = value_set(WHOLE, url=f"{SET}/other")


@pytest.mark.parametrize(
    ("include", "roots"),
    [
        ([WHOLE], 2),
        ([{"valueSet": [OTHER["url"]]}], 3),
        ([{**WHOLE, "valueSet": [OTHER["url"]]}], 3),
        ([WHOLE, {"system": A, "concept": [{"code": "two"}]}], 3),
    ],
)
def test_only_what_is_one_hierarchy_is_nested(include: list[dict[str, Any]], roots: int) -> None:
    """A value set that imports or lists is shown as a plain list."""
    found = ask("ValueSet/$expand", CODES, OTHER, value_set(*include), url=SET)
    assert len(found["expansion"]["contains"]) == roots and found["expansion"]["total"] == 3


def test_contained_sets_may_import_each_other_and_not_themselves() -> None:
    """A circle among contained value sets is found."""

    def contained(name: str, *include: dict[str, Any]) -> dict[str, Any]:
        return {"resourceType": "ValueSet", "id": name, "status": "active", "compose": {"include": list(include)}}

    good = value_set({"valueSet": ["#a"]}, contained=[contained("a", {"valueSet": ["#b"]}), contained("b", WHOLE)])
    assert ask("ValueSet/$expand", CODES, valueSet=good)["expansion"]["total"] == 3
    bad = {**good, "contained": [contained("a", {"valueSet": ["#b"]}), contained("b", {"valueSet": ["#a"]})]}
    with pytest.raises(FhirError, match="Cyclic reference"):
        ask("ValueSet/$expand", CODES, valueSet=bad)


def test_a_value_set_brings_its_parameters_along() -> None:
    """What the call says counts before them; `property=*` shows every property."""
    codes = system({"code": "one", "property": [{"code": "a", "valueString": "x"}, {"code": "b", "valueInteger": 1}]})
    brought = [("http://hl7.org/fhir/StructureDefinition/valueset-expansion-parameter", "excludeNested", "true")]
    extension = [
        {"url": url, "extension": [{"url": "name", "valueCode": name}, {"url": "value", "valueString": value}]}
        for url, name, value in brought
    ]
    property_ = {"url": "http://hl7.org/fhir/5.0/StructureDefinition/extension-ValueSet.compose.property"}
    own = value_set(WHOLE, extension=[*extension, {**property_, "valueString": "a"}])
    shown = ask("ValueSet/$expand", codes, own, url=SET)["expansion"]
    assert {"name": "excludeNested", "valueBoolean": True} in shown["parameter"]
    assert len(shown["contains"][0]["extension"]) == 1
    shown = ask("ValueSet/$expand", codes, own, url=SET, property="*", excludeNested=False)["expansion"]
    assert {"name": "excludeNested", "valueBoolean": False} in shown["parameter"]
    assert len(shown["contains"][0]["extension"]) == 2


def test_every_refusal_says_its_kind() -> None:
    """Clients read `details`; an issue with `diagnostics` alone is not seen by them."""
    for asked in ({"url": ""}, {"url": SET, "unheard": "of"}, {"url": SET, "count": "many"}):
        with pytest.raises(FhirError) as refused:
            ask("ValueSet/$expand", CODES, **asked)
        issue = refused.value.problems[0].as_issue()
        assert issue["details"]["text"] and issue["details"]["coding"]


def test_lookup_lists_the_display_among_the_designations() -> None:
    """In the language of the code system, and only what are properties as properties."""
    extension = {"url": "http://hl7.org/fhir/StructureDefinition/codesystem-conceptOrder", "valueDecimal": 1}
    marked = system({"code": "one", "display": "One", "extension": [extension]}, language="en")
    found = ask("CodeSystem/$lookup", marked, system=A, code="one")
    designation = next(p["part"] for p in found["parameter"] if p["name"] == "designation")
    assert designation[0]["valueCode"] == "en" and designation[-1]["valueString"] == "One"
    properties = [p["part"][0]["valueCode"] for p in found["parameter"] if p["name"] == "property"]
    assert properties == ["inactive"] and values(found)["abstract"] is False
