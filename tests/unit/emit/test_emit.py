"""What a document yields."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from fhir.resources.R4B.observation import Observation
from msgspec import structs

from extractors.emit import Source, emit, source_of
from extractors.model import Assertion
from fhir_profiles import json
from fhir_profiles.systems import HCPCS, ICD10CM, REVIEW_TAG, RXNORM, UCUM
from fhir_profiles.validate import check


def test_every_resource_is_valid_r4(case) -> None:
    """The validator has nothing to say about any emitted resource, refuted Conditions included."""
    for resource in case.emit(refuted=True):
        assert check(resource) == [], resource["resourceType"]


def test_resources_are_models_of_fhir_resources(case) -> None:
    """A library user gets typed models."""
    found = emit(Source("d", "2026-01-01T00:00:00Z"), case.document, case.coded)
    assert any(isinstance(resource, Observation) for resource in found)


def test_the_expected_types_come_out(case) -> None:
    """One of everything that the document says, and one Provenance for all."""
    kinds = [resource["resourceType"] for resource in case.emit()]
    assert kinds == [
        "Patient", "Practitioner", "Encounter", "Observation", "Observation", "Observation", "MedicationStatement",
        "Condition", "Condition", "Procedure", "Procedure", "FamilyMemberHistory", "Claim", "Provenance",
    ]  # fmt: skip


def test_decimals_stay_as_printed(case) -> None:
    """72.50 is stored as 72.50, not as 72.5."""
    weight = case.of("Observation")[1]
    assert str(weight["valueQuantity"]["value"]) == "72.50"
    assert b'"value":72.50' in json.encode(weight)


def test_blood_pressure_is_one_observation_with_components(case) -> None:
    """The panel has no value of its own; both halves are coded in UCUM."""
    pressure = case.of("Observation")[0]
    assert "valueQuantity" not in pressure
    assert [(c["code"]["coding"][0]["code"], c["valueQuantity"]["value"]) for c in pressure["component"]] == [
        ("8480-6", Decimal("128")),
        ("8462-4", Decimal("76")),
    ]
    assert pressure["component"][0]["valueQuantity"] | {"value": 0} == {
        "value": 0, "unit": "mm[Hg]", "system": UCUM, "code": "mm[Hg]",
    }  # fmt: skip


def test_laboratory_result_has_range_and_flag(case) -> None:
    """The printed flag and the printed range come along, as decimals."""
    result = case.of("Observation")[2]
    assert result["category"][0]["coding"][0]["code"] == "laboratory"
    assert result["interpretation"][0]["coding"][0]["code"] == "H"
    assert str(result["referenceRange"][0]["low"]["value"]) == "4.0"
    assert result["effectiveDateTime"] == "2026-03-12"


def test_comparator_and_words_as_values(empty) -> None:
    """`<0.04` keeps its comparator; a result in words is a string."""
    attributes = {"name": "Troponin I", "value": Decimal("0.04"), "comparator": "<", "unit": "ng/mL"}
    empty.add("lab", "HbA1c 7.4", attributes=attributes)
    empty.add("lab", "HbA1c", attributes={"name": "Urine culture", "value_text": "no growth"})
    spread = {
        "name": "Pulse",
        "value": Decimal("70"),
        "value_high": Decimal("80"),
        "unit": "/min",
        "delivery": "standing",
    }
    empty.add("vital", "76", attributes=spread)
    first, second, third = empty.of("Observation")
    assert check(third) == []
    assert third["valueRange"]["high"]["value"] == Decimal("80")
    assert first["valueQuantity"]["comparator"] == "<"
    assert second["valueString"] == "no growth"
    assert "coding" not in first["code"]
    assert first["code"]["extension"]


def test_a_repeated_measurement_is_one_observation(case) -> None:
    """The same value told twice is stored once; another value is another Observation."""
    weight = case.items[1]
    case.items += [weight, structs.replace(weight, attributes={**weight.attributes, "value": Decimal("73.10")})]
    assert [str(o["valueQuantity"]["value"]) for o in case.of("Observation") if "valueQuantity" in o] == [
        "72.50", "7.4", "73.10",
    ]  # fmt: skip


def test_a_bare_mention_of_a_drug_is_evidence_of_the_fuller_statement(case) -> None:
    """ "Continue metformin" does not make a second statement beside the one with the dose; stopped metformin does."""
    case.add("medication", "metformin", RXNORM, "6809", attributes={"drug": "metformin"})
    (statement,) = case.of("MedicationStatement")
    assert len(statement["medicationCodeableConcept"]["coding"][0]["extension"]) == 5
    case.add("medication", "metformin", attributes={"drug": "metformin"}, assertion=Assertion(historical=True))
    assert [s["status"] for s in case.of("MedicationStatement")] == ["active", "stopped"]


def test_a_bare_mention_does_not_clear_the_doubt_about_a_dose(case, doubtful) -> None:
    """A name that was read well elsewhere says nothing about a dose that was read badly."""
    number = next(n for n, item in enumerate(case.items) if item.kind == "medication")
    case.items[number] = doubtful(case.items[number])
    case.add("medication", "metformin", RXNORM, "6809", attributes={"drug": "metformin"})
    (statement,) = case.of("MedicationStatement")
    assert statement["meta"]["tag"][0]["code"] == "doubtful"


def test_a_goal_is_not_a_measurement(case) -> None:
    """A hypothetical or denied value is left out."""
    case.items[1] = structs.replace(case.items[1], assertion=Assertion(hypothetical=True))
    assert len(case.of("Observation")) == 2


def test_doubtful_values_are_visible(case, doubtful) -> None:
    """A badly read value is preliminary, says so in a note and can be searched by tag."""
    case.items[1] = doubtful(case.items[1])
    weight = case.of("Observation")[1]
    assert weight["status"] == "preliminary"
    assert "compare with the page" in weight["note"][0]["text"]
    assert weight["meta"]["tag"][0] == {"system": REVIEW_TAG, "code": "doubtful", "display": "Doubtful reading"}
    assert case.of("Observation")[2]["status"] == "final"


def test_medication_is_structured(case) -> None:
    """Drug, dose, timing, route and need are elements, the words are kept."""
    (statement,) = case.of("MedicationStatement")
    (dosage,) = statement["dosage"]
    assert statement["status"] == "active"
    assert dosage["text"] == "metformin 500 mg PO BID"
    assert dosage["route"]["text"] == "PO"
    assert dosage["asNeededBoolean"] is False
    assert dosage["timing"]["repeat"] == {"frequency": 2, "period": 1, "periodUnit": "d"}
    assert dosage["timing"]["code"]["coding"][0]["code"] == "BID"
    assert dosage["doseAndRate"][0]["doseQuantity"]["value"] == Decimal("500")


def test_inhaler_with_strength_range_reason_and_duration(empty) -> None:
    """The strength goes with the drug, puffs are the dose, the reason and the days are kept; all of it is valid R4."""
    timing = {"code": "Q4H", "frequency": 1, "period": 4, "period_max": 6, "period_unit": "h", "when": "AC"}
    dose = {"strength": "90 mcg", "dose": Decimal("1"), "dose_high": Decimal("2"), "dose_unit": "{puff}"}
    need = {"as_needed": True, "as_needed_for": "wheezing", "duration": {"value": Decimal("5"), "unit": "d"}}
    attributes = {"drug": "albuterol HFA", **dose, "timing": timing, "frequency": "q4h", **need}
    empty.add("medication", "metformin 500 mg", attributes=attributes)
    (statement,) = empty.of("MedicationStatement")
    assert check(statement) == []
    assert statement["medicationCodeableConcept"]["text"] == "albuterol HFA 90 mcg"
    (dosage,) = statement["dosage"]
    assert dosage["asNeededCodeableConcept"] == {"text": "wheezing"}
    assert dosage["doseAndRate"][0]["doseRange"]["high"]["code"] == "{puff}"
    assert dosage["timing"]["repeat"]["boundsDuration"]["code"] == "d"
    assert dosage["timing"]["repeat"]["when"] == ["AC"]


@pytest.mark.parametrize(
    ("assertion", "status"),
    [
        (Assertion(), "active"),
        (Assertion(negated=True), "not-taken"),
        (Assertion(historical=True), "stopped"),
        (Assertion(hypothetical=True), "intended"),
        (Assertion(possible=True), "unknown"),
    ],
)
def test_medication_status_follows_the_assertion(case, assertion: Assertion, status: str) -> None:
    """Denied, past and planned drugs are not active ones."""
    number = next(n for n, item in enumerate(case.items) if item.kind == "medication")
    case.items[number] = structs.replace(case.items[number], assertion=assertion)
    assert case.of("MedicationStatement")[0]["status"] == status


@pytest.mark.parametrize("status", ["stopped", "on-hold"])
def test_a_drug_that_is_stopped_or_held_is_not_active(empty, status: str) -> None:
    """What the words around a drug say of it is the statement's status."""
    empty.add("medication", "metformin", attributes={"drug": "metformin", "status": status})
    assert [s["status"] for s in empty.of("MedicationStatement")] == [status]


