"""The identity block."""

from __future__ import annotations

from datetime import date

import pytest

from extractors.findings import find
from extractors.findings.dates import parse_date
from extractors.findings.identity import luhn

HEAD = (
    "ST. ANSELM REGIONAL MEDICAL CENTER\n"
    "Patient: Okafor, Maria\tMRN: 12345678\tDOB: 01/02/1950\n"
    "Date of service: 03/04/2024\tProvider NPI: 1234567893\tPage 1 of 1\n"
)


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        (HEAD, "family", "Okafor"),
        (HEAD, "given", ("Maria",)),
        (HEAD, "mrn", "12345678"),
        (HEAD, "birth_date", date(1950, 1, 2)),
        (HEAD, "service_date", date(2024, 3, 4)),
        (HEAD, "npi", "1234567893"),
        (HEAD, "facility", "ST. ANSELM REGIONAL MEDICAL CENTER"),
        ("Patient Name: Wei Lindqvist\nSex: F", "family", "Lindqvist"),
        ("Name: NGUYEN, ELENA R\n", "given", ("Elena", "R")),
        ("Pt: Samuel Drummond  DOB: 3-4-61", "birth_date", date(1961, 3, 4)),
        ("Date of Birth: March 4, 1961", "birth_date", date(1961, 3, 4)),
        ("DOB 1961-03-04", "birth_date", date(1961, 3, 4)),
        ("Sex: F", "sex", "female"),
        ("Gender: Male", "sex", "male"),
        ("A 57-year-old woman with cough.", "sex", "female"),
        ("A 57-year-old fémale with cough.", "sex", "female"),
        ("57 y/o M with cough.", "sex", "male"),
        ("Medical Record Number: A-99812", "mrn", "A-99812"),
        ("MRN 7781234", "mrn", "7781234"),
        ("Phone: (555) 123-4567", "phone", "(555) 123-4567"),
        ("Tel: 555-123-4567", "phone", "555-123-4567"),
        ("Address: 12 Elm Street\nSpringfield, IL 62704\n", "address", "12 Elm Street Springfield, IL 62704"),
        ("DOS: 5/6/2023", "service_date", date(2023, 5, 6)),
        ("Admission Date: 05/06/2023\nDischarge Date: 05/09/2023", "service_end", date(2023, 5, 9)),
        ("Admission Date: 05/06/2023\nDischarge Date: 05/09/2023", "service_date", date(2023, 5, 6)),
        ("DISCHARGE SUMMARY\nHospital course: fine.", "setting", "inpatient"),
        ("Office visit today.", "setting", "outpatient"),
        ("Cough for a week.", "setting", None),
        ("Provider: Dr. Priya Patel, MD\n", "provider", "Dr. Priya Patel, MD"),
        ("Patient: denies fever and chills", "family", None),
        ("The patient states: fine", "mrn", None),
    ],
)
def test_field(text: str, field: str, value, document, lexicon) -> None:
    """Each field is read from its label in its usual forms, and not from anything else."""
    assert getattr(find(document(text), lexicon).identity, field) == value


def test_spans_hold_the_words(document, lexicon) -> None:
    """Every field names the span that says it."""
    identity = find(document(HEAD), lexicon).identity
    words = {k: HEAD[a:b] for k, (a, b) in identity.spans.items()}
    assert words["name"] == "Okafor, Maria" and words["birth_date"] == "01/02/1950" and words["npi"] == "1234567893"


def test_failing_npi_is_kept_and_doubted(document, lexicon) -> None:
    """An NPI whose check digit does not fit is what the page says, and doubtful."""
    good, bad = (find(document(f"NPI: {n}"), lexicon).identity for n in ("1234567893", "1234567890"))
    assert good.npi and not good.doubts and bad.npi == "1234567890" and "npi" in bad.doubts


def test_impossible_birth_date_is_doubted(document, lexicon) -> None:
    """There is no 31 February."""
    identity = find(document("DOB: 02/31/1950"), lexicon).identity
    assert identity.birth_date is None and "birth_date" in identity.doubts


def test_luhn() -> None:
    """The check digit of the standard's own example."""
    assert luhn("808401234567893") and not luhn("808401234567890")


@pytest.mark.parametrize(
    ("printed", "day"),
    [
        ("1/2/24", date(2024, 1, 2)),
        ("12-31-99", date(1999, 12, 31)),
        ("Sept 3, 2020", date(2020, 9, 3)),
        ("3 Sep 2020", date(2020, 9, 3)),
        ("2020.09.03", date(2020, 9, 3)),
        ("13/01/2020", date(2020, 1, 13)),
        ("99/99/2020", None),
        ("soon", None),
    ],
)
def test_dates(printed: str, day: date | None) -> None:
    """Dates in the forms that are printed; what is no day is none."""
    assert parse_date(printed) == day
