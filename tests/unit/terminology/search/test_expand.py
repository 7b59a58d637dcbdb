"""`$expand?filter=` over loaded code systems answers as the search does."""

from typing import Any

import pytest

from fhir_profiles.systems import CPT, ICD10CM, LOINC
from terminology import Terminology
from terminology.operations import Library, answer_call

Json = dict[str, Any]


@pytest.fixture(scope="module")
def library(terminology: Terminology) -> Library:
    """The loaded systems alone."""
    return Library(terminology)


def _expand(library: Library, url: str, **asked: Any) -> Json:
    parameters = [{"name": "url", "valueUri": url}]
    for name, value in asked.items():
        kind = "valueInteger" if isinstance(value, int) else "valueString"
        parameters.append({"name": name, kind: value})
    answer = answer_call("ValueSet/$expand", {"resourceType": "Parameters", "parameter": parameters}, library)
    expansion: Json = answer["expansion"]
    return expansion


def _codes(expansion: Json) -> list[str]:
    return [one["code"] for one in expansion.get("contains", ())]


@pytest.mark.parametrize("text", ["sugar diabetes kidney", "kidn", "heart attack", "e11", "fracture fem"])
def test_pages_are_those_of_the_search(library: Library, terminology: Terminology, text: str) -> None:
    """The same concepts in the same order, with the exact total."""
    found = terminology.search(ICD10CM, text, count=7, offset=3)
    expansion = _expand(library, f"{ICD10CM}?fhir_vs", filter=text, count=7, offset=3)
    assert _codes(expansion) == [hit.concept.code for hit in found] and expansion["total"] == found.total


def test_a_filter_of_the_value_set_bounds_the_text(library: Library, terminology: Terminology) -> None:
    """Below E11 alone, as `under` has it."""
    found = terminology.search(ICD10CM, "kidney", under="E11", count=50)
    expansion = _expand(library, f"{ICD10CM}?fhir_vs=isa/E11", filter="kidney", count=50)
    assert _codes(expansion) == [hit.concept.code for hit in found] and 0 < expansion["total"] < 20


def test_what_was_searched_for_instead_is_told(library: Library) -> None:
    """A corrected word stands among the parameters of the expansion."""
    expansion = _expand(library, f"{ICD10CM}?fhir_vs", filter="pnemonia", count=1)
    assert {"name": "filter-corrected", "valueString": "pneumonia"} in expansion["parameter"]


def test_no_word_is_left_out(library: Library) -> None:
    """A filter that nothing has entirely finds nothing."""
    assert _expand(library, f"{ICD10CM}?fhir_vs", filter="kidney xyzzyqq", count=5)["total"] == 0


def test_several_systems_are_paged_as_one_list(library: Library) -> None:
    """The pages of a value set over three systems are its long list, system after system."""
    includes = [{"system": LOINC}, {"system": CPT}, {"system": ICD10CM}]
    value_set = {"resourceType": "ValueSet", "status": "active", "compose": {"include": includes}}

    def listed(count: int, offset: int) -> Json:
        asked = [("valueSet", "resource", value_set), ("filter", "valueString", "glucose")]
        asked += [("count", "valueInteger", count), ("offset", "valueInteger", offset)]
        parameters = [{"name": name, key: value} for name, key, value in asked]
        answer = answer_call("ValueSet/$expand", {"resourceType": "Parameters", "parameter": parameters}, library)
        expansion: Json = answer["expansion"]
        return expansion

    whole = listed(500, 0)
    pages = [code for offset in range(0, 30, 3) for code in _codes(listed(3, offset))]
    assert whole["total"] == len(_codes(whole)) > 10 and pages == _codes(whole)[:30]
    assert {one["system"] for one in whole["contains"]} == {LOINC, CPT, ICD10CM}
