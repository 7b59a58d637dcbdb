"""What a file holds is what the operations and value sets tell, several parents included."""

from pathlib import Path
from typing import Any

import pytest

from terminology import open_terminology
from terminology.build import install
from terminology.operations import Library, answer_call
from terminology.value_sets import ValueSets
from tests.unit.terminology.store.invented import SYSTEM, plants

Json = dict[str, Any]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """The plants behind the operations."""
    install(tmp_path, "plants@1", [plants()])
    return Library(open_terminology(tmp_path))


def filtered(name: str, op: str, value: str) -> Json:
    include = {"system": SYSTEM, "filter": [{"property": name, "op": op, "value": value}]}
    return {"resourceType": "ValueSet", "url": "http://example.org/vs", "compose": {"include": [include]}}


FILTERS = [
    ("concept", "is-a", "F", {"F", "T1", "A"}),
    ("concept", "is-a", "book-1", {"P", "T", "T1", "T2", "F", "A"}),
    ("concept", "descendent-of", "F", {"T1", "A"}),
    ("concept", "is-not-a", "F", {"P", "T", "T2"}),
    ("concept", "generalizes", "T1", {"T1", "T", "F", "P"}),
    ("parent", "=", "F", {"T1", "A"}),
    ("child", "=", "T1", {"T", "F"}),
    ("height", "=", "30", {"T2"}),
    ("height", "exists", "true", {"T1", "T2"}),
    ("height", "exists", "false", {"P", "T", "F", "A"}),
    ("edible", "not-in", "true", {"P", "T", "T2", "F", "A"}),
    ("colour", "in", "red,blue", {"T1"}),
    ("colour", "not-in", "red", {"P", "T", "T2", "F", "A"}),
    ("colour", "regex", "gr.*", {"T1"}),
    ("bears", "=", "A", {"T1"}),
    ("bears", "exists", "false", {"P", "T", "T2", "F", "A"}),
    ("billable", "=", "true", {"T1", "T2", "A"}),
    ("inactive", "=", "true", {"A"}),
    ("family", "=", "ros", {"T1"}),
]


@pytest.mark.parametrize(("name", "op", "value", "wanted"), FILTERS)
def test_filters_find_and_test_the_same(library: Library, name: str, op: str, value: str, wanted: set[str]) -> None:
    """Listed by index or by hierarchy and asked one by one, over both ways to compile a value set; no heading ever."""
    resource = filtered(name, op, value)
    members = ValueSets(library.terminology).members(resource)
    assert {code for _, code in members.codes()} == wanted
    every = [concept.code for concept in library.terminology.concepts(SYSTEM)]
    assert {code for code in every if members.contains(SYSTEM, code)} == wanted
    asked = {"resourceType": "Parameters", "parameter": [{"name": "valueSet", "resource": resource}]}
    contains = answer_call("ValueSet/$expand", asked, library)["expansion"].get("contains", [])
    assert flat(contains) == wanted


def flat(contains: list[Json]) -> set[str]:
    return {c["code"] for c in contains}.union(*(flat(c.get("contains", [])) for c in contains))


def looked_up(library: Library, code: str) -> list[Json]:
    asked = {"resourceType": "Parameters", "parameter": [
        {"name": "system", "valueUri": SYSTEM}, {"name": "code", "valueCode": code},
    ]}  # fmt: skip
    return answer_call("CodeSystem/$lookup", asked, library)["parameter"]


def test_lookup_tells_parents_names_properties_relations_and_notes(library: Library) -> None:
    """Two parents, names with language and kind, each value of a list by itself, in the declared type."""
    told = looked_up(library, "T1")
    properties = [
        (p["part"][0]["valueCode"], next(v for k, v in p["part"][1].items() if k != "name"))
        for p in told
        if p["name"] == "property"
    ]
    assert [value for name, value in properties if name == "parent"] == ["T", "F"]
    assert [value for name, value in properties if name == "colour"] == ["green", "red"]
    assert ("height", 4) in properties and ("edible", True) in properties and ("bears", "A") in properties
    assert ("family", {"code": "ros", "display": "R"}) in properties
    parts = [{p["name"]: p for p in d["part"]} for d in told if d["name"] == "designation"]
    named = {part["value"]["valueString"]: part for part in parts}
    assert {"Malus", "Apfelbaum", "Apple tree (plant)"} <= named.keys()
    assert named["Apfelbaum"]["language"]["valueCode"] == "de"
    assert named["Apple tree (plant)"]["use"]["valueCoding"]["code"] == "fsn"
    notes = [p["part"][1].get("valueString") for p in looked_up(library, "P") if p["name"] == "property"]
    assert "algae" in notes and "fungi" in notes


def test_a_heading_is_no_code(library: Library) -> None:
    """Chapters and blocks are not found, not listed, and no parents."""
    with pytest.raises(Exception, match="book-1"):
        looked_up(library, "book-1")
    told = looked_up(library, "P")
    assert "parent" not in {p["part"][0]["valueCode"] for p in told if p["name"] == "property"}


def test_case_is_told_where_it_does_not_count(tmp_path: Path) -> None:
    """A code in another case is valid, and the right one is given."""
    install(tmp_path, "plants@1", [plants(sensitive=False)])
    asked = {"resourceType": "Parameters", "parameter": [
        {"name": "url", "valueUri": SYSTEM}, {"name": "code", "valueCode": "t1"},
    ]}  # fmt: skip
    told = {
        p["name"]: p
        for p in answer_call("CodeSystem/$validate-code", asked, Library(open_terminology(tmp_path)))["parameter"]
    }
    assert told["result"]["valueBoolean"] is True and told["normalized-code"]["valueCode"] == "T1"
    members = ValueSets(open_terminology(tmp_path)).members(filtered("concept", "is-a", "f"))
    assert members.contains(SYSTEM, "t1") and not members.contains(SYSTEM, "t2")
