"""Guideline rules, each in words of our own."""

import json
from pathlib import Path

import pytest

from fhir_profiles.systems import CPT, HCPCS, ICD10CM

OWN = Path(__file__).with_name("guideline_cases.jsonl")
CASES = Path(__file__).parents[4] / "shared" / "corpus" / "coding_rules.jsonl"

OUTPATIENT = [
    ("I.C.4.a", "Type 2 diabetes and CKD stage 4.", ["E11.22", "N18.4"]),
    ("I.C.14.a", "Type 2 diabetes with CKD stage 3a. HTN.", ["E11.22", "I12.9", "N18.31"]),
    ("I.C.14.a", "Type 2 diabetes with diabetic chronic kidney disease, stage 4.", ["E11.22", "N18.4"]),
    ("I.A.15 exception", "Type 2 diabetes. CKD stage 4, not due to diabetes.", ["E11.9", "N18.4"]),
    ("I.C.4.a", "Type 2 diabetes with peripheral neuropathy and hyperglycemia.", ["E11.42", "E11.65"]),
    ("I.C.9.a.1", "Assessment: HTN and chronic systolic heart failure.", ["I11.0", "I50.22"]),
    ("I.C.9.a.2", "Hypertension with ESRD.", ["I12.0", "N18.6"]),
    ("I.C.9.a.2", "Hypertension with chronic kidney disease stage 3.", ["I12.9", "N18.30"]),
    ("I.C.9.b", "CAD with stable angina.", ["I25.118"]),
    ("IV.H", "Possible pneumonia. Cough.", ["R05.9"]),
    ("I.B.5", "Acute appendicitis with right lower quadrant pain.", ["K35.80"]),
    ("I.B.8", "Acute and chronic maxillary sinusitis.", ["J01.00", "J32.0"]),
    ("J44 notes", "COPD with acute bronchitis.", ["J44.0", "J20.9"]),
    ("I.B.2", "COPD. COPD exacerbation today.", ["J44.1"]),
    ("I.B.13", "Right shoulder pain.", ["M25.511"]),
    ("I.B.13", "Carpal tunnel syndrome, left.", ["G56.02"]),
    ("I.C.19.a", "Laceration of the right hand.", ["S61.411A"]),
    ("I.C.19.e.5.a", "Hives from amoxicillin.", ["L50.9", "T36.0X5A"]),
    ("I.B.7", "UTI, culture positive for Klebsiella.", ["N39.0", "B96.1"]),
    ("I.C.5.b.2", "Cocaine abuse and cocaine dependence.", ["F14.20"]),
    ("I.C.9.e.1", "Myocardial infarction two years ago.", ["I25.2"]),
    ("I.C.21.c.4", "Former smoker.", ["Z87.891"]),
    ("I.B.14", "Obesity, BMI 33.4.", ["E66.9", "Z68.33"]),
    ("I.C.20", "Laceration of the left hand. Dog bite.", ["S61.412A", "W54.0XXA"]),
    ("family", "Her mother had breast cancer.", ["Z80.3"]),
    ("abbreviation", "There is CVA tenderness.", []),
    ("denied", "Denies chest pain. No fever.", []),
    ("HCPCS units", "Given ketorolac 60 mg IM.", ["96372", "J1885"]),
    ("CPT excision", "Excision of a 0.6 cm melanoma of the back with 1.0 cm margins.", ["C43.59", "11603"]),
    ("office E/M", "Established patient, 25 minutes in total.", ["99213"]),
]


@pytest.mark.parametrize(("cites", "text", "codes"), OUTPATIENT, ids=[f"{c}: {t}" for c, t, _ in OUTPATIENT])
def test_outpatient_guidelines(accepted, cites: str, text: str, codes: list[str]) -> None:
    """The accepted codes are exactly those of the guideline."""
    assert sorted(accepted(text)) == sorted(codes), cites


def test_uncertain_is_coded_in_the_inpatient_setting(accepted) -> None:
    """II.H: probable at discharge is coded as if it existed."""
    assert "J18.9" in accepted("Discharge diagnosis: probable pneumonia.", "inpatient")


def test_the_combination_code_comes_before_its_parts(accepted) -> None:
    """I.C.9.a: I13 is first-listed, before heart failure and kidney disease."""
    assert accepted("CKD stage 3b. Chronic diastolic CHF. HTN.")[0] == "I13.0"


def test_units_are_rounded_up(coded) -> None:
    """J0696 is per 250 mg: 600 mg are three units."""
    (code,) = [c for c in coded("Ceftriaxone 600 mg IM given.").codes if c.code == "J0696"]
    assert code.units == 3


def test_the_case_file_is_coded_without_a_forbidden_code(accepted) -> None:
    """All cases of the shared file: the expected set, the first-listed code, and nothing that is forbidden."""
    if not CASES.exists():
        pytest.skip("../shared is not here")
    wrong = []
    for case in map(json.loads, CASES.read_text("utf-8").splitlines()):
        codes = accepted(case["text"], case["setting"])
        first = case["first_listed"]
        if set(codes) != set(case["expected"]) or set(codes) & set(case["forbidden"]) or (first and codes[0] != first):
            wrong.append(case["id"])
    assert not wrong


def test_guideline_cases_are_coded_exactly(pipeline) -> None:
    """Our own cases, each citing its section: the expected set and no other, units, modifiers; all codes billable."""
    rows = [json.loads(line) for line in OWN.read_text("utf-8").splitlines()]
    assert len(rows) >= 120 and len({row["id"] for row in rows}) == len(rows)
    wrong = {}
    for row in rows:
        assert row["cites"] and not set(row["expected"]) & set(row["forbidden"])
        assert all(pipeline.lexicon.billable(c) for c in row["expected"] if pipeline.lexicon.has_code(ICD10CM, c)), row
        codes = [c for c in pipeline.run(row["text"], row["setting"])[1].codes if c.status == "accepted"]
        billed = {c.code: c for c in codes if c.system in (ICD10CM, CPT, HCPCS)}
        units = {code: billed[code].units for code in row.get("units", {}) if code in billed}
        modifiers = {code: list(billed[code].modifiers) for code in row.get("modifiers", {}) if code in billed}
        if (
            set(billed) != set(row["expected"])
            or units != row.get("units", {})
            or modifiers != row.get("modifiers", {})
        ):
            wrong[row["id"]] = sorted(billed)
    assert wrong == {}
