"""C-CDA documents become resources, or there is a reason."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from extractors.pages.limits import Refused
from fhir_profiles.validate import check
from server.doors.ccda import Limits, Mapped, embedded, map_document, map_entries, open_document
from server.doors.ccda.times import Unreadable, moment

SAMPLES = Path(__file__).parent / "ccda_samples"
EXPECTED: dict[str, dict[str, Any]] = json.loads((SAMPLES / "expected.json").read_text())
NOW = "2026-01-01T00:00:00Z"
LIMITS = Limits(depth=100)


def mapped(name: str) -> Mapped:
    """A sample as resources."""
    return map_document((SAMPLES / f"{name}.xml").read_bytes(), LIMITS, NOW)


def of(name: str, kind: str) -> list[dict[str, Any]]:
    """The resources of a type that a sample yields."""
    return [one for one in mapped(name).resources if one["resourceType"] == kind]


def test_every_sample_is_expected() -> None:
    """No sample is without its resources or its reason."""
    assert {path.stem for path in SAMPLES.glob("*.xml")} == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_document_has_its_resources_or_its_reason(name: str) -> None:
    """Each resource is valid R4, each id stands once, a second run gives the same; what is refused has its code."""
    if reason := EXPECTED[name].get("reason"):
        with pytest.raises(Refused) as refusal:
            mapped(name)
        assert refusal.value.code == reason
        return
    found = mapped(name)
    assert Counter(one["resourceType"] for one in found.resources) == EXPECTED[name]["resources"]
    assert list(found.notes) == EXPECTED[name]["notes"]
    assert [problem for one in found.resources for problem in check(one)] == []
    assert len({(one["resourceType"], one["id"]) for one in found.resources}) == len(found.resources)
    assert mapped(name) == found


def test_references_stay_in_the_bundle() -> None:
    """Whatever a resource points to is made beside it."""
    bundle = mapped("ccd").bundle()
    urls = {entry["fullUrl"] for entry in bundle["entry"]}
    told = json.dumps(bundle, default=str)
    assert {f"urn:uuid:{part[:36]}" for part in told.split("urn:uuid:")[1:]} <= urls


def test_a_patient_is_found_by_number() -> None:
    """The medical record number, and not the social security number, says who it is."""
    entry = next(one for one in mapped("ccd").bundle()["entry"] if one["resource"]["resourceType"] == "Patient")
    assert entry["request"]["ifNoneExist"] == "identifier=urn:oid:2.16.840.1.113883.19.77.1|MR-4471"


def test_what_is_denied_is_not_asserted() -> None:
    """A denied problem is refuted, "no known problems" is a code of its own, refused vaccines are not done."""
    conditions = of("negated", "Condition")
    assert [one["code"]["coding"][0]["code"] for one in conditions] == ["160245001", "195967001"]
    assert [one["verificationStatus"]["coding"][0]["code"] for one in conditions] == ["confirmed", "refuted"]
    allergies = of("negated", "AllergyIntolerance")
    assert [one["code"]["coding"][0]["code"] for one in allergies] == ["716186003", "7980"]
    assert allergies[1]["verificationStatus"]["coding"][0]["code"] == "refuted"
    [vaccine], [drug], [done] = (of("negated", kind) for kind in ("Immunization", "MedicationStatement", "Procedure"))
    assert (vaccine["status"], drug["status"], done["status"]) == ("not-done", "not-taken", "not-done")


def test_null_flavors_say_why() -> None:
    """A code that is not told is the words, a translation or a data-absent-reason."""
    codes = [one["code"] for one in of("null_flavors", "Condition")]
    assert codes[0] == {"text": "Feels unwell"}
    assert codes[1]["coding"][0]["code"] == "R53.83"
    assert codes[2]["coding"][0]["code"] == "masked"
    [result] = of("null_flavors", "Observation")
    assert result["dataAbsentReason"]["coding"][0]["code"] == "not-asked"
    [vaccine] = of("null_flavors", "Immunization")
    assert vaccine["_occurrenceDateTime"]["extension"][0]["valueCode"] == "unknown"


def test_doses_have_their_times() -> None:
    """Periods, hours that an institution chooses, events with offsets, as needed, single moments, ranges."""
    taken = of("timings", "MedicationStatement")
    repeats = [one["dosage"][0].get("timing", {}).get("repeat", {}) for one in taken]
    assert repeats[0] | {"boundsPeriod": None} == {
        "boundsPeriod": None,
        "frequency": 1,
        "period": 6,
        "periodMax": 8,
        "periodUnit": "h",
    }
    assert (repeats[1]["when"], repeats[1]["offset"]) == (["ACM"], 30)
    assert taken[2]["effectiveDateTime"] == "2024-03-05T10:15:00-05:00"
    assert taken[4]["dosage"][0]["asNeededCodeableConcept"]["coding"][0]["code"] == "25064002"
    [asked] = of("timings", "MedicationRequest")
    assert asked["dosageInstruction"][0]["doseAndRate"][0]["doseRange"]["high"]["value"] == 2
    assert asked["dispenseRequest"]["numberOfRepeatsAllowed"] == 2
    [usual] = of("ccd", "MedicationStatement")
    assert usual["dosage"][0]["timing"]["repeat"]["frequency"] == 2


def test_values_keep_type_digits_and_unit() -> None:
    """7.0 stays 7.0, a bound has its comparator, what is no number is its words, a vendor's unit is UCUM."""
    values = [next(v for k, v in one.items() if k.startswith("value")) for one in of("values", "Observation")]
    assert str(values[0]["value"]) == "7.0"
    assert (values[1], values[3]["comparator"], values[7]) == ("Yellow", "<", "high")
    assert values[8]["code"] == "[degF]"


