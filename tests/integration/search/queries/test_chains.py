"""Chains, `_has`, includes and order."""

from __future__ import annotations

import pytest

from server.access.caller import ANYBODY
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from tests.integration.search.queries.conftest import Call, asked, entry, ids, links, ref

CHAINS = {
    "Observation?subject.identifier=urn:i|same": "o4 o5",
    "Observation?subject.name=smith": "o1 o2 o3",
    "Observation?subject:Patient.name=smith": "o1 o2 o3",
    "Observation?patient.organization.name=general": "o1 o2",
    "Observation?patient.organization.partof.partof.partof.name=holding": "o1 o2",
    "Observation?has-member.patient.organization.partof._has:Organization:partof:name=gen": "o4",
    "Observation?patient.organization:Organization.name:exact=General": "",
    "Observation?patient.birthdate:missing=true": "",
    "Observation?patient.active:missing=true": "o1 o2 o3",
    "Observation?patient.gender:not=male": "o1 o2",
    "Observation?patient._id=bob": "o3",
    "Observation?patient._has:Condition:patient:code=x": "o1 o2",
    "Observation?has-member.has-member.patient.family=smith": "o5",
    "Patient?_has:Observation:patient:code=b": "ann",
    "Patient?_has:Observation:patient:performer.name=smith": "ann",
    "Patient?_has:Observation:patient:_has:Observation:has-member:code=a": "ann",
    "Patient?_has:Observation:subject:value-quantity=gt2": "bob",
    "Patient?_has:Observation:patient:code=a&_has:Condition:patient:code=x": "ann",
    "Practitioner?_has:Patient:general-practitioner:_has:Condition:subject:code=x": "doc",
    "Observation?_list=fav": "o2 o5",
    "Observation?_list=fav&code=b&value-quantity=5": "o5",
    "Observation?_list=nothing": "",
    "Patient?_list=fav": "",
    "Patient?gender=male,female": "ann bob cid",
    "Patient?gender=male,,": "bob cid",
    "Patient?gender=,": "ann bob cid",
    "Patient?gender=&family=jones": "cid",
}


def test_chains(stored: Call) -> None:
    """Chains and `_has`, nested and in each other, find what stands at their end."""
    for url in CHAINS:
        found = asked(stored, url + "&_total=accurate")
        assert (sorted(ids(found)), found["total"]) == (CHAINS[url].split(), len(CHAINS[url].split()))


INCLUDES = {
    "Observation?_id=o5&_include=Observation:has-member": "o4",
    "Observation?_id=o5&_include:iterate=Observation:has-member": "o1 o4",
    "Patient?_id=ann&_include=Patient:organization": "org",
    "Patient?_id=ann&_include=Patient:organization&_include:iterate=Organization:partof": "org top",  # a cycle
    "Patient?_id=ann&_include=*": "doc org",
    "Patient?_id=ann&_revinclude=*": "c1 o1 o2",
    "Patient?_id=ann&_revinclude=Observation:*": "o1 o2",
    "Patient?_id=ann&_revinclude=Observation:subject:Patient": "o1 o2",
    "Patient?_id=ann&_revinclude=Observation:subject:Group": "",
    "Patient?_id=ann&_revinclude=Observation:subject&_include:iterate=Observation:performer": "doc o1 o2",
    "Patient?_id=bob&_revinclude=Condition:patient&_include:iterate=Condition:asserter&_revinclude:iterate=Patient:general-practitioner":
        "ann c2 doc",
    "QuestionnaireResponse?_include=QuestionnaireResponse:questionnaire": "q",
    "QuestionnaireResponse?_include=QuestionnaireResponse:questionnaire:Questionnaire": "q",
    "QuestionnaireResponse?_include=QuestionnaireResponse:questionnaire:Patient": "",
}  # fmt: skip


def test_includes(stored: Call) -> None:
    """Includes follow references forth and back, again and again where asked, each once, and count for nothing."""
    for url in INCLUDES:
        found = asked(stored, url + "&_total=accurate")
        assert sorted(ids(found, "include")) == INCLUDES[url].split()
        assert found["total"] == len(ids(found)) == 1


