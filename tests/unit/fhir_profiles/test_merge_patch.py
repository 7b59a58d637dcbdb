"""JSON Merge Patch."""

import pytest

from fhir_profiles.patch import merge_patch

PATIENT = {
    "resourceType": "Patient",
    "active": True,
    "name": [{"family": "A"}],
    "maritalStatus": {"text": "x", "id": "m"},
}


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({"active": False}, {**PATIENT, "active": False}),
        ({"active": None, "gender": None}, {key: value for key, value in PATIENT.items() if key != "active"}),
        ({"name": [{"family": "B"}]}, {**PATIENT, "name": [{"family": "B"}]}),
        ({"maritalStatus": {"id": None, "text": "y"}}, {**PATIENT, "maritalStatus": {"text": "y"}}),
        ({"contact": {"a": {"b": None, "c": 1}}}, {**PATIENT, "contact": {"a": {"c": 1}}}),
        ({}, PATIENT),
    ],
)
def test_properties_are_set_merged_and_removed(patch, expected):
    """Null removes, objects merge, everything else replaces; what was given stays as it was."""
    before = {**PATIENT}
    assert merge_patch(PATIENT, patch) == expected
    assert before == PATIENT
