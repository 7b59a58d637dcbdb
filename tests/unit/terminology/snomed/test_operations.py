"""The operations answer for a loaded release of SNOMED CT as FHIR says of it (https://hl7.org/fhir/R4/snomedct.html)."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from fhir_profiles.errors import FhirError
from terminology import Terminology
from terminology.operations import Library, answer_call
from terminology.value_sets import ValueSets
from tests.unit.terminology.snomed.conftest import load
from tests.unit.terminology.snomed.release import MODULE, REPLACED_BY, sct, small

Json = dict[str, Any]
SCT = "http://snomed.info/sct"
EDITION = f"{SCT}/{MODULE}"
VERSION = f"{EDITION}/version/20260101"
GADGET, KNOBBED, LEVERED, COLOUR, OLD = (sct(n) for n in (10, 11, 12, 13, 14))
KNOB, LEVER, HAS_PART, WEIGHT, FAVOURITES = (sct(n) for n in (21, 22, 40, 30, 50))


def ask(terminology: Terminology, operation: str, **parameters: Any) -> Json:
    """An operation with simple parameters; an underscore stands for a hyphen."""
    listed = [
        {"name": name.replace("_", "-"), ("valueBoolean" if isinstance(value, bool) else "valueString"): value}
        for name, value in parameters.items()
    ]
    return answer_call(operation, {"resourceType": "Parameters", "parameter": listed}, Library(terminology))


def told(answer: Json, name: str) -> Any:
    """The value of a parameter of an answer."""
    found = next((p for p in answer["parameter"] if p["name"] == name), {})
    return next((v for k, v in found.items() if k.startswith("value")), None)


def listed(terminology: Terminology, url: str, **more: Any) -> list[str]:
    """The codes of an expansion."""
    return flat(ask(terminology, "ValueSet/$expand", url=url, **more)["expansion"])


def flat(expansion: Json) -> list[str]:
    """The codes of an expansion, those below others too."""
    return [code for one in expansion.get("contains", ()) for code in (one["code"], *flat(one))]


def properties(answer: Json) -> dict[str, list[Any]]:
    """The properties of a lookup."""
    found: dict[str, list[Any]] = {}
    for one in answer["parameter"]:
        if one["name"] == "property":
            parts = {p["name"]: next(v for k, v in p.items() if k.startswith("value")) for p in one["part"]}
            found.setdefault(parts["code"], []).append(parts["value"])
    return found


def test_lookup(gadgets: Terminology) -> None:
    """A concept is told with its edition, its names and its properties."""
    answer = ask(gadgets, "CodeSystem/$lookup", system=SCT, code=COLOUR)
    assert told(answer, "display") == "Colour gadget"
    assert told(answer, "version") == VERSION
    found = properties(answer)
    assert found["inactive"] == [False]
    assert found["sufficientlyDefined"] == [False]
    assert found["moduleId"] == [MODULE]
    assert found["effectiveTime"] == ["20260101"]
    assert sorted(found["parent"]) == sorted((KNOBBED, LEVERED))
    assert sorted(found[HAS_PART]) == sorted((KNOB, LEVER))
    assert found[WEIGHT] == [10]
    texts = {p["part"][-1]["valueString"] for p in answer["parameter"] if p["name"] == "designation"}
    assert {"Colour gadget (invented)", "Two-way gadget", "Coloured gadget"} <= texts


def test_an_inactive_concept_tells_where_it_went(gadgets: Terminology) -> None:
    """It stays, is inactive, and names what replaced it and why."""
    found = properties(ask(gadgets, "CodeSystem/$lookup", system=SCT, code=OLD))
    assert found["inactive"] == [True]
    assert found["replacedBy"] == [KNOBBED]
    assert found["inactivationReason"] == [sct(30)]
    answer = ask(gadgets, "CodeSystem/$validate-code", url=SCT, code=OLD)
    assert told(answer, "result") is True
    assert told(answer, "inactive") is True


@pytest.mark.parametrize(
    ("language", "display"),
    [
        ("en", "Colour gadget"),
        ("en-US", "Colour gadget"),
        ("en-GB", "Coloured gadget"),
        ("en-x-sctlang-90000000-00005080-04", "Coloured gadget"),
        ("en-x-sctlang-90000000-00005090-07", "Colour gadget"),
    ],
)
def test_dialects(gadgets: Terminology, language: str, display: str) -> None:
    """A dialect shows the name that it prefers."""
    answer = ask(gadgets, "CodeSystem/$lookup", system=SCT, code=COLOUR, displayLanguage=language)
    assert told(answer, "display") == display


@pytest.mark.parametrize("display", ["Colour gadget", "Two-way gadget", "Coloured gadget", "Colour gadget (invented)"])
def test_every_name_is_a_right_display(gadgets: Terminology, display: str) -> None:
    """Preferred, acceptable and full names are right; another is not."""
    assert told(ask(gadgets, "CodeSystem/$validate-code", url=SCT, code=COLOUR, display=display), "result") is True
    wrong = ask(gadgets, "CodeSystem/$validate-code", url=SCT, code=COLOUR, display="Something else")
    assert told(wrong, "result") is False


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        (f"=isa/{GADGET}", {GADGET, KNOBBED, LEVERED, COLOUR}),
        (f"=isa/{COLOUR}", {COLOUR}),
        (f"=refset/{FAVOURITES}", {KNOBBED, COLOUR}),
        (f"=ecl/{quote(f'<< {KNOBBED}')}", {KNOBBED, COLOUR}),
        (f"=ecl/<<{GADGET}:{HAS_PART}={KNOB}", {KNOBBED, COLOUR}),
        (f"=ecl/< {GADGET} |Gadget| : {{ {HAS_PART} |with| = {LEVER}, {WEIGHT} >= #10 }}", {COLOUR}),
        (f"=ecl/^{FAVOURITES} MINUS {COLOUR}", {KNOBBED}),
        (f"=ecl/(<<{GADGET}).{HAS_PART}", {KNOB, LEVER}),
    ],
)
@pytest.mark.parametrize("base", [SCT, EDITION, VERSION])
def test_implied_value_sets(gadgets: Terminology, base: str, query: str, codes: set[str]) -> None:
    """What a URL implies is listed by the page and as a whole, and tested code by code."""
    url = f"{base}?fhir_vs{query}"
    assert set(listed(gadgets, url)) == codes
    assert set(listed(gadgets, url, count="1000")) == codes
    pages = [code for offset in range(len(codes) + 1) for code in listed(gadgets, url, count="1", offset=str(offset))]
    assert sorted(pages) == sorted(codes)
    for code in (GADGET, KNOBBED, LEVERED, COLOUR, KNOB, LEVER, OLD):
        answer = ask(gadgets, "ValueSet/$validate-code", url=url, system=SCT, code=code)
        assert told(answer, "result") is (code in codes)


def test_the_whole_edition(gadgets: Terminology) -> None:
    """Without a query all concepts are in it; the inactive ones go by activeOnly."""
    every = ask(gadgets, "ValueSet/$expand", url=f"{SCT}?fhir_vs", count="5")["expansion"]
    active = ask(gadgets, "ValueSet/$expand", url=f"{SCT}?fhir_vs", count="5", activeOnly=True)["expansion"]
    assert every["total"] == 20
    assert active["total"] == 19
    assert OLD in listed(gadgets, f"{SCT}?fhir_vs")
    assert OLD not in listed(gadgets, f"{SCT}?fhir_vs", activeOnly=True)
    assert OLD not in listed(gadgets, f"{SCT}?fhir_vs=ecl/*", activeOnly=True, count="100")
    assert told(ask(gadgets, "ValueSet/$validate-code", url=f"{SCT}?fhir_vs", system=SCT, code=OLD), "result") is True


def test_a_text_finds_within_an_expression(gadgets: Terminology) -> None:
    """A filter of words narrows an implied value set."""
    assert set(listed(gadgets, f"{SCT}?fhir_vs=isa/{GADGET}", filter="knob")) == {KNOBBED}
    assert set(listed(gadgets, f"{SCT}?fhir_vs=ecl/<{GADGET}", filter="two way")) == {COLOUR}


@pytest.mark.parametrize(
    ("filters", "codes"),
    [
        ([("concept", "is-a", KNOBBED)], {KNOBBED, COLOUR}),
        ([("concept", "descendent-of", GADGET)], {KNOBBED, LEVERED, COLOUR}),
        ([("concept", "in", FAVOURITES)], {KNOBBED, COLOUR}),
        ([("concept", "=", KNOBBED)], {KNOBBED}),
        ([("constraint", "=", f"<! {GADGET}")], {KNOBBED, LEVERED}),
        ([("concept", "is-a", GADGET), ("expressions", "=", "false")], {GADGET, KNOBBED, LEVERED, COLOUR}),
        ([("concept", "is-a", GADGET), (HAS_PART, "=", LEVER)], {LEVERED, COLOUR}),
        ([(HAS_PART, "=", KNOB)], {KNOBBED, COLOUR}),
        ([("sufficientlyDefined", "=", "true")], {KNOBBED, LEVERED}),
        ([("inactive", "=", "true")], {OLD}),
        ([("parent", "=", GADGET)], {KNOBBED, LEVERED}),
    ],
)
def test_filters(gadgets: Terminology, filters: list[tuple[str, str, str]], codes: set[str]) -> None:
    """The filters that FHIR defines for SNOMED CT."""
    declared = [dict(zip(("property", "op", "value"), f, strict=True)) for f in filters]
    value_set = {
        "resourceType": "ValueSet",
        "url": "http://example.org/vs",
        "status": "active",
        "compose": {"include": [{"system": SCT, "filter": declared}]},
    }
    call = {"resourceType": "Parameters", "parameter": [{"name": "valueSet", "resource": value_set}]}
    library = Library(gadgets)
    expansion = answer_call("ValueSet/$expand", call, library)["expansion"]
    assert set(flat(expansion)) == codes
    for code in (GADGET, KNOBBED, LEVERED, COLOUR, OLD):
        more = [{"name": "system", "valueUri": SCT}, {"name": "code", "valueCode": code}]
        answer = answer_call("ValueSet/$validate-code", {**call, "parameter": [*call["parameter"], *more]}, library)
        assert told(answer, "result") is (code in codes)
    members = ValueSets(gadgets).members(value_set)
    assert members is not None
    assert {code for _, code in members.codes() or ()} == codes


def test_subsumes(gadgets: Terminology) -> None:
    """Both parents stand above."""
    for above in (KNOBBED, LEVERED, GADGET):
        answer = ask(gadgets, "CodeSystem/$subsumes", system=SCT, codeA=above, codeB=COLOUR)
        assert told(answer, "outcome") == "subsumes"
    other = ask(gadgets, "CodeSystem/$subsumes", system=SCT, codeA=KNOBBED, codeB=LEVERED)
    assert told(other, "outcome") == "not-subsumed"


def test_expressions_are_refused_as_such(gadgets: Terminology) -> None:
    """A post-coordinated expression is not supported, which is not the same as unknown."""
    expression = f"{GADGET}:{HAS_PART}={KNOB}"
    answer = ask(gadgets, "CodeSystem/$validate-code", url=SCT, code=expression)
    assert told(answer, "result") is False
    assert "post-coordinated expressions are not supported" in told(answer, "message")
    assert "Unknown code" not in told(answer, "message")
    with pytest.raises(FhirError, match="post-coordinated expressions are not supported"):
        ask(gadgets, "CodeSystem/$lookup", system=SCT, code=expression)
    with pytest.raises(FhirError, match="post-coordinated expressions are not supported"):
        ask(gadgets, "CodeSystem/$subsumes", system=SCT, codeA=expression, codeB=GADGET)


def test_a_wrong_check_digit_is_told(gadgets: Terminology) -> None:
    """An unknown code says what is wrong with it."""
    wrong = f"{COLOUR[:-1]}{(int(COLOUR[-1]) + 1) % 10}"
    answer = ask(gadgets, "CodeSystem/$validate-code", url=SCT, code=wrong)
    assert told(answer, "result") is False
    assert COLOUR in str(answer)


@pytest.mark.parametrize("query", ["=ecl/<<", "=ecl/(123456", "=nothing", "=ecl/" + "(" * 10_000])
def test_wrong_queries_are_refused(gadgets: Terminology, query: str) -> None:
    """A mistake is told, and never answered as an empty set."""
    with pytest.raises(FhirError):
        listed(gadgets, f"{SCT}?fhir_vs{query}")


def test_editions_side_by_side(tmp_path: Path) -> None:
    """Each version answers for itself; a module without a date means its newest."""
    load(small(), tmp_path)
    newer = small("20260701")
    newer.concept(sct(15), "New gadget", GADGET)
    both = load(newer, tmp_path)
    later = f"{EDITION}/version/20260701"
    for version, known in ((VERSION, False), (later, True), (EDITION, True), (None, True)):
        more = {} if version is None else {"version": version}
        answer = ask(both, "CodeSystem/$validate-code", url=SCT, code=sct(15), **more)
        assert told(answer, "result") is known
        base = version or SCT
        assert (sct(15) in listed(both, f"{base}?fhir_vs=isa/{GADGET}", count="50")) is known
    assert told(ask(both, "CodeSystem/$lookup", system=SCT, code=GADGET, version=EDITION), "version") == later
    pinned = ask(both, "CodeSystem/$lookup", system=SCT, code=GADGET, system_version=f"{SCT}|{VERSION}")
    assert told(pinned, "version") == VERSION


def test_history_as_a_map(gadgets: Terminology) -> None:
    """The reference set of replacements is among those that can be asked for."""
    assert listed(gadgets, f"{SCT}?fhir_vs=refset/{REPLACED_BY}") == [OLD]
