"""The terminology operations as functions (https://hl7.org/fhir/R4/terminology-service.html)."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_profiles.errors import FhirError
from terminology import Terminology
from terminology.operations import Library, answer_call
from terminology.operations.versions import Pins, agrees, newest
from terminology.value_sets import ValueSets
from tests.support.clock import within

Json = dict[str, Any]
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
GENDER = "http://hl7.org/fhir/administrative-gender"
UNITS = "http://unitsofmeasure.org"
A = "http://example.org/a"


@pytest.fixture(scope="module")
def library(terminology: Terminology) -> Library:
    """Everything that is loaded and published."""
    return Library(terminology, generation=lambda: 1)


def _call(name: str, library: Library, *resources: Json, language: str = "", **values: Any) -> Json:
    made: list[Json] = [{"name": "tx-resource", "resource": r} for r in resources]
    for key, value in values.items():
        kind = (
            "valueBoolean" if isinstance(value, bool) else "valueCoding" if isinstance(value, dict) else "valueString"
        )
        made.append({"name": key.replace("_", "-"), kind: value})
    return answer_call(name, {"resourceType": "Parameters", "parameter": made}, library, language)


def _values(parameters: Json) -> dict[str, Any]:
    return {
        p["name"]: next((v for k, v in p.items() if k.startswith("value")), p.get("resource"))
        for p in parameters["parameter"]
    }


def _system(codes: list[Json], **more: Any) -> Json:
    return {"resourceType": "CodeSystem", "url": A, "status": "active", "content": "complete", "concept": codes, **more}


def _set(*include: Json, url: str = "http://example.org/vs", **more: Any) -> Json:
    return {"resourceType": "ValueSet", "url": url, "status": "active", "compose": {"include": list(include), **more}}


def test_a_code_of_icd10cm(library: Library) -> None:
    """A billable code is valid, a heading is with a warning, a code that is none is not and says why."""
    good = _values(_call("CodeSystem/$validate-code", library, url=ICD, code="E11.9"))
    assert good["result"] is True and "diabetes" in good["display"] and "issues" not in good
    heading = _values(_call("CodeSystem/$validate-code", library, url=ICD, code="E11"))
    assert heading["result"] is True and "billable" in heading["message"]
    wrong = _values(_call("CodeSystem/$validate-code", library, url=ICD, code="E11.99999"))
    assert wrong["result"] is False and {i["severity"] for i in wrong["issues"]["issue"]} >= {"error"}


def test_a_display_is_held_to_its_language(library: Library) -> None:
    """A name of another language than the one asked for is wrong, a lenient call warns."""
    german = [{"language": "de", "value": "Wasser"}]
    system = _system([{"code": "x", "display": "Water", "designation": german}], language="en")
    for display, language, lenient, result in (
        ("Wasser", "de", False, True), ("Wasser", "en", False, False), ("Wasser", "en", True, True),
        ("wAter", "", False, True),
    ):  # fmt: skip
        found = _values(_call(
            "CodeSystem/$validate-code", library, system, language=language, url=A, code="x", display=display,
            lenient_display_validation=lenient,
        ))  # fmt: skip
        assert found["result"] is result, (display, language, lenient)


def test_fragments_leave_it_open(library: Library) -> None:
    """What a fragment does not hold is valid with a warning, in the system and in a value set of all of it."""
    system = _system([{"code": "x"}], content="fragment")
    for name, values in (
        ("CodeSystem/$validate-code", {"url": A}),
        ("ValueSet/$validate-code", {"url": "v", "system": A}),
    ):
        found = _values(_call(name, library, system, _set({"system": A}, url="v"), code="y", **values))
        assert found["result"] is True and found["issues"]["issue"][0]["severity"] == "warning"


def test_units_are_checked_and_not_listed(library: Library) -> None:
    """A value set of all units answers for each and is too costly to list."""
    vs = _set({"system": UNITS})
    for code, result in (("mg/dL", True), ("mgs", False)):
        found = _values(_call("ValueSet/$validate-code", library, vs, url=vs["url"], system=UNITS, code=code))
        assert found["result"] is result
    with pytest.raises(FhirError) as error:
        _call("ValueSet/$expand", library, vs, url=vs["url"])
    assert error.value.problems[0].code == "too-costly"


def test_a_text_finds_by_beginnings_of_words(library: Library) -> None:
    """Words in any order, unfinished or not, with the total of all that they find."""
    found = _call("ValueSet/$expand", library, url=f"{ICD}?fhir_vs=isa/E11", filter="kidn diab", count="3")["expansion"]
    assert found["total"] >= 3 == len(found["contains"])


@pytest.mark.parametrize(("wanted", "version", "is_one"), [
    ("1.0.0", "1.0.0", True), ("1.x", "1.2.0", True), ("1.0.x", "1.0.7", True), ("1.0.x", "1.1.0", False),
    ("1", "1.0.0", False), ("1.x.x", "2.0.0", False), ("2026", "2026-04", False),
])  # fmt: skip
def test_versions_stand_for_others(wanted: str, version: str, is_one: bool) -> None:
    """`1.x` is any version of that beginning, `1` is none but itself."""
    assert agrees(wanted, version) is is_one


def test_pins_have_their_order() -> None:
    """What is forced wins over what is declared, and that over what is the default or checked."""
    pins = Pins({"f": "1"}, {"f": "2", "d": "2"}, {"c": "3"})
    assert [pins.version(s, v) for s, v in (("f", "9"), ("d", "9"), ("d", None), ("c", None))] == ["1", "9", "2", "3"]
    assert newest(["1.10.0", "1.9.0"]) == "1.10.0" and newest([]) is None


def _bombs() -> dict[str, tuple[Json, ...]]:
    many = _system([{"code": str(n)} for n in range(60_000)])
    circle = (
        _set({"valueSet": ["http://example.org/b"]}),
        _set({"valueSet": ["http://example.org/vs"]}, url="http://example.org/b"),
    )
    deep = [_set({"valueSet": [f"http://example.org/{n + 1}"]}, url=f"http://example.org/{n}") for n in range(100)]
    wide = [
        _set(*[{"valueSet": [f"http://example.org/{n + 1}"]}] * 20, url=f"http://example.org/{n}") for n in range(9)
    ]
    pattern = {"property": "code", "op": "regex", "value": "(" * 400 + "a" + "+)" * 400}
    return {
        "many": (many, _set({"system": A})),
        "circle": circle,
        "deep": (*deep, _set({"valueSet": ["http://example.org/0"]})),
        "wide": (*wide, _set({"valueSet": ["http://example.org/0"]})),
        "pattern": (_system([{"code": "a" * 5_000}]), _set({"system": A, "filter": [pattern]})),
        "no such filter": (_system([{"code": "a"}]), _set({"system": A, "filter": [{**pattern, "op": "near"}]})),
    }


@pytest.mark.parametrize("name", sorted(_bombs()))
def test_bombs_are_refused_in_good_time(library: Library, name: str) -> None:
    """Large, circular, deep, wide and tangled value sets end in an error before the work runs away."""
    resources = _bombs()[name]
    with within(30), pytest.raises(FhirError):
        _call("ValueSet/$expand", library, *resources, url="http://example.org/vs")


def test_what_the_operation_does_not_know_is_refused(library: Library) -> None:
    """An unknown parameter is an error and not ignored."""
    with pytest.raises(FhirError, match="only these parameters"):
        _call("CodeSystem/$lookup", library, system=GENDER, code="male", colour="red")


def test_codes_are_compared(library: Library) -> None:
    """ICD-10-CM's hierarchy tells which code stands above which."""
    for a, b, outcome in (
        ("E11", "E11.65", "subsumes"),
        ("E11.65", "E11", "subsumed-by"),
        ("E11", "E11", "equivalent"),
    ):
        assert _values(_call("CodeSystem/$subsumes", library, system=ICD, codeA=a, codeB=b))["outcome"] == outcome


