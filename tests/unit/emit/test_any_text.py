"""Whatever stands on a page becomes valid FHIR or is left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claims.draft import draft_claim
from extractors.emit import Source, as_dict, bundle, emit
from extractors.emit.people import match
from extractors.model import Assertion, Code, Coded, Document, Finding, Findings, Identity, Page, Word
from fhir_profiles import json
from fhir_profiles.systems import ICD10CM, LOINC
from fhir_profiles.validate import check

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
SAID = st.none() | TEXT
NUMBER = st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**6), max_value=10**6)
QUAD = (0.1, 0.1, 0.2, 0.1, 0.2, 0.2, 0.1, 0.2)


def attributes(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the named attributes with any text."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, TEXT))


VALUE = attributes("name", "unit_text", "flag", "value_text", "delivery", "reason", "comparator")
SIG = attributes("drug", "strength", "route", "frequency", "as_needed_for")
ALLERGY = attributes("substance", "reaction")
FLAGS = st.builds(Assertion, *(st.booleans() for _ in range(5)))
NAMED = dict.fromkeys(("family", "mrn", "phone", "address", "provider", "npi", "facility"), SAID)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    text=TEXT,
    value=VALUE,
    number=st.none() | NUMBER,
    sig=SIG,
    allergy=ALLERGY,
    flags=FLAGS,
    identity=st.builds(Identity, given=st.tuples(TEXT), **NAMED),
)
def test_any_words_make_valid_resources(
    text: str,
    value: dict[str, Any],
    number: Decimal | None,
    sig: dict[str, Any],
    allergy: dict[str, Any],
    flags: Assertion,
    identity: Identity,
) -> None:
    """Control characters, blanks and empty words never make a document fail."""
    value |= {} if number is None else {"value": number, "unit": "mg/dL", "doubtful": True}
    end = len(text)
    items = (
        Finding("lab", 0, end, text, flags, attributes=value),
        Finding("medication", 0, end, text, flags, attributes=sig),
        Finding("allergy", 0, end, text, flags, attributes=allergy),
        Finding("problem", 0, end, text, flags),
    )
    codes = (
        Code(LOINC, "4548-4", text or "x", 0, end, 0.5, "accepted", text, 0),
        Code(ICD10CM, "I10", "Essential (primary) hypertension", 0, end, 0.5, "accepted", text, 3),
    )
    page = Page(1, 612, 792, 0, end, "ocr", (Word(text, 0, end, QUAD, 50.0, 0),))
    document = Document(text, "image/png", "0", (page,))
    coded = Coded(Findings(items, identity), codes, "outpatient", date(2026, 3, 12))
    found = [as_dict(r) for r in emit(Source("d", "2026-01-01T00:00:00Z"), document, coded, draft_claim=draft_claim)]
    for resource in found:
        assert check(resource) == [], resource["resourceType"]
    assert json.decode(json.encode(bundle(found)))


def test_an_mrn_cannot_change_the_search_that_matches_it(case) -> None:
    """What stands on a page is a value of the search, never a part of it."""
    case.identity = replace(case.identity, mrn="12|3,4&_id=x")
    patient = case.of("Patient", mrn_system="urn:example:mrn")[0]
    assert match(patient) == "identifier=urn:example:mrn|12%5C%7C3%5C%2C4%26_id%3Dx"
