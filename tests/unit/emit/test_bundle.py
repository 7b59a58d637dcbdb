"""Ids and requests: twice is once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from extractors.emit import bundle
from extractors.emit.people import is_npi, match
from fhir_profiles.systems import MRN, NPI


def test_the_same_document_gives_the_same_bundle(case) -> None:
    """A second run is byte for byte the first."""
    assert bundle(case.emit()) == bundle(case.emit())


def test_ids_differ_between_documents_and_within_one(case) -> None:
    """No id is used twice, and two documents share none."""
    one, other = ([r["id"] for r in case.emit(document=name)] for name in ("doc-1", "doc-2"))
    assert len(set(one)) == len(one)
    assert set(one).isdisjoint(other)


def test_a_new_version_updates_what_the_old_one_yielded(case) -> None:
    """The id does not carry the version: version 3 overwrites what version 2 said."""
    assert [r["id"] for r in case.emit(version="2")] == [r["id"] for r in case.emit(version="3")]


def test_a_patient_is_matched_by_identifier(case) -> None:
    """The Patient is created only where nobody has the MRN, in the configured system."""
    entry = bundle(case.emit(mrn_system="urn:example:mrn"))["entry"][0]
    assert entry["request"] == {"method": "POST", "url": "Patient", "ifNoneExist": "identifier=urn:example:mrn|5512907"}
    assert "id" not in entry["resource"]
    assert bundle(case.emit())["entry"][0]["resource"]["identifier"][0]["system"] == MRN


def test_a_patient_is_never_matched_by_name_alone(case) -> None:
    """Without an MRN the Patient stands for this document only."""
    case.identity = replace(case.identity, mrn=None)
    entry = bundle(case.emit())["entry"][0]
    assert entry["request"]["method"] == "PUT"
    assert entry["request"]["url"] == f"Patient/{entry['resource']['id']}"


def test_a_misread_npi_matches_nobody(case) -> None:
    """An NPI whose check digit is wrong must not lead to somebody else's record."""
    case.identity = replace(case.identity, npi="1487650329")
    assert bundle(case.emit())["entry"][1]["request"]["method"] == "PUT"
    case.identity = replace(case.identity, npi="1487650321")
    assert bundle(case.emit())["entry"][1]["request"]["ifNoneExist"] == f"identifier={NPI}|1487650321"


@pytest.mark.parametrize(
    ("value", "valid"), [("1234567893", True), ("1234567890", False), ("123", False), ("١٢٣٤٥٦٧٨٩٣", False)]
)
def test_npi_check_digit(value: str, valid: bool) -> None:
    """Ten ASCII digits with the right check digit."""
    assert is_npi(value) is valid


def test_only_people_are_matched(case) -> None:
    """Everything else is put under its own id."""
    for entry in bundle(case.emit())["entry"][2:]:
        assert match(entry["resource"]) is None
        assert entry["request"] == {
            "method": "PUT",
            "url": f"{entry['resource']['resourceType']}/{entry['resource']['id']}",
        }


def test_references_inside_the_bundle_resolve(case) -> None:
    """Each urn that a resource points to is the fullUrl of an entry."""
    entries = bundle(case.emit())["entry"]
    known = {entry["fullUrl"] for entry in entries}
    urns = {ref for entry in entries for ref in references(entry["resource"]) if ref.startswith("urn:uuid:")}
    assert urns
    assert urns <= known


def references(value: object) -> list[str]:
    """Every `reference` in a resource."""
    if isinstance(value, dict):
        own = [value["reference"]] if isinstance(value.get("reference"), str) else []
        return own + [ref for item in value.values() for ref in references(item)]
    if isinstance(value, list):
        return [ref for item in value for ref in references(item)]
    return []
