"""FHIRPath Patch: each operation with each form of value, and what is refused (https://hl7.org/fhir/R4/fhirpatch.html)."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from fhir_profiles.errors import FhirError
from fhir_profiles.patch import fhirpath_patch
from fhir_profiles.validate import check

Json = dict[str, Any]

PATIENT: Json = {
    "resourceType": "Patient",
    "identifier": [{"value": "1"}, {"value": "2"}, {"value": "3"}],
    "name": [{"use": "official", "family": "Quill", "given": ["Ada", "Mae"]}],
    "birthDate": "1980-02-29",
    "_birthDate": {"extension": [{"url": "http://example.org/x", "valueString": "y"}]},
    "deceasedBoolean": False,
    "contact": [{"name": {"text": "Bo"}}],
}
OBSERVATION: Json = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"text": "weight"},
    "valueString": "heavy",
}


def _operation(type: str, path: str, **more: Any) -> Json:
    """One operation; `value` is given as a part."""
    part: list[Json] = [{"name": "type", "valueCode": type}, {"name": "path", "valueString": path}]
    for name, value in more.items():
        if isinstance(value, dict):
            part.append({"name": name, **value})
        else:
            part.append({"name": name, ("valueInteger" if isinstance(value, int) else "valueString"): value})
    return {"name": "operation", "part": part}


def _patched(resource: Json, *operations: Json) -> Json:
    kept = copy.deepcopy(resource)
    result = fhirpath_patch(resource, {"resourceType": "Parameters", "parameter": list(operations)})
    assert resource == kept
    assert check(result) == []
    return result


def test_add_a_primitive() -> None:
    """A new element of one value; the result is a valid resource."""
    result = _patched(PATIENT, _operation("add", "Patient", name="gender", value={"valueCode": "female"}))
    assert result["gender"] == "female"


def test_add_to_a_list() -> None:
    """What repeats is added at the end, or makes the list."""
    result = _patched(
        PATIENT,
        _operation("add", "Patient", name="identifier", value={"valueIdentifier": {"value": "4"}}),
        _operation("add", "Patient.name[0]", name="given", value={"valueString": "Li"}),
        _operation("add", "Patient", name="telecom", value={"valueContactPoint": {"system": "phone", "value": "5"}}),
    )
    assert [i["value"] for i in result["identifier"]] == ["1", "2", "3", "4"]
    assert result["name"][0]["given"] == ["Ada", "Mae", "Li"]
    assert result["telecom"] == [{"system": "phone", "value": "5"}]


def test_add_an_anonymous_type() -> None:
    """An element without a type of its own is given in parts, nested where it is."""
    parts = [
        {"name": "name", "valueHumanName": {"text": "Cy"}},
        {"name": "relationship", "valueCodeableConcept": {"text": "friend"}},
        {"name": "gender", "valueCode": "male"},
    ]
    result = _patched(PATIENT, _operation("add", "Patient", name="contact", value={"part": parts}))
    assert result["contact"][1] == {"name": {"text": "Cy"}, "relationship": [{"text": "friend"}], "gender": "male"}


def test_add_a_choice() -> None:
    """A choice is named without its type, which the value has."""
    bare = {k: v for k, v in OBSERVATION.items() if k != "valueString"}
    quantity = {"value": 80, "unit": "kg"}
    result = _patched(bare, _operation("add", "Observation", name="value", value={"valueQuantity": quantity}))
    assert result["valueQuantity"] == quantity


def test_add_a_resource() -> None:
    """A contained resource comes as the resource of the part."""
    organization = {"resourceType": "Organization", "id": "o", "name": "O"}
    result = _patched(
        PATIENT,
        _operation("add", "Patient", name="contained", value={"resource": organization}),
        _operation("add", "Patient", name="managingOrganization", value={"valueReference": {"reference": "#o"}}),
    )
    assert result["contained"] == [organization]


def test_add_an_extension_in_parts() -> None:
    """Extensions too can be given in parts."""
    parts = [{"name": "url", "valueUri": "http://example.org/e"}, {"name": "value", "valueString": "v"}]
    result = _patched(PATIENT, _operation("add", "Patient", name="extension", value={"part": parts}))
    assert result["extension"] == [{"url": "http://example.org/e", "valueString": "v"}]


def test_an_extension_on_a_primitive() -> None:
    """A path to a primitive's own extension deletes it and leaves the value."""
    result = _patched(PATIENT, _operation("replace", "Patient.birthDate.extension.value", value={"valueString": "z"}))
    assert result["_birthDate"]["extension"][0]["valueString"] == "z"
    assert result["birthDate"] == "1980-02-29"


