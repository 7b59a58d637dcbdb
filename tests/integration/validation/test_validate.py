"""`$validate` on both engines."""

from __future__ import annotations

import pytest

from fhir_profiles.conform import own_resources
from fhir_profiles.errors import Category, FhirError

NAMED = "http://example.org/StructureDefinition/named"
CODED = "http://example.org/StructureDefinition/coded"
PATIENT = {"resourceType": "Patient", "id": "p", "name": [{"family": "x"}], "gender": "female"}
BARE = {"resourceType": "Patient", "id": "p", "active": True}

pytestmark = pytest.mark.usefixtures("loaded")


def parameters(resource, **more):
    """A Parameters resource of the call."""
    rest = [{"name": name, "valueUri" if name == "profile" else "valueCode": value} for name, value in more.items()]
    return {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": resource}, *rest]}


def test_a_clean_resource_is_told_to_be_all_right(outcome):
    """The first issue says so, and what follows is advice."""
    first, *others = outcome("Patient", PATIENT)["issue"]
    assert (first["severity"], first["code"]) == ("information", "informational")
    assert first["details"]["text"].startswith("All OK")
    assert [(i["severity"], i["diagnostics"][:6]) for i in others] == [("information", "dom-6:")]


def test_each_issue_says_what_and_where(outcome):
    """Severity, code, details and expression."""
    (issue,) = outcome("Patient", {**PATIENT, "gender": "wrong"})["issue"][:1]
    assert (issue["severity"], issue["code"], issue["expression"]) == ("error", "code-invalid", ["Patient.gender"])
    assert issue["details"]["text"] == issue["diagnostics"]
    assert "wrong" not in issue["diagnostics"]


def test_a_profile_is_taken_from_parameters_query_or_claim(issues):
    """Each way names the same profile, and the same element is missed."""
    missing = [("error", "required", "Patient.name")]
    assert issues("Patient", parameters(BARE, profile=NAMED)) == missing
    assert issues("Patient", BARE, profile=NAMED) == missing
    assert issues("Patient", parameters(BARE, profile=f"{NAMED}|1.0.0", mode="profile")) == missing
    assert issues("Patient", {**BARE, "meta": {"profile": [NAMED]}}) == missing
    assert issues("Patient", BARE) == []


def test_what_is_stored_is_validated_in_place(call, issues):
    """GET and POST on the instance, with a profile."""
    call("PUT", "Patient/p", BARE)
    assert issues("Patient/p") == []
    assert issues("Patient/p", profile=NAMED) == [("error", "required", "Patient.name")]
    assert issues("Patient/p", PATIENT, profile=NAMED) == []


def test_a_profile_that_is_not_known_never_passes(issues):
    """Asked for it is an error, claimed a warning at the claim."""
    unknown = "http://example.org/StructureDefinition/unknown"
    assert issues("Patient", PATIENT, profile=unknown) == [("error", "not-found", None)]
    claiming = {**PATIENT, "meta": {"profile": [NAMED, unknown]}}
    assert issues("Patient", claiming) == [("warning", "not-found", "Patient.meta.profile[1]")]


def test_a_code_that_cannot_be_looked_up_is_not_checked(outcome, issues):
    """The value set needs a code system that is licensed and not loaded: that is said, and no error is invented."""
    condition = {
        "resourceType": "Condition", "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "73211009"}]},
    }  # fmt: skip
    assert issues("Condition", condition, profile=CODED) == [("information", "not-supported", "Condition.code")]
    assert any("Not checked" in i["diagnostics"] for i in outcome("Condition", condition, profile=CODED)["issue"])
    other = {**condition, "code": {"coding": [{"system": "http://loinc.org", "code": "1-8"}]}}
    assert issues("Condition", other, profile=CODED) == [("error", "code-invalid", "Condition.code")]


def test_must_support_is_reported_when_asked(issues):
    """As information, and only then."""
    named = {k: v for k, v in PATIENT.items() if k != "gender"}
    assert issues("Patient", named, profile=NAMED) == []
    told = issues("Patient", named, profile=NAMED, mustSupport="report")
    assert told == [("information", "informational", "Patient.gender")]


def test_modes(call, issues):
    """What would hinder a create, an update and a delete."""
    call("PUT", "Patient/p", BARE)
    without_id = {k: v for k, v in PATIENT.items() if k != "id"}
    assert issues("Patient", without_id, mode="create") == []
    assert issues("Patient", without_id, mode="update") == [("error", "required", "Patient.id")]
    assert issues("Patient/other", PATIENT, mode="update") == [("error", "value", "Patient.id")]
    assert issues("Patient/p", mode="delete") == []
    assert issues("Observation", PATIENT) == [("error", "structure", "resourceType")]
    with pytest.raises(FhirError) as caught:
        issues("Patient/none", mode="delete")
    assert caught.value.category is Category.NOT_FOUND


@pytest.mark.parametrize(
    ("body", "query"),
    [
        (None, {}),
        (PATIENT, {"mode": "sideways"}),
        (PATIENT, {"mode": "profile"}),
        (PATIENT, {"mustSupport": "perhaps"}),
        (PATIENT, {"unknown": "x"}),
    ],
)
def test_a_call_that_makes_no_sense_is_refused(issues, body, query):
    """Nothing to validate, unknown modes and parameters: each is an error of the call, not an outcome."""
    with pytest.raises(FhirError) as caught:
        issues("Patient", body, **query)
    assert caught.value.category is Category.INCORRECT


def test_resources_inside_are_held_to_what_they_claim(issues):
    """A contained resource and an entry, with the place of each."""
    inner = {"resourceType": "Patient", "id": "i", "meta": {"profile": [NAMED]}, "active": True}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "urn:uuid:0c3201bd-1cbf-4d64-b04d-cd9187a4c6e0", "resource": inner}]}  # fmt: skip # noqa: E501
    assert issues("Bundle", bundle) == [("error", "required", "Bundle.entry[0].resource.name")]


def test_our_own_definitions_are_valid(issues):
    """What ships meets what it asks of others."""
    for resource in own_resources():
        assert issues(resource["resourceType"], resource) == [], resource["id"]
