"""Codes are found by their properties (https://hl7.org/fhir/R4/codesystem-operation-find-matches.html)."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_profiles.errors import FhirError
from terminology import Terminology
from terminology.operations import Library, answer_call
from tests.unit.terminology.snomed.release import sct

Json = dict[str, Any]
SCT = "http://snomed.info/sct"
GADGET, KNOBBED, LEVERED, COLOUR, OLD = (sct(n) for n in (10, 11, 12, 13, 14))
PIECE, KNOB, LEVER, HAS_PART, WEIGHT = (sct(n) for n in (20, 21, 22, 40, 30))


def sought(code: str, value: str | None = None, *inner: Json) -> Json:
    """A property."""
    parts: list[Json] = [{"name": "code", "valueCode": code}]
    if value is not None:
        parts.append({"name": "value", "valueCode": value})
    return {"name": "property", "part": [*parts, *({**one, "name": "subproperty"} for one in inner)]}


def ask(
    terminology: Terminology, *properties: Json, exact: bool = True, system: str = SCT, **more: Any
) -> dict[str, list[str]]:
    """Matches: code → names of the properties that it lacks."""
    head = [{"name": "system", "valueUri": system}, {"name": "exact", "valueBoolean": exact}]
    rest = [{"name": name, "valueBoolean": value} for name, value in more.items()]
    parameters = {"resourceType": "Parameters", "parameter": [*head, *rest, *properties]}
    answer = answer_call("CodeSystem/$find-matches", parameters, Library(terminology))
    found = {}
    for match in answer.get("parameter", ()):
        code = next(p["valueCoding"]["code"] for p in match["part"] if p["name"] == "code")
        lacking = [p["part"][0]["valueCode"] for p in match["part"] if p["name"] == "unmatched"]
        found[code] = lacking
    return found


def test_all_properties_together(gadgets: Terminology) -> None:
    """A code matches that has every one of them."""
    assert set(ask(gadgets, sought(HAS_PART, KNOB))) == {KNOBBED, COLOUR}
    assert set(ask(gadgets, sought(HAS_PART, KNOB), sought(HAS_PART, LEVER))) == {COLOUR}
    assert set(ask(gadgets, sought("focus", KNOBBED), sought("sufficientlyDefined", "true"))) == {KNOBBED}
    assert set(ask(gadgets, sought(WEIGHT, "#10"))) == {COLOUR}
    assert set(ask(gadgets, sought("parent", GADGET))) == {KNOBBED, LEVERED}
    assert set(ask(gadgets, sought("replacedBy", KNOBBED))) == {OLD}
    assert ask(gadgets, sought("inactive", "true"), compositional=True) == {OLD: []}


def test_a_group_holds_its_attributes_together(gadgets: Terminology) -> None:
    """Attributes of different groups are not one."""
    assert set(ask(gadgets, sought("group", None, sought(HAS_PART, LEVER), sought(WEIGHT, "#10")))) == {COLOUR}
    assert ask(gadgets, sought("group", None, sought(HAS_PART, KNOB), sought(WEIGHT, "#10"))) == {}


def test_the_general_comes_before_the_special(gadgets: Terminology) -> None:
    """Matches stand in the order of the code system."""
    assert next(iter(ask(gadgets, sought("focus", GADGET)))) == GADGET


def test_a_person_is_answered_more_widely(gadgets: Terminology) -> None:
    """Values below the one asked for count, and parts of texts."""
    assert ask(gadgets, sought(HAS_PART, PIECE)) == {}
    assert set(ask(gadgets, sought(HAS_PART, PIECE), exact=False)) == {KNOBBED, LEVERED, COLOUR}
    assert set(ask(gadgets, sought("display", "knobbed"), exact=False)) == {KNOBBED}


def test_partial_matches_say_what_they_lack(gadgets: Terminology) -> None:
    """Without a code that has all, those with the most come."""
    found = ask(gadgets, sought(HAS_PART, KNOB), sought("sufficientlyDefined", "true"), sought(WEIGHT, "#99"))
    assert found == {KNOBBED: [WEIGHT]}


def test_every_code_system_can_be_asked(terminology: Terminology) -> None:
    """ICD-10-CM by place and by what may be billed; a published system by its hierarchy."""
    icd = "http://hl7.org/fhir/sid/icd-10-cm"
    found = ask(terminology, sought("focus", "E11.6"), sought("billable", "false"), system=icd)
    assert {"E11.6", "E11.62"} <= set(found)
    assert "E11.65" not in found
    act = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    assert "AMB" in ask(terminology, sought("focus", "_ActEncounterCode"), system=act)


@pytest.mark.parametrize(
    "parameters",
    [
        [{"name": "exact", "valueBoolean": True}, sought("a", "b")],
        [{"name": "system", "valueUri": SCT}, sought("a", "b")],
        [{"name": "system", "valueUri": SCT}, {"name": "exact", "valueBoolean": True}],
        [{"name": "system", "valueUri": SCT}, {"name": "exact", "valueBoolean": True}, sought("a")],
        [
            {"name": "system", "valueUri": SCT},
            {"name": "exact", "valueBoolean": True},
            {"name": "property", "part": []},
        ],
        [{"name": "system", "valueUri": "urn:no"}, {"name": "exact", "valueBoolean": True}, sought("a", "b")],
        [{"name": "system", "valueUri": SCT}, {"name": "exact", "valueBoolean": True}, *[sought("a", "b")] * 21],
        [{"name": "system", "valueUri": SCT}, {"name": "exact", "valueBoolean": True}, sought(HAS_PART, "((")],
    ],
)
def test_what_cannot_be_meant_is_refused(gadgets: Terminology, parameters: list[Json]) -> None:
    """A call without system, exact or properties, or with too many, is refused."""
    with pytest.raises(FhirError):
        answer_call(
            "CodeSystem/$find-matches", {"resourceType": "Parameters", "parameter": parameters}, Library(gadgets)
        )