@pytest.mark.parametrize("url", [
    "http://hl7.org/fhir/ValueSet/administrative-gender", "http://hl7.org/fhir/ValueSet/observation-status",
    "http://terminology.hl7.org/ValueSet/v3-ActEncounterCode", f"{ICD}?fhir_vs=isa/E11.6",
    "http://hl7.org/fhir/ValueSet/request-intent", "http://hl7.org/fhir/ValueSet/condition-clinical",
])  # fmt: skip
def test_both_ways_to_ask_agree(library: Library, terminology: Terminology, url: str) -> None:
    """An expansion holds what the compiled members of bindings and searches hold, and each of them is valid."""
    compiled = ValueSets(terminology).members(url)
    assert compiled is not None
    expansion = _call("ValueSet/$expand", library, url=url, excludeNested=True)["expansion"]
    listed = {(c["system"], c["code"]) for c in expansion["contains"]}
    assert listed == set(compiled.codes() or ())
    for system, code in sorted(listed)[:5]:
        assert _values(_call("ValueSet/$validate-code", library, url=url, system=system, code=code))["result"] is True


@pytest.mark.parametrize(
    ("day", "says"), [("1999-01-01", "2024"), ("2025-10-01", "2026-04"), ("2040-02-29", "2026-04")]
)
def test_a_day_that_no_edition_governs_is_told(library: Library, day: str, says: str) -> None:
    """The nearest edition answers, and the issues say that none of that day is loaded."""
    told = _values(_call("CodeSystem/$validate-code", library, url=ICD, code="E11.9", date=day))
    texts = [i["details"]["text"] for i in told["issues"]["issue"]]
    assert told["result"] is True and told["version"] == says
    assert any(f"no edition for {day} is loaded" in text for text in texts)
    inside = _values(_call("CodeSystem/$validate-code", library, url=ICD, code="E11.9", date="2024-02-29T10:00:00Z"))
    assert inside["version"] == "2024" and "issues" not in inside