def test_a_limit_on_includes_is_told(stored: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that could not include everything says so; one that could says nothing."""
    from server.search.query import Limits

    monkeypatch.setattr("server.interactions.search.Limits", lambda **given: Limits(**given, max_included=2))
    found = asked(stored, "Patient?_id=ann&_revinclude=*")
    assert len(ids(found, "include")) == 2
    outcome = found["entry"][-1]
    assert (outcome["search"]["mode"], outcome["resource"]["issue"][0]["code"]) == ("outcome", "incomplete")
    assert ids(asked(stored, "Patient?_id=ann&_include=*"), "outcome") == []


SORTS = {
    "Observation?_sort=patient.birthdate,_id": "o1 o2 o3 o4 o5",
    "Observation?_sort=-patient.birthdate,_id": "o3 o1 o2 o4 o5",
    "Observation?_sort=-subject:Patient.family,-_id": "o3 o2 o1 o5 o4",
    "Observation?_sort=date": "o3 o1 o2 o4 o5",
    "Observation?code=a&_sort=date": "o3 o1 o4",
    "Observation?code=a&_sort=-date": "o1 o3 o4",
    "Observation?code=a,b&_sort=-value-quantity": "o5 o4 o3 o2 o1",
    "Observation?_sort=code,-_id": "o4 o3 o1 o5 o2",
    "Patient?_sort=birthdate": "ann bob cid",
    "Patient?_sort=-birthdate": "bob ann cid",
    "Patient?_sort=family": "cid ann bob",
    "Patient?gender=male&_sort=-family": "bob cid",
    "?_type=Patient,Practitioner&_sort=-name,_id": "bob doc ann cid",
    "Observation?date=ge2020&date=lt2021&_sort=date": "o1",
    "Observation?code=a&date=le2020-12&_sort=-date": "o1 o3",
    "Observation?code=a&date=ge2020-02": "o3",
    "Observation?code=a&date=lt2019-12-31": "o3",
}


def test_sorts(stored: Call) -> None:
    """The order is that of the keys, in turn; what has no value comes last in either direction."""
    for url in SORTS:
        found = ids(asked(stored, url))
        expected = SORTS[url].split()
        if url.startswith("?_type=Patient,Practitioner"):
            assert found[0] == "bob"
            assert set(found[1:3]) == {"ann", "doc"}
            continue
        undated = {"o4", "o5"} if "date" in url and "birth" not in url else set()
        assert [name for name in found if name not in undated] == [name for name in expected if name not in undated]
        assert set(found) == set(expected)
        assert set(found[len(found) - len(undated & set(found)) :]) == undated & set(found)


def test_a_page_holds_while_others_write(fhir: Fhir, stored: Call) -> None:
    """Writers change, add and delete between the pages of a search of several types: what stays is seen once."""
    seen: list[str] = []
    url = "?_type=Observation,Condition,Patient&_count=2"
    for n in range(20):
        bundle = asked(stored, url)
        seen += ids(bundle)
        stored("PUT", f"Patient/x{n}", entry("Patient", f"x{n}"))
        stored("PUT", "Patient/bob", entry("Patient", "bob", birthDate=f"19{n + 20}"))
        stored("PUT", f"Condition/a{n}", entry("Condition", f"a{n}", subject=ref("Patient/ann")))
        if n == 1:
            fhir.handle_sync(Request(caller=ANYBODY, method="DELETE", path=("Observation", "o5")))
        if "next" not in links(bundle):
            break
        url = links(bundle)["next"]
    kept = [name for name in seen if name in {"ann", "bob", "cid", "c1", "c2", "o1", "o2", "o3", "o4"}]
    assert sorted(kept) == ["ann", "bob", "c1", "c2", "cid", "o1", "o2", "o3", "o4"]
    assert len(seen) == len(set(seen))
