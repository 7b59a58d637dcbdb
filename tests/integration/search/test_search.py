"""Promises of search beyond its results: unknown parameters, pages, includes, totals, limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest

from fhir_profiles.errors import Category, FhirError
from server.access.caller import ANYBODY
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.search.query import Limits
from server.settings import Settings
from server.store import open_store

Call = Callable[..., Response]
BASE = "http://test/fhir/"


def _search(call: Call, url: str, **more: str) -> dict[str, Any]:
    return json.loads(call("GET", url, **more).body)


def _links(bundle: dict[str, Any]) -> dict[str, str]:
    return {link["relation"]: link["url"].removeprefix(BASE) for link in bundle["link"]}


def _ids(bundle: dict[str, Any], mode: str = "match") -> list[str]:
    return [e["resource"]["id"] for e in bundle.get("entry", ()) if e["search"]["mode"] == mode]


def _patient(n: int, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": f"p{n:03}", "birthDate": f"19{n % 90 + 10}-01-01", **more}


def _observation(n: int, subject: str, date: str = "2020-01-01") -> dict[str, Any]:
    code = {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]}
    return {
        "resourceType": "Observation",
        "id": f"o{n:03}",
        "status": "final",
        "code": code,
        "subject": {"reference": f"Patient/{subject}"},
        "effectiveDateTime": date,
    }


def _put(call: Call, resource: dict[str, Any]) -> None:
    call("PUT", f"{resource['resourceType']}/{resource['id']}", resource)


def test_an_unknown_parameter_is_never_silent(call: Call) -> None:
    """Strict: refused by name. Lenient or unsaid: an outcome in the Bundle, and a self link without it."""
    _put(call, _patient(1))
    for url in ("Patient?colour=red&birthdate=1911", "Patient?_has:Colour:x:y=1&birthdate=1911"):
        with pytest.raises(FhirError) as refused:
            call("GET", url, prefer="handling=strict")
        assert refused.value.category is Category.UNSUPPORTED
        assert "colour" in refused.value.problems[0].text or "_has" in refused.value.problems[0].text
        for prefer in ("", "handling=lenient"):
            bundle = _search(call, url, prefer=prefer)
            assert _ids(bundle) == ["p001"]
            outcome = bundle["entry"][-1]
            assert (outcome["search"]["mode"], outcome["resource"]["resourceType"]) == ("outcome", "OperationOutcome")
            assert _links(bundle)["self"] == "Patient?birthdate=1911"


@pytest.mark.parametrize(
    "query",
    [
        "birthdate=soon",
        "birthdate=2020-02-30",
        "birthdate.x=1",
        "active:missing=2",
        "_count=-1",
        "_total=maybe",
        "_include=Patient",
        "_include=Patient:birthdate",
        "_cursor=abc",
        "_has:Patient=1",
    ],
)
def test_a_wrong_value_is_refused(call: Call, query: str) -> None:
    """A known parameter with a value that means nothing is an error in either handling."""
    with pytest.raises(FhirError) as refused:
        call("GET", f"Patient?{query}")
    assert refused.value.category is Category.INCORRECT


@pytest.mark.parametrize("sort", ["", "birthdate", "-birthdate", "_lastUpdated", "-_id"])
def test_pages_are_stable_under_writes(call: Call, sort: str) -> None:
    """While others create, change and delete, what was there before and stays is seen exactly once."""
    for n in range(30):
        _put(call, _patient(n))
    url, seen, page = f"Patient?_count=4{f'&_sort={sort}' if sort else ''}", [], 0
    while url:
        bundle = _search(call, url)
        seen += _ids(bundle)
        url = _links(bundle).get("next", "")
        page += 1
        _put(call, _patient(100 + page))
        _put(call, _patient(200 - page))
        if sort != "_lastUpdated":  # a change moves a resource to the end of that order
            call("PUT", "Patient/p000", _patient(0, active=bool(page % 2)))
        call("DELETE", "Patient/p029")
    before = [name for name in seen if name < "p029"]
    assert len(seen) == len(set(seen))
    assert sorted(before) == [f"p{n:03}" for n in range(29)]


def test_pages_inside_one_code(call: Call) -> None:
    """The pages of a code come newest first, join without gap where dates are equal, and a new match moves none."""
    for n in range(20):
        _put(call, _observation(n, "a", f"2020-01-{n // 4 + 1:02}"))
    url, seen = "Observation?code=http://loinc.org|8480-6&_count=3", []
    while url:
        bundle = _search(call, url)
        seen += _ids(bundle)
        url = _links(bundle).get("next", "")
        _put(call, _observation(100 + len(seen), "a", "2021-01-01"))
    assert sorted(seen) == [f"o{n:03}" for n in range(20)]
    assert [n // 4 for n in (int(name[1:]) for name in seen)] == sorted((n // 4 for n in range(20)), reverse=True)


def test_a_cursor_belongs_to_its_search(call: Call) -> None:
    """The next link of one search is refused in another."""
    for n in range(3):
        _put(call, _patient(n))
    cursor = dict(parse_qsl(_links(_search(call, "Patient?_count=1"))["next"].partition("?")[2]))["_cursor"]
    with pytest.raises(FhirError):
        call("GET", f"Patient?birthdate=gt1900&_count=1&_cursor={cursor}")
    assert _ids(_search(call, f"Patient?_count=1&_cursor={cursor}")) == ["p001"]


def test_totals_are_given_as_asked(call: Call) -> None:
    """`_total=accurate` counts all; `none` only tells what the page shows anyway; `_summary=count` tells only that."""
    for n in range(5):
        _put(call, _patient(n))
    assert _search(call, "Patient?_count=2&_total=accurate")["total"] == 5
    assert _search(call, "Patient?_count=2&_total=estimate")["total"] == 5
    assert "total" not in _search(call, "Patient?_count=2")
    assert _search(call, "Patient?_count=9")["total"] == 5
    for url in ("Patient?_summary=count", "Patient?_count=0&_total=accurate"):
        assert (_search(call, url)["total"], _ids(_search(call, url))) == (5, [])


def test_includes_come_once_and_apart(call: Call) -> None:
    """_include and _revinclude add resources in mode include, each once, also by wildcard and from a type."""
    _put(call, _patient(1, managingOrganization={"reference": "Organization/o"}))
    _put(call, {"resourceType": "Organization", "id": "o", "name": "O"})
    for n in range(3):
        _put(call, _observation(n, "p001"))
    for include in ("Observation:subject", "Observation:subject:Patient", "Observation:*", "*"):
        bundle = _search(call, f"Observation?_include={include}")
        assert (len(_ids(bundle)), _ids(bundle, "include")) == (3, ["p001"])
    assert _ids(_search(call, "Observation?_include=Observation:subject:Group"), "include") == []
    both = _search(call, "Observation?_include=Observation:subject&_include:iterate=Patient:organization")
    assert sorted(_ids(both, "include")) == ["o", "p001"]
    for include in ("Observation:subject", "Observation:*", "Observation:patient"):
        bundle = _search(call, f"Patient?_id=p001&_revinclude={include}")
        assert sorted(_ids(bundle, "include")) == ["o000", "o001", "o002"]
    call("DELETE", "Patient/p001")
    assert _ids(_search(call, "Observation?_include=Observation:subject"), "include") == []


def test_an_update_changes_what_is_found(call: Call) -> None:
    """Old values find a resource no more, new ones do."""
    _put(call, _patient(1, name=[{"family": "Before"}]))
    _put(call, _patient(1, name=[{"family": "After"}]))
    assert _ids(_search(call, "Patient?family=before")) == []
    assert _ids(_search(call, "Patient?family=after")) == ["p001"]


def test_references_of_every_form_are_found(call: Call) -> None:
    """`Type/id`, id, typed id and our absolute URL find the same; an absolute URL of ours is stored as ours."""
    _put(call, _observation(1, "p001"))
    other = _observation(2, "x")
    other["subject"] = {"reference": f"{BASE}Patient/p001"}
    _put(call, other)
    for value in ("subject=Patient/p001", "subject=p001", "subject:Patient=p001", f"subject={BASE}Patient/p001",
                  "patient=p001", "patient=Patient/p001"):  # fmt: skip
        assert sorted(_ids(_search(call, f"Observation?{value}"))) == ["o001", "o002"], value
    assert _ids(_search(call, "Observation?subject:Group=p001")) == []


def test_search_by_post(call: Call) -> None:
    """POST _search takes parameters from its form and from the URL."""
    _put(call, _patient(1))
    form = "application/x-www-form-urlencoded"
    bundle = json.loads(call("POST", "Patient/_search?_count=5", b"birthdate=1911-01-01", content_type=form).body)
    assert _ids(bundle) == ["p001"]
    assert _links(bundle)["self"] == "Patient?_count=5&birthdate=1911-01-01"


def test_every_search_has_limits(call: Call, settings: Settings) -> None:
    """Too many values or parameters are refused; a page never exceeds the most that the settings allow."""
    limits = Limits()
    for url in (
        "Patient?_id=" + ",".join(map(str, range(limits.max_values + 1))),
        "Patient?" + "&".join(["active=true"] * (limits.max_conditions + 1)),
        "Patient?_sort=" + ",".join(["_id"] * (limits.max_sorts + 1)),
    ):
        with pytest.raises(FhirError) as refused:
            call("GET", url)
        assert refused.value.problems[0].code == "too-costly"
    assert _search(call, f"Patient?_count={settings.max_count + 1}")["total"] == 0


def test_a_search_that_takes_too_long_ends(database_url: str, settings: Settings) -> None:
    """The statement timeout ends a search with an error that says what to do."""
    fhir = Fhir(open_store(database_url, create=False, statement_seconds=0.05), settings)
    body = json.dumps(_patient(1)).encode()
    fhir.handle_sync(Request(caller=ANYBODY, method="PUT", path=("Patient", "p001"), body=body))
    slow = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 30000000) SELECT count(*) FROM n"
    try:
        with pytest.raises(FhirError) as refused:
            fhir._read(lambda view: view.query(slow))
        assert refused.value.problems[0].code == "too-costly"
        assert fhir.store.read("Patient", "p001") is not None
    finally:
        fhir.store.close()


def test_long_or_lists_find_all(call: Call) -> None:
    """Hundreds of values in one parameter are one array match."""
    for n in range(5):
        _put(call, _patient(n, identifier=[{"system": "urn:mrn", "value": str(n)}]))
    values = ",".join(f"urn:mrn|{n}" for n in range(500))
    assert len(_ids(_search(call, f"Patient?identifier={values}"))) == 5
    assert len(_ids(_search(call, "Patient?_id=" + ",".join(f"p{n:03}" for n in range(500))))) == 5