def test_a_dose_by_time_is_a_rate(empty) -> None:
    """ "18 units/kg/hr" is a rate, "15 mg/kg" a dose, each with its unit whole."""
    for drug, dose, unit in (("heparin", 18, "[iU]/kg/h"), ("vancomycin", 15, "mg/kg")):
        empty.add("medication", "metformin", attributes={"drug": drug, "dose": Decimal(dose), "dose_unit": unit})
    given = [s["dosage"][0]["doseAndRate"][0] for s in empty.of("MedicationStatement")]
    assert [(name, given["code"], given["unit"]) for one in given for name, given in one.items()] == [
        ("rateQuantity", "[iU]/kg/h", "units/kg/h"),
        ("doseQuantity", "mg/kg", "mg/kg"),
    ]


def test_conditions_say_how_sure_they_are(case) -> None:
    """Accepted is confirmed; possible is provisional and tagged as a suggestion."""
    first, second = case.of("Condition")
    assert first["verificationStatus"]["coding"][0]["code"] == "confirmed"
    assert second["verificationStatus"]["coding"][0]["code"] == "provisional"
    assert second["meta"]["tag"][0]["code"] == "suggested"
    assert len(case.of("Condition", suggested=0.95)) == 1


def test_a_past_problem_is_inactive_and_a_history_code_active(empty) -> None:
    """A resolved problem is inactive; a status code holds today."""
    empty.add("problem", "pneumonia", ICD10CM, "J18.9", "suggested", assertion=Assertion(historical=True))
    empty.add("problem", "breast cancer", ICD10CM, "Z85.3", assertion=Assertion(historical=True))
    status = {c["code"]["coding"][0]["code"]: c["clinicalStatus"]["coding"][0]["code"] for c in empty.of("Condition")}
    assert status == {"J18.9": "inactive", "Z85.3": "active"}


