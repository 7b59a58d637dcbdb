"""The CapabilityStatement."""

from __future__ import annotations

from fhir_profiles.capability import Declared, statement
from fhir_profiles.definitions import load
from fhir_profiles.validate import check

OPERATIONS = (
    Declared("everything", "http://e.org/everything", ("instance",), ("Patient",)),
    Declared("export", "http://e.org/export", ("system", "type"), ("Patient",)),
    Declared("meta", "http://e.org/meta", ("instance",)),
)


def _by_type(rest):
    return {resource["type"]: resource for resource in rest["resource"]}


def test_it_lists_every_type_with_its_searches() -> None:
    """No type is left out; composite, special and full-text parameters are named; named queries are not."""
    rest = statement("http://localhost/fhir", version="1")["rest"][0]
    by_type = _by_type(rest)
    assert tuple(by_type) == load().resource_types
    observation = by_type["Observation"]
    names = {p["name"] for p in observation["searchParam"]}
    assert {"_id", "_lastUpdated", "_text", "code", "patient", "value-quantity", "date", "combo-code"} <= names
    assert {"code-value-quantity", "_content"} <= names
    assert "_query" not in names
    assert {"near"} <= {p["name"] for p in by_type["Location"]["searchParam"]}
    assert {"*", "Observation:subject"} <= set(observation["searchInclude"])
    assert "Observation:subject" in by_type["Patient"]["searchRevInclude"]
    assert len(names) == len(observation["searchParam"])
    assert {"_type", "_list", "_has", "_filter"} <= {p["name"] for p in rest["searchParam"]}


def test_it_names_every_interaction_and_format() -> None:
    """Patch, history at three levels, system search, conditional forms, compartments, XML."""
    told = statement("http://localhost/fhir", version="1")
    rest = told["rest"][0]
    patient = _by_type(rest)["Patient"]
    assert {"patch", "history-type", "history-instance"} <= {i["code"] for i in patient["interaction"]}
    assert {"history-system", "search-system"} <= {i["code"] for i in rest["interaction"]}
    assert patient["conditionalDelete"] == "multiple"
    assert "http://hl7.org/fhir/CompartmentDefinition/patient" in rest["compartment"]
    assert {"xml", "application/fhir+xml"} <= set(told["format"])
    assert "application/json-patch+json" in told["patchFormat"]


def test_operations_stand_where_they_can_be_called() -> None:
    """System operations at the base, the others on their types, those of every type on each."""
    rest = statement("http://localhost/fhir", version="1", operations=OPERATIONS)["rest"][0]
    by_type = _by_type(rest)
    assert rest["operation"] == [{"name": "export", "definition": "http://e.org/export"}]
    assert [one["name"] for one in by_type["Patient"]["operation"]] == ["everything", "export", "meta"]
    assert [one["name"] for one in by_type["Group"]["operation"]] == ["meta"]


def test_what_the_server_can_is_passed_in() -> None:
    """Search parameters, profiles, guides, deletes and security are as told, and the result is valid."""
    resource = statement(
        "http://localhost/fhir",
        version="1",
        params=lambda name: {"_id": load().search_params(name)["_id"]},
        operations=OPERATIONS,
        profiles={"Patient": ["http://e.org/p|1"]},
        guides=["http://e.org/guide|1"],
        many_deletes=False,
        security={"cors": True},
    )
    rest = resource["rest"][0]
    patient = _by_type(rest)["Patient"]
    assert [p["name"] for p in patient["searchParam"]] == ["_id"]
    assert patient["supportedProfile"] == ["http://e.org/p|1"]
    assert resource["implementationGuide"] == ["http://e.org/guide|1"]
    assert patient["conditionalDelete"] == "single"
    assert rest["security"] == {"cors": True}
    assert check(resource) == []
