"""The terminology operations over stored resources (https://hl7.org/fhir/R4/terminology-service.html)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fhir_profiles.errors import FhirError
from fhir_profiles.validate import check

Json = dict[str, Any]
Operate = Callable[..., Any]
Put = Callable[..., Any]

COLOURS = "http://example.org/colours"
SYSTEM: Json = {
    "resourceType": "CodeSystem", "id": "colours", "url": COLOURS, "version": "1", "status": "active",
    "content": "complete", "caseSensitive": True,
    "concept": [{"code": "warm", "display": "Warm", "concept": [{"code": "red", "display": "Red"}]},
                {"code": "blue", "display": "Blue"}],
}  # fmt: skip
SET: Json = {
    "resourceType": "ValueSet", "id": "warm", "url": f"{COLOURS}/warm", "status": "active",
    "compose": {"include": [
        {"system": COLOURS, "filter": [{"property": "concept", "op": "is-a", "value": "warm"}]}]},
}  # fmt: skip


def _value(parameters: Json, name: str) -> Any:
    one = next(p for p in parameters["parameter"] if p["name"] == name)
    return next(v for k, v in one.items() if k.startswith("value"))


@pytest.fixture(autouse=True)
def colours(call: Put) -> None:
    """A code system and a value set that a client has stored."""
    for resource in (SYSTEM, SET):
        assert call("PUT", f"{resource['resourceType']}/{resource['id']}", resource).status == 201


def test_what_is_stored_counts_at_once(call: Put, operate: Operate) -> None:
    """A value set is answered for by name and by instance, and anew after a write."""
    asked = f"system={COLOURS}&code=red"
    for path in (f"ValueSet/$validate-code?url={SET['url']}&{asked}", f"ValueSet/warm/$validate-code?{asked}"):
        assert _value(operate("GET", path), "result") is True
    assert _value(operate("GET", f"CodeSystem/$validate-code?url={COLOURS}&code=green"), "result") is False
    more = {**SYSTEM, "concept": [*SYSTEM["concept"], {"code": "green", "display": "Green"}]}
    assert call("PUT", "CodeSystem/colours", more).status == 200
    assert _value(operate("GET", f"CodeSystem/$validate-code?url={COLOURS}&code=green"), "result") is True


def test_a_naming_system_counts_at_once(call: Put, operate: Operate) -> None:
    """A code system is known by every name that a stored NamingSystem gives it, until that is changed."""
    naming = {
        "resourceType": "NamingSystem", "id": "colours", "name": "Colours", "status": "active", "kind": "codesystem",
        "date": "2026-01-01", "uniqueId": [
            {"type": "oid", "value": "1.2.3.4"}, {"type": "uri", "value": COLOURS, "preferred": True}],
    }  # fmt: skip
    asked = f"ValueSet/$validate-code?url={SET['url']}&system=urn:oid:1.2.3.4&code=red"
    assert _value(operate("GET", asked), "result") is False
    assert call("PUT", "NamingSystem/colours", naming).status == 201
    answer = operate("GET", asked)
    assert _value(answer, "result") is True and _value(answer, "system") == COLOURS
    assert _value(operate("GET", "CodeSystem/$lookup?system=urn:oid:1.2.3.4&code=red"), "display") == "Red"
    assert call("PUT", "NamingSystem/colours", {**naming, "status": "retired"}).status == 200
    assert _value(operate("GET", asked), "result") is False


def test_expand_nests_and_pages(operate: Operate) -> None:
    """The hierarchy is shown; a page is a plain list with the total of all."""
    whole = operate("GET", "ValueSet/warm/$expand")["expansion"]
    assert whole["contains"][0]["code"] == "warm" and whole["contains"][0]["contains"][0]["code"] == "red"
    page = operate("GET", "ValueSet/warm/$expand?count=1&offset=1")["expansion"]
    assert [one["code"] for one in page["contains"]] == ["red"] and page["total"] == 2


def test_lookup_and_subsumes(operate: Operate) -> None:
    """A stored code system tells the place of its codes."""
    found = operate("GET", f"CodeSystem/$lookup?system={COLOURS}&code=red")
    parents = [p for p in found["parameter"] if p["name"] == "property" and p["part"][0]["valueCode"] == "parent"]
    assert _value(found, "display") == "Red" and parents[0]["part"][1]["valueCode"] == "warm"
    for a, b, outcome in (("warm", "red", "subsumes"), ("red", "warm", "subsumed-by"), ("red", "blue", "not-subsumed")):
        answer = operate("GET", f"CodeSystem/$subsumes?system={COLOURS}&codeA={a}&codeB={b}")
        assert _value(answer, "outcome") == outcome


def test_translate_asks_the_stored_maps(call: Put, operate: Operate) -> None:
    """Without a name every stored map that fits is asked."""
    concept_map = {
        "resourceType": "ConceptMap", "id": "m", "url": "http://example.org/map", "status": "active",
        "group": [{"source": COLOURS, "target": "http://example.org/other",
                   "element": [{"code": "red", "target": [{"code": "R", "equivalence": "equal"}]}]}],
    }  # fmt: skip
    assert call("PUT", "ConceptMap/m", concept_map).status == 201
    found = operate("GET", f"ConceptMap/$translate?system={COLOURS}&code=red")
    match = next(p for p in found["parameter"] if p["name"] == "match")
    assert _value(found, "result") is True
    assert {p["name"]: p for p in match["part"]}["concept"]["valueCoding"]["code"] == "R"
    back = operate("GET", "ConceptMap/m/$translate?system=http://example.org/other&code=R&reverse=true")
    assert _value(back, "result") is True


def test_a_resource_as_the_body(operate: Operate) -> None:
    """A ValueSet that is posted is the one that is meant."""
    expansion = operate("POST", "ValueSet/$expand", {**SET, "id": "x"})["expansion"]
    assert expansion["total"] == 2


def test_what_is_not_known_is_refused(operate: Operate) -> None:
    """Parameters, value sets and codes that are not known are errors that say so."""
    for path in ("ValueSet/$expand?url=x&colour=red", "ValueSet/$expand?url=http://example.org/none",
                 f"CodeSystem/$lookup?system={COLOURS}&code=none", "ValueSet/$validate-code?url=x"):  # fmt: skip
        with pytest.raises(FhirError):
            operate("GET", path)


@pytest.mark.parametrize("broken", [
    {"name": "valueSet", "resource": {"resourceType": "ValueSet", "status": "active", "compose": []}},
    {"name": "valueSet", "resource": {"resourceType": "ValueSet", "compose": {"include": [7]}}},
    {"name": "tx-resource", "resource": {"resourceType": "CodeSystem", "url": COLOURS, "concept": {"code": 1}}},
    {"name": "coding", "valueCoding": {"code": {}, "system": []}},
    {"name": "codeableConcept", "valueCodeableConcept": {"coding": [[]]}},
])  # fmt: skip
def test_what_is_no_fhir_is_refused(operate: Operate, broken: Json) -> None:
    """Resources and values of a wrong shape are an error of the caller."""
    name = broken["name"]
    rest = [{"name": "url", "valueUri": f"{COLOURS}/warm"}] if name != "valueSet" else []
    rest += [{"name": "code", "valueCode": "red"}, {"name": "system", "valueUri": COLOURS}] if "co" not in name else []
    body = {"resourceType": "Parameters", "parameter": [broken, *rest]}
    with pytest.raises(FhirError):
        operate("POST", "ValueSet/$validate-code", body)


def test_what_is_known_of_terminology_is_told(call: Put) -> None:
    """`/metadata?mode=terminology` names the code systems that are here for good and the parameters that are taken."""
    told = json.loads(call("GET", "metadata?mode=terminology").body)
    assert told["resourceType"] == "TerminologyCapabilities"
    assert "http://unitsofmeasure.org" in {one["uri"] for one in told["codeSystem"]}
    assert {"count", "filter", "tx-resource"} <= {one["name"] for one in told["expansion"]["parameter"]}
    assert [p for p in check(told) if p.severity in ("error", "fatal")] == []


@pytest.mark.parametrize("kind", [[], [[], {}], {}, 7, None])
def test_a_body_of_no_type_is_refused(operate: Operate, kind: Any) -> None:
    """Whatever stands where the type should be."""
    with pytest.raises(FhirError):
        operate("POST", "ValueSet/$expand", {"resourceType": kind, "parameter": []})