@pytest.mark.parametrize(
    "day", ["2025-02-29", "2025-13", "20250101", "2025-W40-1", "2025-09-30x", "2025-9-1", "today", ""]
)
def test_what_is_no_day_is_refused(library: Library, day: str) -> None:
    """The message shows how a day is written."""
    with pytest.raises(FhirError, match="such as 2026-04-15"):
        _call("CodeSystem/$validate-code", library, url=ICD, code="E11.9", date=day)


def test_a_unit_that_is_none_is_told_what_may_be_meant(library: Library) -> None:
    """Over the operation as on the command line."""
    told = _values(_call("CodeSystem/$validate-code", library, url=UNITS, code="mmHg"))
    assert told["result"] is False and "did you mean mm[Hg]?" in str(told["issues"])


def test_a_long_code_is_not_repeated_at_length(library: Library) -> None:
    """It comes back as it was sent, once; texts show its beginning."""
    code = "A" * 16_000
    answer = _call("CodeSystem/$validate-code", library, url=ICD, code=code)
    assert _values(answer)["code"] == code and str(answer).count("A" * 2_000) == 8
    assert len(str(_values(answer)["issues"])) < 3_000


def test_an_implicit_value_set_of_a_code_that_is_nowhere_is_not_found(library: Library) -> None:
    """A misspelled one is no empty set; one that another edition has is, and a heading has codes."""
    with pytest.raises(FhirError, match="could not be found"):
        _call("ValueSet/$expand", library, url=f"{ICD}?fhir_vs=isa/E11.99")
    with pytest.raises(FhirError, match="could not be found"):
        _call("ValueSet/$validate-code", library, url=f"{ICD}?fhir_vs=isa/E11.99", system=ICD, code="E11.9")
    later = _call("ValueSet/$expand", library, url=f"{ICD}?fhir_vs=isa/G35.A", date="2025-01-01")
    assert later["expansion"]["total"] == 0
    assert _call("ValueSet/$expand", library, url=f"{ICD}?fhir_vs=isa/E08-E13", count="1")["expansion"]["total"] == 582
