"""What a transaction holds to (https://hl7.org/fhir/R4/http.html#trules)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fhir_profiles.errors import Category, FhirError
from server.http.errors import status_of
from server.interactions import create
from server.interactions.exchange import Response

Call = Callable[..., Response]
BASE = "http://test/fhir/"
URN = "urn:uuid:11111111-1111-4111-8111-111111111111"
OID = "urn:oid:1.2.3.4"


def _entry(
    method: str, url: str, resource: dict[str, Any] | None = None, full_url: str = "", **more: str
) -> dict[str, Any]:
    entry: dict[str, Any] = {"request": {"method": method, "url": url, **more}}
    if resource:
        entry["resource"] = resource
    if full_url:
        entry["fullUrl"] = full_url
    return entry


def _send(call: Call, *entries: dict[str, Any], kind: str = "transaction", **more: Any) -> list[dict[str, Any]]:
    bundle = {"resourceType": "Bundle", "type": kind, "entry": list(entries)}
    return json.loads(call("POST", "", bundle, **more).body)["entry"]


def _refused(call: Call, *entries: dict[str, Any]) -> FhirError:
    with pytest.raises(FhirError) as refused:
        _send(call, *entries)
    return refused.value


def _patient(name: str = "", number: str = "", **more: Any) -> dict[str, Any]:
    given = {"identifier": [{"system": "urn:mrn", "value": number}]} if number else {}
    return {"resourceType": "Patient", **({"id": name} if name else {}), **given, **more}


def _observation(subject: str, **more: Any) -> dict[str, Any]:
    code = {"text": "x"}
    return {"resourceType": "Observation", "status": "final", "code": code, "subject": {"reference": subject}, **more}


def _where(entry: dict[str, Any]) -> str:
    return "/".join(entry["response"]["location"].split("/")[-4:-2])


def _read(call: Call, entry: dict[str, Any]) -> dict[str, Any]:
    return json.loads(call("GET", _where(entry)).body)


@pytest.mark.parametrize("urn", [URN, OID])
def test_a_reference_to_no_entry_is_refused(call: Call, urn: str) -> None:
    """A urn that is the fullUrl of no entry would be stored as a link that means nothing: refused, with its place."""
    there = _entry("PUT", "Patient/p", _patient("p"))
    error = _refused(call, there, _entry("POST", "Observation", _observation(urn)))
    assert (error.category, error.problems[0].expression) == (Category.INCORRECT, "Bundle.entry[1].resource")
    _refused(call, there, _entry("DELETE", "Patient/q", full_url=urn), _entry("POST", "Observation", _observation(urn)))
    patient, observation = _send(
        call, _entry("POST", "Patient", _patient(), urn), _entry("POST", "Observation", _observation(urn)), kind="batch"
    )
    assert [entry["response"]["status"][:3] for entry in (patient, observation)] == ["201", "400"]


def test_what_only_looks_like_a_link_stays(call: Call) -> None:
    """Identifiers and systems may be urns of any kind; a document Bundle keeps the links between its own entries."""
    system = {"identifier": [{"system": "urn:oid:1.2.36.146", "value": "urn:uuid:0"}]}
    inner = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": OID, "resource": _patient()}, {"fullUrl": URN, "resource": _observation(OID)}],
    }
    stored = _send(call, _entry("POST", "Patient", _patient(**system)), _entry("POST", "Bundle", inner))
    assert _read(call, stored[0])["identifier"] == system["identifier"]
    assert _read(call, stored[1])["entry"][1]["resource"]["subject"]["reference"] == OID


def test_relative_links_follow_the_full_urls_of_their_server(call: Call) -> None:
    """Where full URLs name a server, a relative link from one of its resources means another of its entries."""
    there = "https://other.example/fhir"
    observation = _observation("Patient/7", performer=[{"reference": f"{there}/Patient/7#part"}])
    stored = _send(
        call,
        _entry("POST", "Patient", _patient("7"), f"{there}/Patient/7"),
        _entry("POST", "Observation", observation, f"{there}/Observation/1"),
        _entry("POST", "Observation", _observation("Patient/7"), URN),
    )
    patient = _where(stored[0])
    assert patient != "Patient/7"
    found = _read(call, stored[1])
    assert (found["subject"]["reference"], found["performer"][0]["reference"]) == (patient, f"{patient}#part")
    assert _read(call, stored[2])["subject"]["reference"] == "Patient/7"


def test_conditional_references_find_what_the_bundle_makes(call: Call) -> None:
    """By the criteria of an entry, or by looking once the other entries are written; several matches are 412."""
    stored = _send(
        call,
        _entry("POST", "Observation", _observation("Patient?identifier=urn:mrn|1")),
        _entry("POST", "Observation", _observation("Patient?gender=other")),
        _entry("POST", "Patient", _patient(number="1", gender="other"), ifNoneExist="identifier=urn:mrn|1"),
    )
    assert {_read(call, entry)["subject"]["reference"] for entry in stored[:2]} == {_where(stored[2])}
    call("PUT", "Patient/q", _patient("q", gender="other"))
    error = _refused(call, _entry("POST", "Observation", _observation("Patient?gender=other")))
    assert (status_of(error), error.problems[0].expression) == (412, "Bundle.entry[0].resource")
    error = _refused(call, _entry("POST", "Observation", _observation("Patient?gender=unknown")))
    assert (status_of(error), error.problems[0].expression) == (412, "Bundle.entry[0].resource")


def test_one_identity_is_written_once(call: Call) -> None:
    """Two entries about one resource are refused, by their URLs, by their criteria, or by what these find."""
    call("PUT", "Patient/p", _patient("p", "1", gender="male"))
    put = _entry("PUT", "Patient/p", _patient("p"))
    by_query = _entry("PUT", "Patient?identifier=urn:mrn|1", _patient(number="1"))
    create_one = _entry("POST", "Patient", _patient(number="2"), ifNoneExist="identifier=urn:mrn|2")
    for first, second in (
        (put, _entry("DELETE", "Patient/p")),
        (put, put),
        (by_query, by_query),
        (create_one, create_one),
        (put, by_query),
        (put, _entry("DELETE", "Patient?gender=male")),
        (by_query, _entry("PUT", "Patient?gender=male", _patient(number="1"))),
    ):
        assert status_of(_refused(call, first, second)) in (400, 409)
        assert call("GET", "Patient/p").etag == 'W/"1"'


def test_deletes_come_before_what_looks_for_them(call: Call) -> None:
    """DELETE is first: a conditional create beside it does not find what it ends."""
    call("PUT", "Patient/p", _patient("p", "1"))
    made, ended = _send(
        call,
        _entry("POST", "Patient", _patient(number="1"), ifNoneExist="identifier=urn:mrn|1"),
        _entry("DELETE", "Patient?identifier=urn:mrn|1"),
    )
    assert (made["response"]["status"], ended["response"]["status"]) == ("201 Created", "204 No Content")
    assert json.loads(call("GET", "Patient?_summary=count").body)["total"] == 1


def test_a_conditional_create_that_finds_its_resource_is_its_answer(call: Call) -> None:
    """200 with the place of what is there, which links in the Bundle follow."""
    call("PUT", "Patient/p", _patient("p", "1"))
    found, made = _send(
        call,
        _entry("POST", "Patient", _patient(number="1"), URN, ifNoneExist="identifier=urn:mrn|1"),
        _entry("POST", "Observation", _observation(URN)),
    )
    assert found["response"]["status"] == "200 OK"
    assert (_where(found), _read(call, made)["subject"]["reference"]) == ("Patient/p", "Patient/p")
    assert call("GET", "Patient/p").etag == 'W/"1"'


def test_every_verb_is_answered_in_its_place(call: Call) -> None:
    """Reads see the writes; HEAD has no body; answers stand in the order of the entries, with ETag and location."""
    call("PUT", "Patient/old", _patient("old"))
    answers = _send(
        call,
        _entry("HEAD", "Patient/new"),
        _entry("GET", "Patient/new"),
        _entry("GET", "Patient/new/_history"),
        _entry("POST", "Patient/_search?_id=new"),
        _entry("GET", "?_type=Patient&_id=new"),
        _entry("DELETE", "Patient/old"),
        _entry("PUT", "Patient/new", _patient("new")),
        _entry("POST", "Patient", _patient()),
        _entry("GET", f"{BASE}Patient/old/_history/1"),
        _entry("GET", "Patient/new", ifNoneMatch='W/"1"'),
    )
    statuses = [entry["response"]["status"][:3] for entry in answers]
    assert statuses == ["200", "200", "200", "200", "200", "204", "201", "201", "200", "304"]
    assert "resource" not in answers[0]
    assert [answers[n]["resource"].get("type") for n in (2, 3, 4)] == ["history", "searchset", "searchset"]
    assert answers[6]["response"]["etag"] == 'W/"1"'
    assert answers[6]["response"]["location"] == f"{BASE}Patient/new/_history/1"
    assert "resource" not in answers[6]


def test_prefer_holds_for_each_entry(call: Call) -> None:
    """`return=representation` brings the resources with their full URLs, `OperationOutcome` the outcomes."""
    (made,) = _send(call, _entry("POST", "Patient", _patient()), prefer="return=representation")
    assert made["fullUrl"] == f"{BASE}Patient/{made['resource']['id']}"
    (made,) = _send(call, _entry("POST", "Patient", _patient()), prefer="return=OperationOutcome")
    assert made["response"]["outcome"]["resourceType"] == "OperationOutcome"


def test_a_fault_in_a_batch_is_one_answer(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry on which the server itself fails is answered 500, and the others as if nothing were."""

    def fail(*_: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(create, "prepare", fail)
    answers = _send(
        call, _entry("POST", "Patient", _patient()), _entry("PUT", "Patient/p", _patient("p")), kind="batch"
    )
    assert [entry["response"]["status"][:3] for entry in answers] == ["500", "201"]
    assert "broken" not in json.dumps(answers)
