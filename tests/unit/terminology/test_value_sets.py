"""Membership of value sets, in three answers and within limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fhir_profiles.errors import FhirError
from fhir_profiles.systems import CPT, ICD10CM, LOINC, SNOMED, UCUM
from terminology import Terminology
from terminology.value_sets import Members, ValueSets
from tests.support.clock import within

Json = dict[str, Any]
GENDER = "http://hl7.org/fhir/administrative-gender"
TREE = "http://example.org/tree"
NET = "http://example.org/net"
PART = "http://example.org/part"
VS = "http://example.org/vs/gender"

STORED: dict[str, Json] = {
    TREE: {
        "resourceType": "CodeSystem", "url": TREE, "status": "active", "content": "complete", "version": "2",
        "concept": [
            {"code": "a", "display": "Alpha", "property": [{"code": "kind", "valueCode": "top"}], "concept": [
                {"code": "a1", "concept": [{"code": "a1x", "property": [{"code": "size", "valueInteger": 3}]}]},
                {"code": "a2", "property": [{"code": "status", "valueCode": "retired"}]},
            ]},
            {"code": "b", "property": [{"code": "kind", "valueCode": "top"}, {"code": "old", "valueBoolean": True}]},
        ],
    },
    f"{TREE}|1": {"resourceType": "CodeSystem", "url": TREE, "content": "complete", "version": "1",
                  "concept": [{"code": "a"}]},
    NET: {
        "resourceType": "CodeSystem", "url": NET, "content": "complete", "caseSensitive": False,
        "concept": [
            {"code": "root"},
            {"code": "left", "property": [{"code": "parent", "valueCode": "root"}]},
            {"code": "right", "property": [{"code": "parent", "valueCode": "root"}]},
            {"code": "both", "property": [{"code": "parent", "valueCode": "left"},
                                          {"code": "parent", "valueCode": "right"}]},
            {"code": "ring1", "property": [{"code": "parent", "valueCode": "ring2"}]},
            {"code": "ring2", "property": [{"code": "parent", "valueCode": "ring1"}]},
        ],
    },
    PART: {"resourceType": "CodeSystem", "url": PART, "content": "fragment", "concept": [{"code": "p"}]},
    "http://example.org/absent": {"resourceType": "CodeSystem", "content": "not-present"},
    "http://example.org/vs/gender": {
        "resourceType": "ValueSet", "url": "http://example.org/vs/gender",
        "compose": {"include": [{"system": GENDER}], "exclude": [{"system": GENDER, "concept": [{"code": "other"}]}]},
    },
    "http://example.org/vs/own": {
        "resourceType": "ValueSet",
        "compose": {"include": [{"valueSet": ["http://example.org/vs/other"]}]},
    },
    "http://example.org/vs/other": {
        "resourceType": "ValueSet",
        "compose": {"include": [{"valueSet": ["http://example.org/vs/own"]}]},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def sets(terminology: Terminology) -> ValueSets:
    """Value sets over everything that is loaded and the resources above."""
    return ValueSets(terminology, STORED.get)


Make = Callable[..., Members]


@pytest.fixture
def make(sets: ValueSets) -> Make:
    """The members of a value set given by its includes and excludes."""

    def members(*include: Json, exclude: tuple[Json, ...] = (), **compose: Any) -> Members:
        compose |= {"include": list(include), "exclude": list(exclude)}
        found = sets.members({"resourceType": "ValueSet", "compose": compose})
        assert found is not None
        return found

    return members


def by(system: str, op: str, value: str, name: str = "concept") -> Json:
    """An include by one filter."""
    return {"system": system, "filter": [{"property": name, "op": op, "value": value}]}


def both(one: Json, other: Json) -> Json:
    """An include by the filters of two."""
    return {"system": one["system"], "filter": [*one["filter"], *other["filter"]]}


def codes(members: Members) -> set[str]:
    """The listed codes, whatever their system."""
    listed = members.codes()
    assert listed is not None
    return {code for _, code in listed}


@pytest.mark.parametrize(("include", "expected"), [
    ({"system": TREE}, "a a1 a1x a2 b"),
    ({"system": TREE, "version": "2"}, "a a1 a1x a2 b"),
    ({"system": TREE, "version": "1"}, "a"),
    ({"system": TREE, "concept": [{"code": "a1"}, {"code": "b"}]}, "a1 b"),
    (by(TREE, "is-a", "a"), "a a1 a1x a2"),
    (by(TREE, "descendent-of", "a"), "a1 a1x a2"),
    (by(TREE, "is-not-a", "a"), "b"),
    (by(TREE, "generalizes", "a1x"), "a a1 a1x"),
    (by(TREE, "=", "top", "kind"), "a b"),
    (by(TREE, "=", "3", "size"), "a1x"),
    (by(TREE, "=", "true", "old"), "b"),
    (by(TREE, "in", "a1, b", "code"), "a1 b"),
    (by(TREE, "in", "top,none", "kind"), "a b"),
    (by(TREE, "not-in", "a1,b", "code"), "a a1x a2"),
    (by(TREE, "not-in", "top", "kind"), "a1 a1x a2"),
    (by(TREE, "exists", "true", "kind"), "a b"),
    (by(TREE, "exists", "false", "kind"), "a1 a1x a2"),
    (by(TREE, "regex", "a[0-9].*", "code"), "a1 a1x a2"),
    (by(TREE, "regex", "a", "code"), "a"),
    (by(TREE, "regex", "Al.*", "display"), "a"),
    (by(TREE, "=", "a", "parent"), "a1 a2"),
    (by(TREE, "=", "a1", "child"), "a"),
    (by(TREE, "is-a", "nothing"), ""),
    (by(NET, "is-a", "root"), "root left right both"),
    (by(NET, "is-a", "LEFT"), "left both"),
    (by(NET, "generalizes", "both"), "root left right both"),
    (by(NET, "is-a", "ring1"), "ring1 ring2"),
    (both(by(TREE, "is-a", "a"), by(TREE, "regex", ".1.*", "code")), "a1 a1x"),
    ({"valueSet": ["http://example.org/vs/gender"]}, "male female unknown"),
    ({"system": GENDER, "concept": [{"code": "male"}, {"code": "other"}], "valueSet": [VS]}, "male"),
    ({"valueSet": ["http://hl7.org/fhir/ValueSet/administrative-gender", VS]}, "male female unknown"),
    ({"system": PART}, "p"),
    (by(ICD10CM, "is-a", "I10"), "I10"),
    (by(ICD10CM, "descendent-of", "E11.6"), None),
])  # fmt: skip
def test_each_way_to_say_who_is_in(make: Make, include: Json, expected: str | None) -> None:
    """What is listed is what the composition says, and each listed code is a member when asked."""
    members = make(include)
    listed = members.codes()
    assert listed is not None
    if expected is not None:
        assert codes(members) == set(expected.split())
    assert all(members.contains(system, code) and members.contains(None, code) for system, code in listed)
    assert members.contains(TREE, "nonsense") is False


def test_excludes_and_inactive_concepts(make: Make) -> None:
    """What is excluded is out, by code or by filter; `inactive` false leaves out what is retired."""
    assert codes(make({"system": TREE}, exclude=(by(TREE, "is-a", "a1"),))) == {"a", "a2", "b"}
    assert codes(make({"system": TREE}, inactive=False)) == {"a", "a1", "a1x", "b"}
    two = make({"system": TREE}, {"system": GENDER}, exclude=({"system": TREE, "concept": [{"code": "b"}]},))
    assert two.contains(TREE, "b") is False
    assert two.contains(None, "male") is True
    assert two.whole == {GENDER}
    assert two.systems == {TREE, GENDER}


def test_case_counts_only_where_the_system_says_so(make: Make) -> None:
    """A code in other letters is a member of a system that does not tell them apart."""
    assert make({"system": NET}).contains(NET, "ROOT") is True
    assert make({"system": NET, "concept": [{"code": "Root"}]}).contains(NET, "rOOT") is True
    assert make({"system": TREE}).contains(TREE, "A") is False
    without = make({"system": NET}, exclude=({"system": NET, "concept": [{"code": "ROOT"}]},))
    assert without.contains(NET, "root") is False
    assert "root" not in codes(without)


@pytest.mark.parametrize(("include", "system", "code", "answer"), [
    ({"system": LOINC}, LOINC, "4548-4", True),
    ({"system": LOINC}, LOINC, "99999-5", None),
    ({"system": LOINC}, LOINC, "no shape", False),
    ({"system": LOINC, "concept": [{"code": "99999-5"}]}, LOINC, "99999-5", True),
    ({"system": LOINC, "concept": [{"code": "99999-5"}]}, LOINC, "88888-8", False),
    ({"system": CPT}, CPT, "99213", True),
    ({"system": CPT}, CPT, "99999", None),
    (by(LOINC, "=", "Doc", "SCALE_TYP"), LOINC, "99999-5", None),
    ({"system": SNOMED}, SNOMED, "73211009", None),
    (by(SNOMED, "is-a", "73211009"), SNOMED, "73211009", True),
    (by(SNOMED, "is-a", "73211009"), SNOMED, "44054006", None),
    (by(SNOMED, "descendent-of", "73211009"), SNOMED, "73211009", False),
    (by(SNOMED, "is-not-a", "73211009"), SNOMED, "73211009", False),
    (by(SNOMED, "regex", "1.*", "code"), SNOMED, "2", False),
    ({"system": PART}, PART, "q", None),
    ({"system": "http://example.org/absent"}, "http://example.org/absent", "x", None),
    ({"system": TREE, "version": "9"}, TREE, "a", None),
    ({"system": ICD10CM}, ICD10CM, "E11.9", True),
    ({"system": ICD10CM}, ICD10CM, "E11.99", False),
    ({"system": ICD10CM}, ICD10CM, "E08-E13", False),
    (by(ICD10CM, "is-a", "E11"), ICD10CM, "E11.65", True),
    (by(ICD10CM, "is-a", "E11"), ICD10CM, "E10.9", False),
    ({"system": UCUM}, UCUM, "mg/dL", True),
    ({"system": UCUM}, UCUM, "mgs", False),
    (by(UCUM, "=", "s", "canonical"), UCUM, "min", True),
    (by(UCUM, "=", "s", "canonical"), UCUM, "mg", False),
    ({"valueSet": [f"{LOINC}/vs"]}, LOINC, "4548-4", True),
    ({"valueSet": [f"{ICD10CM}?fhir_vs=isa/E11"]}, ICD10CM, "E11.9", True),
    ({"valueSet": [f"{ICD10CM}?fhir_vs=isa/E11"]}, ICD10CM, "I10", False),
])  # fmt: skip
def test_what_is_not_loaded_is_not_known(
    make: Make, include: Json, system: str, code: str, answer: bool | None
) -> None:
    """A fragment cannot deny a code, a system that is absent neither; rules and whole editions can."""
    assert make(include).contains(system, code) is answer


def test_unknown_parts_carry_through(make: Make) -> None:
    """None wins over False in a union and over True in an intersection or behind an exclude."""
    unknown, known = {"system": SNOMED}, {"system": TREE}
    assert make(unknown, known).contains(SNOMED, "1") is None
    assert make(unknown, {"system": SNOMED, "concept": [{"code": "1"}]}).contains(SNOMED, "1") is True
    assert (
        make({"system": SNOMED, "concept": [{"code": "1"}]}, exclude=(by(SNOMED, "is-a", "2"),)).contains(SNOMED, "1")
        is None
    )
    assert make(unknown, known).unknown == {SNOMED}
    assert make(known).unknown == frozenset()


def test_below_and_above(sets: ValueSets) -> None:
    """The codes under and over a code, of every kind of hierarchy; None when it is not known."""
    assert sets.below(TREE, "a1") == {"a1", "a1x"}
    assert sets.above(TREE, "a1x") == {"a", "a1", "a1x"}
    assert sets.below(NET, "left") == {"left", "both"}
    under = sets.below(ICD10CM, "E11")
    assert under is not None
    assert {"E11", "E11.9", "E11.65"} <= under
    assert "E10.9" not in under
    assert len(sets.below(ICD10CM, "E08-E13") or ()) > 300
    assert sets.above(ICD10CM, "E11.65") == {"E11", "E11.6", "E11.65"}
    assert "AE" in (sets.below("http://terminology.hl7.org/CodeSystem/v3-ActCode", "CC") or ())
    assert sets.below(LOINC, "4548-4") == {"4548-4"}
    assert sets.below(UCUM, "mg") == {"mg"}
    assert sets.below(TREE, "nonsense") is None
    assert sets.below("http://example.org/nothing", "x") is None


def test_found_by_canonical(sets: ValueSets) -> None:
    """A URL finds what is stored and published, with a version only that version."""
    gender = "http://hl7.org/fhir/ValueSet/administrative-gender"
    assert sets.members(gender) is sets.members(gender)
    assert sets.members(f"{gender}|4.0.1") is not None
    assert sets.members(f"{gender}|9.9.9") is None
    assert sets.members("http://example.org/vs/gender") is not None
    assert sets.members("http://example.org/nothing") is None
    assert sets.members(TREE) is None  # a code system is no value set


def test_a_published_set_is_not_replaced_by_a_stored_one() -> None:
    """What FHIR defines stays as defined whatever clients store; other names are theirs."""
    url = "http://hl7.org/fhir/ValueSet/administrative-gender"
    system = {"resourceType": "CodeSystem", "url": GENDER, "content": "complete", "concept": [{"code": "x"}]}
    mine = {
        "resourceType": "ValueSet",
        "url": url,
        "compose": {"include": [{"system": TREE, "concept": [{"code": "x"}]}]},
    }
    members = ValueSets(None, {url: mine, GENDER: system}.get).members(url)
    assert members is not None
    assert members.contains(GENDER, "male") is True
    assert members.contains(GENDER, "x") is False


def test_what_is_stored_is_read_again_when_the_generation_changes() -> None:
    """A new version counts from the next question on."""
    store = {TREE: {"resourceType": "CodeSystem", "content": "complete", "concept": [{"code": "a"}]}}
    generation = [1]
    sets = ValueSets(None, store.get, lambda: generation[0])
    assert sets.below(TREE, "b") is None
    store[TREE] = {"resourceType": "CodeSystem", "content": "complete", "concept": [{"code": "b"}]}
    generation[0] = 2
    assert sets.below(TREE, "b") == {"b"}


def test_contained_and_expanded_sets(sets: ValueSets) -> None:
    """A set may bring its parts along, or come as its expansion alone."""
    inner = {"resourceType": "ValueSet", "id": "i", "compose": {"include": [{"system": TREE}]}}
    outer = {"resourceType": "ValueSet", "contained": [inner], "compose": {"include": [{"valueSet": ["#i"]}]}}
    found = sets.members(outer)
    assert found is not None
    assert found.contains(TREE, "a1x") is True
    contains = [{"abstract": True, "system": TREE, "code": "a", "contains": [{"system": TREE, "code": "a1"}]}]
    found = sets.members({"resourceType": "ValueSet", "expansion": {"contains": contains}})
    assert found is not None
    assert found.codes() == ((TREE, "a1"),)


def test_an_import_that_is_not_known(sets: ValueSets) -> None:
    """A set with a hole has no members that could be told."""
    compose = {"include": [{"valueSet": ["http://example.org/nothing"]}]}
    assert sets.members({"resourceType": "ValueSet", "compose": compose}) is None


def test_listing_has_a_limit(make: Make) -> None:
    """Too many codes, or endless ones, are not listed; asking goes on."""
    assert make({"system": ICD10CM}).codes() is None
    assert make({"system": UCUM}).codes() is None
    assert make({"system": TREE}).codes(limit=4) is None
    assert len(make({"system": TREE}).codes(limit=5) or ()) == 5


CHAIN = {
    f"http://example.org/deep/{i}": {"resourceType": "ValueSet", "compose": {"include": [
        {"valueSet": [f"http://example.org/deep/{i + 1}"]}]}} for i in range(500)
}  # fmt: skip
LATTICE = {
    f"http://example.org/wide/{i}": {"resourceType": "ValueSet", "compose": {"include": [
        {"valueSet": [f"http://example.org/wide/{i + 1}"]} for _ in range(20)]}} for i in range(15)
}  # fmt: skip
LATTICE["http://example.org/wide/15"] = {"resourceType": "ValueSet", "compose": {"include": [{"system": UCUM}]}}


@pytest.mark.parametrize("resource", [
    {"compose": {"include": [{"valueSet": ["http://example.org/vs/own"]}]}},
    {"compose": {"include": [{"valueSet": ["http://example.org/deep/0"]}]}},
    {"compose": {"include": [{"system": TREE}] * 100_000}},
    {"compose": {"include": [by(TREE, "regex", "(a" + "{1,100}" * 20 + ")", "code")]}},
    {"compose": {"include": [by(TREE, "regex", "(?<=a)b", "code")]}},
    {"compose": {"include": [by(TREE, "regex", "a" * 5000, "code")]}},
    {"compose": {"include": [by(TREE, "near", "a")]}},
    {"compose": {"include": [{"system": TREE, "concept": [{"code": "x"}] * 300_000}]}},
], ids=["circle", "deep", "rules", "repetition", "lookbehind", "long pattern", "operator", "concepts"])  # fmt: skip
def test_what_cannot_be_compiled_is_refused_at_once(terminology: Terminology, resource: Json) -> None:
    """Circles, bombs, and filters that are not supported are errors at once."""
    sets = ValueSets(terminology, (STORED | CHAIN).get)
    with within(30), pytest.raises(FhirError) as error:
        sets.members({"resourceType": "ValueSet"} | resource)
    assert error.value.problems[0].code in ("business-rule", "too-costly", "invalid", "not-supported")


def test_a_bomb_of_imports_is_asked_once_per_set() -> None:
    """Twenty ways over each of fifteen steps are not twenty to the fifteenth questions."""
    with within(10):
        members = ValueSets(None, LATTICE.get).members("http://example.org/wide/0")
        assert members is not None
        assert members.contains(UCUM, "mg") is True
        assert members.contains(UCUM, "mgs") is False
        assert members.contains(None, "mgs") is False
        assert members.codes() is None


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|aa)+b", "(.*)*x", "([a-z]+)*[0-9]"])
def test_a_pattern_costs_what_its_text_costs(pattern: str) -> None:
    """Patterns that make other engines hang are answered in linear time."""
    long = {"resourceType": "CodeSystem", "content": "complete", "concept": [{"code": "a" * 50_000 + "!"}]}
    sets = ValueSets(None, {TREE: long}.get)
    asked = {"resourceType": "ValueSet", "compose": {"include": [by(TREE, "regex", pattern, "code")]}}
    with within(10):
        members = sets.members(asked)
        assert members is not None
        assert members.codes() == ()


def test_a_code_system_that_is_too_deep_is_refused() -> None:
    """Nesting beyond any real hierarchy is an error, not a crash."""
    concept: Json = {"code": "end"}
    for i in range(5_000):
        concept = {"code": str(i), "concept": [concept]}
    deep = {"resourceType": "CodeSystem", "content": "complete", "concept": [concept]}
    with pytest.raises(FhirError):
        ValueSets(None, {TREE: deep}.get).below(TREE, "end")


def test_a_code_in_two_places_has_both_parents() -> None:
    """A code that is listed twice is one concept."""
    twice = {"resourceType": "CodeSystem", "content": "complete", "concept": [
        {"code": "a", "concept": [{"code": "c", "concept": [{"code": "d"}]}]},
        {"code": "b", "concept": [{"code": "c", "concept": [{"code": "e"}]}]},
    ]}  # fmt: skip
    sets = ValueSets(None, {TREE: twice}.get)
    assert sets.below(TREE, "b") == {"b", "c", "d", "e"}
    assert sets.below(TREE, "c") == {"c", "d", "e"}
    assert {"a", "b"} < (sets.above(TREE, "d") or set())
