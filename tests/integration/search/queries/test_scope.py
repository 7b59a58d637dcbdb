"""Compartments, the whole system, and pages over several types."""

from __future__ import annotations

import json

import pytest

from fhir_profiles.errors import Category, FhirError
from tests.integration.search.queries.conftest import Call, asked, ids, links

COMPARTMENTS = {
    "Patient/ann/Observation": "o1 o2",
    "Patient/ann/Observation?code=a": "o1",
    "Patient/ann/Condition?_has:Observation:subject:code=a": "",
    "Patient/ann/*": "ann c1 o1 o2",
    "Patient/ann/*?_type=Condition,Observation": "c1 o1 o2",
    "Patient/ann/Patient": "ann",
    "Patient/nobody/Observation": "",
    "Practitioner/doc/Observation": "o1",
    "Practitioner/doc/*": "ann c2 doc o1",
    "Device/dev/Observation": "o5",
}


def test_compartments(stored: Call) -> None:
    """A compartment holds what one of its parameters puts there, and the resource that it is of."""
    for url in COMPARTMENTS:
        if "_has" in url:
            with pytest.raises(FhirError):  # no Observation.subject is a Condition
                asked(stored, url)
            continue
        found = asked(stored, url)
        assert sorted(ids(found)) == COMPARTMENTS[url].split()
        assert links(found)["self"].startswith(url.partition("?")[0])


def test_a_compartment_that_is_none(call: Call) -> None:
    """Only five types have a compartment, and only some types are in one."""
    for url in ("Organization/x/Patient", "Patient/x/Organization"):
        with pytest.raises(FhirError) as refused:
            call("GET", url)
        assert refused.value.category is Category.NOT_FOUND


def test_compartments_are_searched_by_post(stored: Call) -> None:
    """`POST Patient/ann/Observation/_search` and `POST _search` take a form."""
    form = {"content_type": "application/x-www-form-urlencoded"}
    assert ids(json.loads(stored("POST", "Patient/ann/Observation/_search", b"code=a", **form).body)) == ["o1"]
    found = json.loads(stored("POST", "_search", b"_type=Condition&subject=Patient/bob", **form).body)
    assert ids(found) == ["c2"]
    found = json.loads(stored("POST", "Patient/_search", b"_id=ann&_elements=gender", **form).body)
    assert ("gender" in found["entry"][0]["resource"], "name" in found["entry"][0]["resource"]) == (True, False)


SYSTEM = {
    "?_type=Observation,Condition&patient=ann": "c1 o1 o2",
    "?_type=Observation,Condition&patient.gender=female": "c1 o1 o2",
    "?_type=Observation,Condition&code=a,x": "c1 o1 o3 o4",
    "?_type=Questionnaire": "q",
    "?_type=Questionnaire,Schedule": "q",
    "?_id=ann,o1,org": "ann o1 org",
    "?_list=fav": "o2 o5",
    "?_type=Observation,Condition&_filter=patient eq ann": "c1 o1 o2",
}


def test_the_whole_system(stored: Call) -> None:
    """Several types are searched by what all of them know."""
    for url in SYSTEM:
        found = asked(stored, url.replace(" ", "%20") + "&_total=accurate")
        assert sorted(ids(found)) == SYSTEM[url].split()
        assert found["total"] == len(ids(found))


PAGED = ["?_type=Observation,Condition,Patient", "?_type=Observation,Patient&_sort=-_lastUpdated", "Patient/ann/*",
     "?_type=Observation,Condition&_sort=-code,_id", "Observation?_sort=date", "Observation?code=a",
     "Observation?code=a,b",
     "Observation?_sort=-patient.family", "Observation?subject:missing=false", "Patient?_sort=family",
     "Observation?date=gt2019", "Observation?value-quantity=gt0&_sort=-value-quantity,code",
     "Observation?code=a&_sort=date", "Observation?value-quantity=gt0",
     "Patient?name=s", "Observation?_has:Observation:has-member:code=a,b"]  # fmt: skip


def test_pages_lead_forth_and_back(stored: Call) -> None:
    """next and previous walk over the same pages; first is where it began; all pages together are one long one."""
    for url in PAGED:
        mark = "&" if "?" in url else "?"
        whole = ids(asked(stored, f"{url}{mark}_count=1000"))
        for count in (1, 2):
            pages, at = [], f"{url}{mark}_count={count}"
            bundle = asked(stored, at)
            assert "previous" not in links(bundle)
            pages.append(ids(bundle))
            while "next" in links(bundle):
                bundle = asked(stored, links(bundle)["next"])
                pages.append(ids(bundle))
                assert ids(asked(stored, links(bundle)["first"])) == pages[0]
            assert [name for page in pages for name in page] == whole
            for page in reversed(pages[:-1]):
                bundle = asked(stored, links(bundle)["previous"])
                assert ids(bundle) == page
            assert "previous" not in links(bundle)