def test_codes_pass_as_they_stand() -> None:
    """An OID that FHIR has no name for is a urn, what is no OID is no system."""
    found = [one["code"]["coding"][0] for one in of("unknown_oids", "Condition")]
    assert found[0]["system"] == "urn:oid:1.2.840.114350.1.13.99"
    assert found[1] == {"code": "X1", "display": "Other thing"}


def test_references_into_the_narrative_are_words() -> None:
    """`originalText/reference` is resolved."""
    assert of("ccd", "Condition")[0]["code"]["text"] == "Type 2 diabetes, diet controlled"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024", "2024"),
        ("202403", "2024-03"),
        ("20240305", "2024-03-05"),
        ("2024030514", "2024-03-05"),
        ("202403051430-0500", "2024-03-05T14:30:00-05:00"),
        ("20240305143000.250+0000", "2024-03-05T14:30:00.250+00:00"),
        ("20240305143000", "2024-03-05"),
        ("2024-03-05T14:30:00Z", "2024-03-05T14:30:00Z"),
    ],
)
def test_times_keep_their_precision(value: str, expected: str) -> None:
    """No precision and no zone is made up."""
    assert moment(value) == expected


@pytest.mark.parametrize(
    "value", ["20241345", "2024023", "yesterday", "20240230", "202403052575-0500", "20240305-9900"]
)
def test_what_is_no_time_is_told(value: str) -> None:
    """A time that is none is not guessed at."""
    with pytest.raises(Unreadable):
        moment(value)


def test_the_file_in_a_document_comes_first() -> None:
    """An unstructured document gives the reader its file, and keeps itself beside it."""
    [reference] = of("unstructured_pdf", "DocumentReference")
    kinds = [one["attachment"]["contentType"] for one in reference["content"]]
    assert kinds == ["application/pdf", "application/hl7-cda+xml"]
    data = (SAMPLES / "unstructured_text.xml").read_bytes()
    assert embedded(open_document(data, LIMITS)) == b"Seen for asthma. No wheeze."


def test_a_document_that_was_posted_is_about_whom_it_names() -> None:
    """The DocumentReference's own patient and visit win, and the ids come from it."""
    given = {
        "id": "d1",
        "subject": {"reference": "Patient/7"},
        "context": {"encounter": [{"reference": "Encounter/8"}]},
    }
    found = map_entries((SAMPLES / "ccd.xml").read_bytes(), LIMITS, given, NOW)
    kinds = {one["resourceType"] for one in found.resources}
    assert {"Patient", "DocumentReference"}.isdisjoint(kinds)
    assert {one["subject"]["reference"] for one in found.resources if one["resourceType"] == "Condition"} == {
        "Patient/7"
    }
    assert {one["id"] for one in found.resources}.isdisjoint(one["id"] for one in mapped("ccd").resources)


def test_a_later_version_keeps_the_places() -> None:
    """The same problem has the same id in the next version, so that it is updated and not doubled."""
    first, second = (of(name, "Condition") for name in ("version_1", "version_2"))
    assert second[0]["id"] == first[0]["id"]
    assert mapped("version_1").home == mapped("version_2").home


def test_a_document_costs_no_more_than_its_limits() -> None:
    """Bytes, elements and entries are bounded."""
    data = (SAMPLES / "ccd.xml").read_bytes()
    for limits, code in (
        (Limits(size=100), "too-long"),
        (Limits(nodes=50), "too-costly"),
        (Limits(entries=3), "too-costly"),
    ):
        with pytest.raises(Refused) as refusal:
            map_document(data, limits, NOW)
        assert refusal.value.code == code
