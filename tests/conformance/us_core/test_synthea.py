"""Synthea's bundles against US Core: they claim no profile themselves, so each type is held to the one that fits it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from fhir_profiles import json
from fhir_profiles.conform import check_known, check_profile

SYNTHEA = Path(__file__).parents[4] / "shared/conformance/synthea"
CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
BY_TYPE = {
    "CarePlan": "careplan", "Condition": "condition-encounter-diagnosis", "DiagnosticReport": "diagnosticreport-note",
    "Encounter": "encounter", "Goal": "goal", "Immunization": "immunization", "MedicationRequest": "medicationrequest",
    "Organization": "organization", "Patient": "patient", "Practitioner": "practitioner", "Procedure": "procedure",
}  # fmt: skip
BY_CATEGORY = {
    "laboratory": "observation-lab", "vital-signs": "vital-signs", "survey": "observation-screening-assessment",
    "social-history": "simple-observation",
}  # fmt: skip
MISSING = {
    ("CarePlan", "CarePlan.category"): "no category assess-plan, which US Core asks of every plan",
    ("Condition", "Condition.category"): "no category at all",
    ("Practitioner", "Practitioner.identifier[0]"): "an NPI that has not ten digits",
}
"""What this generator of 2021 really lacks, checked by hand."""

pytestmark = pytest.mark.skipif(not SYNTHEA.is_dir(), reason="no Synthea bundles beside the repository")


@pytest.fixture(scope="module")
def resources():
    """Every resource of the bundles."""
    paths = sorted(SYNTHEA.glob("*.json"))
    return [entry["resource"] for path in paths for entry in json.decode(path.read_bytes())["entry"]]


def test_only_what_is_really_missing_is_refused(resources, profiles, codes):
    """Thousands of resources pass, and each error is one that the data has."""
    found, checked = Counter(), 0
    for resource in resources:
        name = BY_TYPE.get(resource["resourceType"])
        if resource["resourceType"] == "Observation":
            name = BY_CATEGORY.get(resource["category"][0]["coding"][0]["code"])
        if name is None:
            continue
        checked += 1
        problems = check_profile(resource, CORE + name, registry=profiles, codes=codes)
        found.update({(resource["resourceType"], p.expression) for p in problems if p.severity == "error"})
    assert set(found) == set(MISSING)
    assert (checked >= 3_000, sum(found.values()) < checked / 10) == (True, True)


def test_nothing_is_refused_that_claims_nothing(resources, profiles, codes):
    """A loaded package changes nothing for resources that do not claim its profiles."""
    for resource in resources:
        assert check_known(resource, registry=profiles, codes=codes, thorough=False) == []
