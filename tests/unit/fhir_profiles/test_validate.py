"""What `check` refuses, where it says so, and what it must not refuse."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from fhir_profiles.accept import accepts
from fhir_profiles.validate import check
from fhir_profiles.walk import walk

Change = Callable[[dict[str, Any]], Any]
Broken = Callable[[str, Change], dict[str, Any]]

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'


def put(*path: str | int, to: Any) -> Change:
    """Set the value at a path."""

    def edit(resource: dict[str, Any]) -> None:
        at: Any = resource
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = to

    return edit


def drop(*path: str | int) -> Change:
    """Remove the value at a path."""

    def edit(resource: dict[str, Any]) -> None:
        at: Any = resource
        for step in path[:-1]:
            at = at[step]
        del at[path[-1]]

    return edit


def div(text: str) -> Change:
    """Replace the narrative."""
    return put("text", "div", to=DIV.format(text))


FAULTS: list[tuple[str, str, Change, str]] = [
    ("unknown property", "Patient", put("banana", to=1), "Patient.banana"),
    ("unknown property of a datatype", "Patient", put("name", 0, "nick", to="x"), "Patient.name[0].nick"),
    ("required missing", "Observation", drop("status"), "Observation.status"),
    ("required object missing", "Observation", drop("code"), "Observation.code"),
    ("required in a backbone missing", "Observation", drop("component", 0, "code"), "Observation.component[0].code"),
    ("two types of a choice", "Observation", put("valueString", to="x"), "Observation.value"),
    ("unknown type of a choice", "Observation", put("valueMoney", to={"value": 1}), "Observation.valueMoney"),
    ("array for a single", "Patient", put("gender", to=["female"]), "Patient.gender"),
    ("single for an array", "Patient", put("name", to={"family": "Q"}), "Patient.name"),
    ("empty array", "Patient", put("name", to=[]), "Patient.name"),
    ("empty object", "Patient", put("maritalStatus", to={}), "Patient.maritalStatus"),
    ("object with an id only", "Patient", put("maritalStatus", to={"id": "m"}), "Patient.maritalStatus"),
    ("empty string", "Patient", put("name", 0, "family", to=""), "Patient.name[0].family"),
    ("control character", "Patient", put("name", 0, "family", to="a\x01"), "Patient.name[0].family"),
    ("string over 1 MB", "Patient", put("name", 0, "family", to="a" * 1_048_577), "Patient.name[0].family"),
    ("null", "Patient", put("gender", to=None), "Patient.gender"),
    ("null in an array of objects", "Patient", put("name", 0, to=None), "Patient.name[0]"),
    ("null without an extension", "Patient", put("name", 0, "_given", to=[None, None]), "Patient.name[0].given[1]"),
    ("arrays out of step", "Patient", put("name", 0, "_given", to=[{"id": "x"}]), "Patient.name[0].given"),
    ("string for boolean", "Patient", put("active", to="true"), "Patient.active"),
    ("number for string", "Patient", put("name", 0, "family", to=1), "Patient.name[0].family"),
    ("string for decimal", "Observation", put("valueQuantity", "value", to="72.5"), "Observation.value.value"),
    (
        "string for integer",
        "Observation",
        put("component", 0, "valueInteger", to="3"),
        "Observation.component[0].value",
    ),
    ("decimal for integer", "Observation", put("component", 0, "valueInteger", to=Decimal("3.0")), "…[0].value"),
    ("boolean for integer", "Observation", put("component", 0, "valueInteger", to=True), "…[0].value"),
    ("integer over 32 bits", "Observation", put("component", 0, "valueInteger", to=2**31), "…[0].value"),
    ("zero for positiveInt", "Patient", put("telecom", 0, "rank", to=0), "Patient.telecom[0].rank"),
    ("day that does not exist", "Patient", put("birthDate", to="2024-02-30"), "Patient.birthDate"),
    ("leap day of another year", "Patient", put("birthDate", to="2023-02-29"), "Patient.birthDate"),
    ("month 13", "Patient", put("birthDate", to="2024-13"), "Patient.birthDate"),
    ("American date", "Patient", put("birthDate", to="02/28/1980"), "Patient.birthDate"),
    ("time in a date", "Patient", put("birthDate", to="1980-02-28T10:00:00Z"), "Patient.birthDate"),
    ("time without zone", "Observation", put("effectiveDateTime", to="2024-03-01T10:00:00"), "Observation.effective"),
    ("time without seconds", "Observation", put("effectiveDateTime", to="2024-03-01T10:00Z"), "Observation.effective"),
    ("hour 24", "Observation", put("effectiveDateTime", to="2024-03-01T24:00:00Z"), "Observation.effective"),
    ("instant without time", "Observation", put("issued", to="2024-03-01"), "Observation.issued"),
    ("code with a space at its end", "Observation", put("valueQuantity", "code", to="mm "), "Observation.value.code"),
    ("code outside a required binding", "Patient", put("gender", to="banana"), "Patient.gender"),
    ("status outside a required binding", "Observation", put("status", to="done"), "Observation.status"),
    ("unit comparator outside the binding", "Observation", put("valueQuantity", "comparator", to="~"), "…comparator"),
    (
        "concept outside a required binding",
        "Condition",
        put("clinicalStatus", "coding", 0, "code", to="banana"),
        "Condition.clinicalStatus",
    ),
    (
        "concept without system in a required binding",
        "Condition",
        drop("clinicalStatus", "coding", 0, "system"),
        "…Status",
    ),
    ("uri with a space", "Patient", put("identifier", 0, "system", to="a b"), "Patient.identifier[0].system"),
    ("bad id", "Patient", put("id", to="a b"), "Patient.id"),
    ("id of 65 characters", "Patient", put("id", to="a" * 65), "Patient.id"),
    ("bad base64", "Patient", put("photo", 0, "data", to="a?b"), "Patient.photo[0].data"),
    ("extension without url", "Patient", drop("extension", 0, "url"), "Patient.extension[0].url"),
    ("extension without value", "Patient", drop("extension", 0, "valueString"), "Patient.extension[0]"),
    (
        "extension with value and extensions",
        "Patient",
        put("extension", 1, "valueCode", to="x"),
        "Patient.extension[1]",
    ),
    ("extension with two values", "Patient", put("extension", 0, "valueCode", to="x"), "Patient.extension[0].value"),
    ("reference to a wrong type", "Observation", put("subject", "reference", to="Claim/1"), "…subject.reference"),
    ("reference to no type", "Observation", put("subject", "reference", to="Banana/1"), "…subject.reference"),
    ("reference without type", "Observation", put("subject", "reference", to="p1"), "…subject.reference"),
    ("reference to no contained resource", "Patient", drop("contained"), "Patient.generalPractitioner[1].reference"),
    (
        "contained in contained",
        "Patient",
        put("contained", 0, "contained", to=[{"resourceType": "Basic"}]),
        "….contained",
    ),
    (
        "contained twice with one id",
        "Patient",
        lambda r: r["contained"].append(r["contained"][0]),
        "Patient.contained[1]",
    ),
    ("contained without id", "Patient", drop("contained", 0, "id"), "Patient.contained[0]"),
    ("contained with a version", "Patient", put("contained", 0, "meta", to={"versionId": "1"}), "….meta"),
    ("contained of no type", "Patient", drop("contained", 0, "resourceType"), "Patient.contained[0]"),
    ("fault in a contained resource", "Patient", put("contained", 0, "gender", to="x"), "Patient.contained[0].gender"),
    ("script in the narrative", "Patient", div("<script>x()</script>"), "Patient.text.div"),
    ("event handler in the narrative", "Patient", div('<p onclick="x()">a</p>'), "Patient.text.div"),
    ("script link in the narrative", "Patient", div('<a href=" javascript:x()">a</a>'), "Patient.text.div"),
    ("frame in the narrative", "Patient", div('<iframe src="x">a</iframe>'), "Patient.text.div"),
    ("narrative not well-formed", "Patient", div("<p>a"), "Patient.text.div"),
    ("narrative without content", "Patient", div("<p> </p>"), "Patient.text.div"),
    ("narrative without namespace", "Patient", put("text", "div", to="<div>a</div>"), "Patient.text.div"),
    ("entities in the narrative", "Patient", put("text", "div", to='<!DOCTYPE d [<!ENTITY a "b">]><d/>'), "…div"),
    ("narrative without status", "Patient", drop("text", "status"), "Patient.text.status"),
    ("primitive sibling of an object", "Patient", put("_name", to={"id": "x"}), "Patient._name"),
    ("sibling of an object that is no list", "Patient", put("_meta", to={"id": "x"}), "Patient._meta"),
    ("empty sibling", "Patient", put("_birthDate", to={}), "Patient.birthDate"),
    ("sibling that is no object", "Patient", put("_birthDate", to="x"), "Patient.birthDate"),
    ("unknown resource type", "Patient", put("resourceType", to="Pacient"), ""),
    ("resourceType missing", "Patient", drop("resourceType"), ""),
]


@pytest.mark.parametrize(("name", "change", "place"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
def test_each_fault_is_found_at_its_place(broken: Broken, name: str, change: Change, place: str) -> None:
    """Every kind of fault, planted alone, is reported with the FHIRPath of where it is."""
    problems = check(broken(name, change))
    assert problems
    places = [p.expression or "" for p in problems]
    assert any(p == place or (place.startswith("…") and p.endswith(place[1:])) for p in places), places


@pytest.mark.parametrize("name", ["Patient", "Observation", "Condition"])
def test_the_unbroken_resources_are_valid(broken: Broken, name: str) -> None:
    """The resources that the faults are planted in have none of their own."""
    assert [p for p in walk(broken(name, lambda _: None)) if p.severity == "error"] == []


def test_fast_half_accepts_the_common_case(observation: dict[str, Any]) -> None:
    """An ordinary resource never costs a walk."""
    assert accepts(observation)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("Patient", div("a &amp; b&nbsp;<img src='#x' alt='x'/>")),
        ("Patient", put("birthDate", to="1980")),
        ("Patient", put("name", 0, "family", to="Zoë\nO’Neil\u00a0")),
        ("Patient", put("generalPractitioner", 0, "reference", to="urn:uuid:5f3c1a52-7ad1-4cf6-a0ee-1f6c8c1b3c30")),
        ("Patient", put("generalPractitioner", 0, "reference", to="https://a.example/fhir/Practitioner/1/_history/2")),
        ("Patient", put("generalPractitioner", 0, "reference", to="Practitioner?identifier=a|b")),
        ("Patient", put("generalPractitioner", 0, to={"identifier": {"value": "1"}, "display": "Dr"})),
        ("Patient", put("photo", 0, "data", to="aGVs\nbG8=")),
        ("Observation", put("valueQuantity", "value", to=Decimal("1E+2"))),
        ("Observation", put("effectiveDateTime", to="2016-12-31T23:59:60Z")),
        ("Observation", put("code", "coding", 0, "code", to="two words")),
        (
            "Condition",
            put("extension", to=[{"url": "x", "_valueString": {"extension": [{"url": "y", "valueId": "z"}]}}]),
        ),
    ],
)
def test_valid_oddities_are_accepted(broken: Broken, name: str, change: Change) -> None:
    """What looks odd and is allowed passes."""
    assert check(broken(name, change)) == []


def test_a_required_primitive_may_be_an_extension(observation: dict[str, Any]) -> None:
    """`_status` with a reason stands for a missing `status`."""
    del observation["status"]
    reason = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
    observation["_status"] = {"extension": [{"url": reason, "valueCode": "unknown"}]}
    assert check(observation) == []


def test_every_fault_is_listed(observation: dict[str, Any]) -> None:
    """Problems do not hide each other."""
    del observation["status"]
    observation["banana"] = 1
    observation["issued"] = "yesterday"
    observation["component"][0]["valueInteger"] = "3"
    places = {p.expression for p in check(observation)}
    assert places == {
        "Observation.status",
        "Observation.banana",
        "Observation.issued",
        "Observation.component[0].value",
    }


def test_resources_inside_bundles_and_parameters_are_checked(patient: dict[str, Any]) -> None:
    """A fault deep in an entry is found with its whole path."""
    patient["gender"] = "banana"
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient}]}
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "x", "resource": bundle}]}
    (problem,) = check(parameters)
    assert problem.expression == "Parameters.parameter[0].resource.entry[0].resource.gender"


def test_local_references_resolve_inside_their_own_resource(
    patient: dict[str, Any], observation: dict[str, Any]
) -> None:
    """A contained resource of one entry does not serve another entry."""
    observation["performer"] = [{"reference": "#d2"}]
    entries = [{"resource": patient}, {"resource": observation}]
    (problem,) = check({"resourceType": "Bundle", "type": "collection", "entry": entries})
    assert problem.expression == "Bundle.entry[1].resource.performer[0].reference"


def test_no_value_is_repeated(broken: Broken) -> None:
    """Neither text nor place of a problem holds what stood in the resource."""
    for _, name, change, _ in FAULTS:
        resource = broken(name, change)
        for problem in check(resource):
            for value in ("banana", "1980", "02/28", "Quill", "Ada", "a?b", "yesterday", "555"):
                shown = f"{problem.text} {(problem.expression or '').replace('Patient.banana', '')}"
                assert value not in shown


def test_a_strange_property_name_is_not_repeated(patient: dict[str, Any]) -> None:
    """A property name that could be anything is left out of the place."""
    patient["Ada Quill 1980"] = 1
    (problem,) = check(patient)
    assert problem.expression == "Patient"


@pytest.mark.parametrize("value", [None, [], "x", 1, {}, {"resourceType": 1}, {"resourceType": "DomainResource"}])
def test_what_is_no_resource_is_one_problem(value: Any) -> None:
    """Anything at all can be checked."""
    assert len(check(value)) == 1


def test_rules_that_published_examples_break_are_warnings() -> None:
    """An item without linkId is tolerated, and said when warnings are asked for; that a narrative is missing too."""
    resource = {"resourceType": "Questionnaire", "status": "draft", "item": [{"type": "display", "text": "x"}]}
    assert check(resource) == []
    warned = check(resource, warnings=True)
    assert [(p.severity, p.expression) for p in warned] == [
        ("warning", "Questionnaire.item[0].linkId"),
        ("warning", "Questionnaire"),
    ]
