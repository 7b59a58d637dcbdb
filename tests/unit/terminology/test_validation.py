"""What `validate_code` says, and that a person can act on it."""

from datetime import date

import pytest

from fhir_profiles.systems import CPT, HCPCS, ICD10CM, LOINC
from terminology import Terminology
from terminology.operations import Library, answer_call
from terminology.systems import system_of


def test_a_billable_code_in_force_needs_no_words(terminology: Terminology) -> None:
    """The plain good answer has a display, the edition and no message."""
    answer = terminology.validate_code(ICD10CM, "E11.9", on=date(2026, 5, 1))
    assert (answer.result, answer.billable, answer.version, answer.message) == (True, True, "2026-04", None)


def test_a_header_exists_but_is_not_billable(terminology: Terminology) -> None:
    """A category is told with codes to choose from."""
    answer = terminology.validate_code(ICD10CM, "E11")
    assert answer.result and answer.billable is False
    assert "not billable" in answer.message and "E11.00" in answer.message


@pytest.mark.parametrize(
    ("code", "says"),
    [("E119", "did you mean E11.9"), ("e11.9", "did you mean E11.9"), ("E11.99", "longest part"), ("banana", "shape")],
)
def test_a_wrong_code_is_refused_with_a_way_out(terminology: Terminology, code: str, says: str) -> None:
    """Unknown codes say what was probably meant."""
    answer = terminology.validate_code(ICD10CM, code)
    assert not answer.result and answer.issue == "code-invalid" and says in answer.message


def test_a_date_outside_the_loaded_editions_is_said(terminology: Terminology) -> None:
    """The nearest edition answers, and the message says that none is loaded for the date."""
    answer = terminology.validate_code(ICD10CM, "E11.9", on=date(2019, 6, 1))
    assert answer.result and "no edition for 2019-06-01 is loaded" in answer.message


def test_a_fragment_does_not_call_a_code_invalid(terminology: Terminology) -> None:
    """A CPT code of the right shape that is not in our table is not known, which is not invalid."""
    answer = terminology.validate_code(CPT, "99999")
    assert answer.result and answer.billable is None and "not known to the loaded fragment" in answer.message
    assert not terminology.validate_code(CPT, "9999").result


def test_a_retired_code_names_its_successor(terminology: Terminology) -> None:
    """J1040 ended on 31 March 2024; before that it was good."""
    assert terminology.validate_code(HCPCS, "J1040", on=date(2024, 3, 1)).result
    answer = terminology.validate_code(HCPCS, "J1040", on=date(2025, 3, 1))
    assert not answer.result and "use J1010" in answer.message
    assert not terminology.validate_code(HCPCS, "J1010", on=date(2023, 1, 1)).result


def test_displays_are_checked_against_all_names(terminology: Terminology) -> None:
    """A synonym passes in any case, a wrong name does not."""
    assert terminology.validate_code(LOINC, "718-7", "hgb").result
    assert not terminology.validate_code(LOINC, "718-7", "Sodium").result


def test_unknown_systems_and_versions_are_not_found(terminology: Terminology) -> None:
    """The answer says what to load."""
    assert terminology.validate_code("http://example.org/codes", "1").issue == "not-found"
    assert "loaded: 2024, 2025, 2026-04" in terminology.validate_code(ICD10CM, "E11.9", version="2031").message


@pytest.mark.parametrize(
    ("system", "code", "valid", "says"),
    [
        ("ucum", "mg/dL", True, ""),
        ("ucum", "mmHg", False, "did you mean mm[Hg]?"),
        ("ucum", "mcg/kg/hr", False, "did you mean ug/kg/h?"),
        ("ucum", "µg/mL", False, "did you mean ug/mL?"),
        ("ucum", "furlongs per fortnight", False, "rules"),
        ("currency", "USD", True, ""),
        ("currency", "HRK", True, "no longer in use"),
        ("currency", "US$", False, "does not exist"),
        ("language", "en-US", True, ""),
        ("language", "xx", False, "rules"),
        ("mime", "application/pdf", True, ""),
        ("administrative-gender", "Male", False, "did you mean male?"),
        ("administrative-gender", "m", False, "it has male, female, other, unknown"),
        ("v3-ActCode", "AMB", True, ""),
        ("v3-actcode", "_ActAccountCode", True, "groups others"),
        ("v2-0203", "MR", True, ""),
        ("observation-category", "vital-signs", True, ""),
        ("observation-category", "vitals", False, "it has"),
        ("urn:iso:std:iso:3166:-2", "US-CA", True, "could not be checked"),
        ("urn:iso:std:iso:3166:-2", "California", False, "rules"),
    ],
)
def test_published_systems(terminology: Terminology, system: str, code: str, valid: bool, says: str) -> None:
    """Systems of HL7 and systems by rules answer without loading anything, by short names too."""
    uri = system_of(system)
    assert uri is not None
    answer = terminology.validate_code(uri, code)
    assert answer.result is valid
    assert says in (answer.message or "")
    assert valid or answer.issue == "code-invalid"


def test_displays_of_published_systems(terminology: Terminology) -> None:
    """The display of a published code is checked as any other."""
    uri = system_of("administrative-gender") or ""
    assert terminology.validate_code(uri, "male", "Male").result
    assert not terminology.validate_code(uri, "male", "Female").result


@pytest.mark.parametrize(
    ("system", "code", "valid"),
    [
        (CPT, "25", True),
        (CPT, "P3", True),
        (HCPCS, "LT", True),
        (HCPCS, "25", False),
        (CPT, "9921", False),
        (CPT, "٩٩٢١٣", False),
    ],
)
def test_what_a_fragment_lacks_is_refused_where_no_code_looks_so(
    terminology: Terminology, system: str, code: str, valid: bool
) -> None:
    """Modifiers are codes of CPT and HCPCS; the operations, the call and the column say the same."""
    library = Library(terminology)
    assert terminology.validate_code(system, code).result is valid
    assert terminology.validate_many(system, [code])["valid"].to_list() == [None if valid else False]
    for name, url in (("CodeSystem", system), ("ValueSet", f"{system}?fhir_vs")):
        asked = [{"name": "url", "valueUri": url}, {"name": "code", "valueCode": code}]
        asked += [{"name": "system", "valueUri": system}]
        told = answer_call(f"{name}/$validate-code", {"resourceType": "Parameters", "parameter": asked}, library)
        assert told["parameter"][0]["valueBoolean"] is valid, name


def test_a_name_of_another_edition_is_a_wrong_display(terminology: Terminology) -> None:
    """The names that count are those of the edition that answers."""
    new = {n.text for n in terminology.names(ICD10CM, "I21.9")}
    old = {n.text for n in terminology.names(ICD10CM, "I21.9", "2024")}
    only = sorted(new - old)[0]
    assert terminology.validate_code(ICD10CM, "I21.9", only).result
    assert not terminology.validate_code(ICD10CM, "I21.9", only, "2024").result
