"""The CapabilityStatement."""

from __future__ import annotations

from fhir_profiles.capability import statement
from fhir_profiles.definitions import load
from fhir_profiles.validate import check


def test_it_lists_every_type_with_its_searches() -> None:
    """No type is left out, and what is named can be searched."""
    rest = statement("http://localhost/fhir", version="1")["rest"][0]
    by_type = {r["type"]: r for r in rest["resource"]}
    assert tuple(by_type) == load().resource_types
    observation = by_type["Observation"]
    names = {p["name"] for p in observation["searchParam"]}
    assert {"_id", "_lastUpdated", "code", "patient", "value-quantity", "date"} <= names
    assert not {"_text", "_content", "code-value-quantity"} & names
    assert "Observation:subject" in observation["searchInclude"]
    assert "Observation:subject" in by_type["Patient"]["searchRevInclude"]
    assert len(names) == len(observation["searchParam"])


def test_what_the_server_can_is_passed_in() -> None:
    """Interactions, flags, operations and security are as told, and the result is valid."""
    resource = statement(
        "http://localhost/fhir",
        version="1",
        interactions=("read",),
        versioning="versioned",
        conditional_delete="not-supported",
        operations=[("Patient", "everything", "http://e.org/op"), ("", "export", "http://e.org/ex")],
        security={"cors": True},
    )
    rest = resource["rest"][0]
    patient = next(r for r in rest["resource"] if r["type"] == "Patient")
    assert patient["interaction"] == [{"code": "read"}]
    assert patient["operation"] == [{"name": "everything", "definition": "http://e.org/op"}]
    assert rest["operation"] == [{"name": "export", "definition": "http://e.org/ex"}]
    assert rest["security"] == {"cors": True}
    assert (patient["versioning"], patient["conditionalDelete"]) == ("versioned", "not-supported")
    assert check(resource) == []