def test_refuted_only_when_asked(case) -> None:
    """What the words deny is left out, or emitted as refuted when the source asks."""
    assert "J18.9" not in codes(case.of("Condition"))
    refuted = [c for c in case.of("Condition", refuted=True) if c["code"]["coding"][0]["code"] == "J18.9"]
    assert refuted[0]["verificationStatus"]["coding"][0]["code"] == "refuted"


@pytest.mark.parametrize("flag", ["negated", "family", "hypothetical"])
def test_refuted_family_and_hypothetical_never_reach_the_claim(case, flag: str) -> None:
    """Even a code that was accepted by mistake stays off the Claim, and off the chart."""
    case.add("problem", "pneumonia", ICD10CM, "J15.9", assertion=Assertion(**{flag: True}))
    case.add("code", "99214", HCPCS, "G0439", assertion=Assertion(**{flag: True}))
    (claim,) = case.of("Claim", refuted=True)
    assert [d["diagnosisCodeableConcept"]["coding"][0]["code"] for d in claim["diagnosis"]] == ["E11.65"]
    assert "G0439" not in [item["productOrService"]["coding"][0]["code"] for item in claim["item"]]
    assert "J15.9" not in codes(case.of("Condition"))


def test_a_family_history_code_is_the_patients_own(case) -> None:
    """Z80 to Z84 say exactly that a relative had it, and are coded for the patient."""
    case.add("problem", "breast cancer", ICD10CM, "Z80.3", assertion=Assertion(family=True))
    assert "Z80.3" in codes(case.of("Condition"))