@pytest.mark.parametrize(("index", "order"), [(0, "n123"), (1, "1n23"), (3, "123n")])
def test_insert(index: int, order: str) -> None:
    """The value stands before the item at the index; the size of the list means its end."""
    value = {"valueIdentifier": {"value": "n"}}
    result = _patched(PATIENT, _operation("insert", "Patient.identifier", index=index, value=value))
    assert "".join(i["value"] for i in result["identifier"]) == order


@pytest.mark.parametrize(("source", "destination", "order"), [(0, 2, "231"), (2, 0, "312"), (1, 1, "123")])
def test_move(source: int, destination: int, order: str) -> None:
    """The item stands at the destination afterwards."""
    result = _patched(PATIENT, _operation("move", "Patient.identifier", source=source, destination=destination))
    assert "".join(i["value"] for i in result["identifier"]) == order


def test_delete() -> None:
    """One value goes, with its extensions; the last item takes the list along; nothing to delete is no error."""
    result = _patched(
        PATIENT,
        _operation("delete", "Patient.birthDate"),
        _operation("delete", "Patient.contact.where(name.text = 'Bo')"),
        _operation("delete", "Patient.identifier[1]"),
        _operation("delete", "Patient.maritalStatus"),
    )
    assert not {"birthDate", "_birthDate", "contact"} & result.keys()
    assert [i["value"] for i in result["identifier"]] == ["1", "3"]


def test_replace() -> None:
    """Another value, in a list at its place, with the extensions that are given and no others."""
    result = _patched(
        PATIENT,
        _operation("replace", "Patient.birthDate", value={"valueDate": "1981-01-01"}),
        _operation("replace", "Patient.name.given[0]", value={"valueString": "Eva"}),
        _operation("replace", "Patient.name.where(use = 'official').family", value={"valueString": "Quine"}),
    )
    assert result["name"][0] == {"use": "official", "family": "Quine", "given": ["Eva", "Mae"]}
    assert result["birthDate"] == "1981-01-01"
    assert "_birthDate" not in result


def test_replace_a_choice_by_another_type() -> None:
    """The old property goes when the new value has another type."""
    result = _patched(OBSERVATION, _operation("replace", "Observation.value", value={"valueInteger": 80}))
    assert "valueString" not in result
    assert result["valueInteger"] == 80


def test_a_list_with_extensions_stays_in_step() -> None:
    """Items of a primitive list keep their own extensions when others come, go and move."""
    shadow = {"extension": [{"url": "http://example.org/x", "valueBoolean": True}]}
    named = {"resourceType": "Patient", "name": [{"given": ["A", "B"], "_given": [None, shadow]}]}
    result = _patched(named, _operation("insert", "Patient.name[0].given", index=0, value={"valueString": "N"}))
    assert result["name"][0] == {"given": ["N", "A", "B"], "_given": [None, None, shadow]}
    result = _patched(result, _operation("move", "Patient.name[0].given", source=2, destination=0))
    assert result["name"][0] == {"given": ["B", "N", "A"], "_given": [shadow, None, None]}
    assert _patched(result, _operation("delete", "Patient.name[0].given[0]"))["name"] == [{"given": ["N", "A"]}]


