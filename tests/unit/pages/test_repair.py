"""Misread codes and bent forms are put right, with both readings kept, and nothing else is touched."""

import pytest

from extractors.pages.repair import repair
from extractors.pages.wire import Seen

CODES = {
    "I10": "Essential (primary) hypertension",
    "I48.0": "Paroxysmal atrial fibrillation",
    "E11.9": "Type 2 diabetes mellitus without complications",
    "E03.9": "Hypothyroidism, unspecified",
    "F03.9": "Unspecified dementia, unspecified severity",
    "J44.1": "Chronic obstructive pulmonary disease with (acute) exacerbation",
    "M17.11": "Unilateral primary osteoarthritis, right knee",
    "O30": "Multiple gestation",
    "K76": "Other diseases of liver",
    "N18.31": "Chronic kidney disease, stage 3a",
    "I50.22": "Chronic systolic (congestive) heart failure",
    "J1885": "Ketorolac injection",
    "G0439": "Annual wellness visit, later",
    "99213": "Office visit",
}


def read(line: str) -> list[Seen]:
    """A line as OCR words."""
    quad = (0.0,) * 8
    return [Seen(text, 90.0, quad, 0) for text in line.split()]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("110 Essential hypertension", "I10"),
        ("148.0 Paroxysmal atrial fibrillation", "I48.0"),
        ("48.0 Paroxysmal atrial fibrillation", "I48.0"),
        ("-11.9 Type 2 diabetes w/o complications", "E11.9"),
        ("F03.9 Hypothyroidism, unspecified", "E03.9"),
        ("344.1 COPD with acute exacerbation", "J44.1"),
        ("Mi17.11 Unilateral primary OA, right knee", "M17.11"),
        ("N18,31 CKD stage 3a", "N18.31"),
        ("I5022 Chronic systolic heart failure", "I50.22"),
        ("CPT/HCPCS: 11885 99213", "J1885"),
        ("CPT/HCPCS: GO439 99213", "G0439"),
    ],
)
def test_a_misread_code_is_put_right(line: str, code: str) -> None:
    """A code that the words beside it or its label confirm is repaired, and the reading is kept."""
    words = repair(read(line), CODES.get)
    repaired = next(word for word in words if word.repair == "code")
    assert repaired.text == code
    assert repaired.raw in line


@pytest.mark.parametrize(
    "line",
    [
        "BP 110 hypertension",
        "Weight 124.2 kg",
        "110 mg daily",
        "I10 Essential hypertension",
        "Glucose 148.0 mg/dL 70-99",
        "CPT/HCPCS: 99213",
        "Glucose 136 mg/dL 70-99",
        "LDL 176 dL mg",
        "12/10/1996 visit",
    ],
)
def test_other_numbers_stay(line: str) -> None:
    """A number that no code's meaning stands beside is left alone."""
    assert [word.text for word in repair(read(line), CODES.get)] == line.split()


def test_forms_are_put_right_without_a_lexicon() -> None:
    """Units, test names and the lone I come back in their printed form."""
    line = "WBC 4.7 x1043/uL TSH 2.1 ulU/mL HbAlc 6.1 Spo2 88 meg gHS and | am"
    words = repair(read(line), None)
    assert " ".join(word.text for word in words) == (
        "WBC 4.7 x10^3/uL TSH 2.1 uIU/mL HbA1c 6.1 SpO2 88 mcg qHS and I am"
    )
    assert [word.raw for word in words if word.repair == "name"] == ["HbAlc", "Spo2"]