def test_suggestions_stay_off_the_claim(case) -> None:
    """Only accepted codes are claimed."""
    (claim,) = case.of("Claim")
    assert "G47.30" not in str(claim)


def test_no_codes_no_claim(empty) -> None:
    """Nothing to claim gives no Claim, and still a Provenance."""
    assert [r["resourceType"] for r in empty.emit()] == ["Patient", "Practitioner", "Encounter", "Provenance"]


def test_provenance_covers_everything_and_names_its_sources(case) -> None:
    """Each resource is a target; the document version, the software and the editions are named."""
    resources = case.emit(software_version="0.1.0")
    provenance = resources[-1]
    assert [t["reference"] for t in provenance["target"]] == [f"urn:uuid:{r['id']}" for r in resources[:-1]]
    assert provenance["entity"][0]["what"]["reference"] == "DocumentReference/doc-1/_history/2"
    assert {e["what"]["identifier"]["value"] for e in provenance["entity"][1:]} == {"2026", "2.80"}
    assert provenance["contained"][0]["version"] == [{"value": "0.1.0"}]
    assert provenance["recorded"] == "2026-03-13T08:41:00Z"


@pytest.mark.parametrize(
    "recorded", ["2026-03-13T08:41:00Z", "2026-03-13T08:41:00.250Z", "2026-03-13T08:41:00.250125+02:00"]
)
def test_instants_are_written_as_they_were_given(case, recorded: str) -> None:
    """No digit of an instant is added or lost on the way through the models."""
    assert case.of("Provenance", recorded=recorded)[0]["recorded"] == recorded


def test_source_of_takes_over_what_the_document_reference_says() -> None:
    """Subject, encounter and a person as author are taken as they are; a device is no performer."""
    resource = {
        "id": "d", "meta": {"versionId": "3", "lastUpdated": "2026-01-02T03:04:05Z"},
        "subject": {"reference": "Patient/p"},
        "author": [{"reference": "Device/x"}, {"reference": "Practitioner/y"}],
        "context": {"encounter": [{"reference": "Encounter/e"}]},
    }  # fmt: skip
    source = source_of(resource, software_version="1")
    assert (source.version, source.recorded, source.software_version) == ("3", "2026-01-02T03:04:05Z", "1")
    assert source.author == {"reference": "Practitioner/y"}


def test_given_people_are_used_and_not_made(case) -> None:
    """With subject, encounter and author on the DocumentReference no Patient, Encounter or Practitioner is emitted."""
    given = {
        "subject": {"reference": "Patient/p"},
        "encounter": {"reference": "Encounter/e"},
        "author": {"reference": "Practitioner/y"},
    }
    resources = case.emit(**given)
    assert {"Patient", "Encounter", "Practitioner"}.isdisjoint(r["resourceType"] for r in resources)
    assert case.of("Claim", **given)[0]["patient"] == {"reference": "Patient/p"}


def test_encounter_class_follows_the_setting(case) -> None:
    """Ambulatory for outpatients, inpatient with the stay as period."""
    assert case.of("Encounter")[0]["class"]["code"] == "AMB"
    case.setting = "inpatient"
    case.identity = replace(case.identity, service_end=date(2026, 3, 15))
    (stay,) = case.of("Encounter")
    assert stay["class"]["code"] == "IMP"
    assert stay["period"] == {"start": "2026-03-12", "end": "2026-03-15"}
    assert case.of("Claim")[0]["type"]["coding"][0]["code"] == "institutional"


def codes(conditions: list[dict]) -> set[str]:
    """The codes of some Conditions."""
    return {coding["code"] for condition in conditions for coding in condition["code"]["coding"]}
