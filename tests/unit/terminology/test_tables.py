"""Our own tables are what they say."""

import re

import pytest

from fhir_profiles.systems import CPT, HCPCS, LOINC, RXNORM
from terminology import Terminology
from terminology.fragments import fragment_sources

LAB_NAMES = (
    "WBC|Hemoglobin|Platelets|Sodium|Potassium|Creatinine|Glucose|HbA1c|TSH|LDL cholesterol|Troponin I|ALT (SGPT)"
    "|BUN|INR|eGFR"
)


@pytest.mark.parametrize("source", fragment_sources(), ids=lambda s: s.name)
def test_every_row_of_every_table_validates(terminology: Terminology, source) -> None:
    """Each code is of its system's shape, stands once, and is found again; all but places are declared fragments."""
    codes = [concept.code for concept in source.concepts()]
    assert codes and len(codes) == len(set(codes))
    assert source.content == ("complete" if source.name == "pos" else "fragment") and source.origin and source.licence
    for code in codes:
        answer = terminology.validate_code(source.system, code)
        assert answer.display and (answer.result or "retired" in answer.message), code


def test_loinc_check_digits_are_right(terminology: Terminology) -> None:
    """Every LOINC number ends in its own check digit (LOINC Users' Guide, appendix B)."""
    for concept in terminology.concepts(LOINC):
        number, digit = concept.code.split("-")
        turned = number[::-1]
        total = sum(map(int, str(int(turned[0::2]) * 2) + turned[1::2]))
        assert (10 - total % 10) % 10 == int(digit), concept.code


def test_the_tables_are_large_enough(terminology: Terminology) -> None:
    """The promised sizes: 120 observations, 300 drug names, 250 procedure codes."""
    count = {s: sum(1 for _ in terminology.concepts(s)) for s in (LOINC, RXNORM, CPT, HCPCS)}
    assert count[LOINC] >= 120 and count[CPT] + count[HCPCS] >= 250
    assert sum(1 for _ in terminology.terms(RXNORM)) >= 300


def test_common_laboratory_names_lead_to_one_code(terminology: Terminology) -> None:
    """Each usual name names exactly one LOINC code, with a unit."""
    named: dict[str, set[str]] = {}
    for term in terminology.terms(LOINC):
        named.setdefault(term.text.lower(), set()).add(term.code)
    for name in LAB_NAMES.split("|"):
        (code,) = named[name.lower()]
        assert terminology.lookup(LOINC, code).properties["unit"], name


def test_no_cpt_label_is_long_or_shouts(terminology: Terminology) -> None:
    """Our labels are plain and short; the licensed descriptors are neither."""
    for concept in terminology.concepts(CPT):
        assert len(concept.display) <= 75 and not re.search(r"[A-Z]{6,}", concept.display), concept.code