BAD: list[tuple[str, Json, str, str]] = [
    ("no such operation", _operation("merge", "Patient"), "structure", "type must be"),
    ("no value", _operation("add", "Patient", name="gender"), "required", "value is missing"),
    ("no name", _operation("add", "Patient", value={"valueCode": "male"}), "required", "name is missing"),
    (
        "no such element",
        _operation("add", "Patient", name="banana", value={"valueCode": "a"}),
        "not-found",
        "no element",
    ),
    (
        "there already",
        _operation("add", "Patient", name="birthDate", value={"valueDate": "1990"}),
        "conflict",
        "already",
    ),
    (
        "a choice there already",
        _operation("add", "Patient", name="deceased", value={"valueDateTime": "1990"}),
        "conflict",
        "already",
    ),
    (
        "a wrong type",
        _operation("add", "Patient", name="name", value={"valueAddress": {"text": "a"}}),
        "structure",
        "of that type",
    ),
    (
        "a text for a truth",
        _operation("add", "Patient", name="active", value={"valueString": "true"}),
        "structure",
        "of that type",
    ),
    (
        "a wrong choice",
        _operation("replace", "Patient.deceased", value={"valueString": "a"}),
        "structure",
        "of that type",
    ),
    (
        "nothing to replace",
        _operation("replace", "Patient.gender", value={"valueCode": "male"}),
        "not-found",
        "finds nothing",
    ),
    (
        "several to replace",
        _operation("replace", "Patient.name.given", value={"valueString": "a"}),
        "multiple-matches",
        "must find one",
    ),
    ("several to delete", _operation("delete", "Patient.identifier"), "multiple-matches", "must find one"),
    ("the whole resource", _operation("delete", "Patient"), "invalid", "as a whole"),
    ("no path", _operation("delete", "Patient..name"), "invalid", "FHIRPath"),
    ("a calculated value", _operation("delete", "Patient.name.count()"), "invalid", "calculated"),
    (
        "no list at the end",
        _operation("move", "Patient.name.first()", source=0, destination=0),
        "invalid",
        "name of a list",
    ),
    ("outside the list", _operation("move", "Patient.identifier", source=0, destination=3), "not-found", "outside"),
    (
        "insert outside",
        _operation("insert", "Patient.identifier", index=4, value={"valueIdentifier": {"value": "n"}}),
        "not-found",
        "outside",
    ),
    (
        "insert where one stands",
        _operation("insert", "Patient.birthDate", index=0, value={"valueDate": "1990"}),
        "invalid",
        "not repeat",
    ),
    (
        "below a text",
        _operation("add", "Patient.birthDate", name="id", value={"valueString": "a"}),
        "invalid",
        "no children",
    ),
    ("not an operation", {"name": "op", "part": []}, "structure", "named operation"),
    ("a part twice", {"name": "operation", "part": [{"name": "type"}, {"name": "type"}]}, "structure", "once"),
    (
        "endless work",
        _operation("delete", "repeat($this | $this.children())" + ".children()" * 200),
        "too-costly",
        "levels",
    ),
]


@pytest.mark.parametrize(("name", "operation", "code", "says"), BAD, ids=[b[0] for b in BAD])
def test_a_wrong_operation_is_refused(name: str, operation: Json, code: str, says: str) -> None:
    """The error has a code, says what is wrong and names the operation; the resource was not changed."""
    good = _operation("add", "Patient", name="gender", value={"valueCode": "female"})
    kept = copy.deepcopy(PATIENT)
    parameters = {"resourceType": "Parameters", "parameter": [good, operation]}
    if name in ("nothing to replace",):
        parameters["parameter"] = [good | {"part": _operation("delete", "Patient.link")["part"]}, operation]
    with pytest.raises(FhirError, match=says) as refused:
        fhirpath_patch(PATIENT, parameters)
    problem = refused.value.problems[0]
    assert (problem.code, problem.expression) == (code, "Parameters.parameter[1]")
    assert kept == PATIENT


def test_only_parameters_are_a_patch() -> None:
    """Another resource is refused."""
    with pytest.raises(FhirError, match="Parameters"):
        fhirpath_patch(PATIENT, PATIENT)
