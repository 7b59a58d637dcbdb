"""Conditional interactions and preconditions (https://hl7.org/fhir/R4/http.html#cond-update)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fhir_profiles.errors import FhirError
from server.access.caller import ANYBODY
from server.http.errors import status_of
from server.interactions import delete
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.settings import Settings
from server.store import Store

Call = Callable[..., Response]


def _status(call: Call, *args: Any, **more: Any) -> int:
    """The status of a request, refused or not."""
    try:
        return call(*args, **more).status
    except FhirError as error:
        return status_of(error)


def _patient(name: str = "", number: str = "", **more: Any) -> dict[str, Any]:
    given = {"identifier": [{"system": "urn:mrn", "value": number}]} if number else {}
    return {"resourceType": "Patient", **({"id": name} if name else {}), **given, **more}


def _total(call: Call, query: str = "Patient?_summary=count") -> int:
    return json.loads(call("GET", query).body)["total"]


def test_a_conditional_delete_ends_every_match(call: Call) -> None:
    """DELETE with a query ends all that it finds and nothing else; finding none is fine."""
    for n in range(3):
        call("PUT", f"Patient/m{n}", _patient(f"m{n}", gender="male"))
    call("PUT", "Patient/f", _patient("f", gender="female"))
    answer = call("DELETE", "Patient?gender=male", prefer="return=OperationOutcome")
    assert (answer.status, b"3 resources" in answer.body) == (200, True)
    assert _total(call) == 1
    assert _status(call, "GET", "Patient/m1") == 410
    assert _status(call, "DELETE", "Patient?gender=male") == 204


def test_a_conditional_delete_has_a_limit(store: Store, settings: Settings) -> None:
    """Beyond the limit nothing is deleted; with a limit of one, several matches are 412."""
    for limit, status in ((1, 412), (2, 413)):
        fhir = Fhir(store, settings.model_copy(update={"max_conditional_delete": limit}))
        for n in range(3):
            body = json.dumps(_patient(f"m{n}", gender="male")).encode()
            fhir.handle_sync(Request(caller=ANYBODY, method="PUT", path=("Patient", f"m{n}"), body=body))
        with pytest.raises(FhirError) as refused:
            fhir.handle_sync(Request(caller=ANYBODY, method="DELETE", path=("Patient",), query=(("gender", "male"),)))
        assert status_of(refused.value) == status
    assert store.query("SELECT count(*) FROM resource WHERE change <> 'D'") == [(3,)]


def test_a_conditional_delete_can_go_in_parts(fhir: Fhir, call: Call) -> None:
    """`run_part` ends as many as it is told and says how many, until there are none."""
    for n in range(5):
        call("PUT", f"Patient/m{n}", _patient(f"m{n}", gender="male"))
    request = Request(caller=ANYBODY, method="DELETE", path=("Patient",), query=(("gender", "male"),))
    parts = [fhir.store.write_sync(lambda tx: delete.run_part(fhir, tx, request, 2)) for _ in range(4)]
    assert parts == [2, 2, 1, 0]


@pytest.mark.parametrize("query", ["_count=5", "_sort=birthdate", "gender=", "_summary=true", "_include=Patient:link"])
def test_criteria_that_leave_nothing_out_are_refused(call: Call, query: str) -> None:
    """Parameters that only shape a result are no criteria: such a delete would mean every resource."""
    call("PUT", "Patient/p", _patient("p"))
    for method, body in (("DELETE", None), ("PUT", _patient()), ("PATCH", b"[]")):
        assert _status(call, method, f"Patient?{query}", body, content_type="application/json-patch+json") == 400
    assert _status(call, "POST", "Patient", _patient(), if_none_exist=query) == 400
    assert _total(call) == 1


@pytest.mark.parametrize("shape", ["_count=1", "_sort=-birthdate", "_elements=id"])
def test_what_shapes_an_answer_is_no_criterion(call: Call, shape: str) -> None:
    """`DELETE Patient?gender=male&_count=1` does not end every match: it is refused."""
    for n in range(2):
        call("PUT", f"Patient/m{n}", _patient(f"m{n}", gender="male"))
    assert _status(call, "DELETE", f"Patient?gender=male&{shape}") == 400
    assert _total(call) == 2


def test_criteria_are_read_whole(call: Call) -> None:
    """A type before the query must be the one that is written, and a question mark may stand in a value."""
    number = {"identifier": [{"system": "http://x.org/?a", "value": "1"}]}
    for criteria in ("identifier=http://x.org/?a|1", "Patient?identifier=http://x.org/?a|1"):
        for status in (201, 200):
            assert _status(call, "POST", "Patient", _patient(**number), if_none_exist=criteria) == status
        call("DELETE", "Patient?identifier=http://x.org/?a|1")
    assert _status(call, "POST", "Patient", _patient(), if_none_exist="Observation?identifier=7") == 400
    assert _total(call) == 0


def test_an_unknown_criterion_is_refused_whatever_is_preferred(call: Call) -> None:
    """A conditional write never leaves out a criterion that it does not know, not even when lenient."""
    call("PUT", "Patient/p", _patient("p", gender="male"))
    for method, body in (("DELETE", None), ("PUT", _patient())):
        assert _status(call, method, "Patient?gender=male&colour=red", body, prefer="handling=lenient") == 400


def test_if_match_holds_for_every_write(call: Call) -> None:
    """PUT, PATCH and DELETE, by id or by query, are refused with 412 when the version is another."""
    call("PUT", "Patient/p", _patient("p", "1"))
    call("PUT", "Patient/p", _patient("p", "1", gender="male"))
    patch = b'[{"op":"replace","path":"/gender","value":"other"}]'
    for place in ("Patient/p", "Patient?identifier=urn:mrn|1"):
        for method, body in (("PUT", _patient("p", "1")), ("PATCH", patch), ("DELETE", None)):
            more = {"content_type": "application/json-patch+json"} if method == "PATCH" else {}
            assert _status(call, method, place, body, if_match='W/"1"', **more) == 412
    assert (
        _status(call, "PATCH", "Patient/p", patch, if_match='W/"2"', content_type="application/json-patch+json") == 200
    )
    assert _status(call, "PUT", "Patient/p", _patient("p", "1"), if_match='"7", W/"3"') == 200
    assert _status(call, "DELETE", "Patient?identifier=urn:mrn|1", if_match='W/"4"') == 204
    assert _status(call, "PUT", "Patient/none", _patient("none"), if_match='W/"1"') == 412


def test_changes_can_be_made_to_name_their_version(store: Store, settings: Settings) -> None:
    """With `require_if_match`, a change of what exists answers 428 without If-Match, in Bundles too."""
    fhir = Fhir(store, settings.model_copy(update={"require_if_match": True}))

    def ask(method: str, body: bytes = b"", **more: Any) -> int:
        try:
            return fhir.handle_sync(
                Request(caller=ANYBODY, method=method, path=("Patient", "p"), body=body, **more)
            ).status
        except FhirError as error:
            return status_of(error)

    body = json.dumps(_patient("p")).encode()
    patch = {"body": b"[]", "content_type": "application/json-patch+json"}
    assert ask("PUT", body) == 201
    assert [ask("PUT", body), ask("DELETE"), ask("PATCH", **patch)] == [428, 428, 428]
    entry = {"resource": _patient("p"), "request": {"method": "PUT", "url": "Patient/p"}}
    bundle = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": [entry]}).encode()
    with pytest.raises(FhirError) as refused:
        fhir.handle_sync(Request(caller=ANYBODY, method="POST", body=bundle))
    assert status_of(refused.value) == 428
    assert (
        fhir.store.write_sync(lambda tx: fhir.handle_in(tx, Request(caller=ANYBODY, method="POST", body=bundle))).status
        == 200
    )
    assert ask("DELETE", if_match='W/"1"') == 204
    assert ask("PUT", body) == 201


def test_conditional_read(call: Call) -> None:
    """If-None-Match takes a list and `*`; If-Modified-Since counts seconds; the first wins over the second."""
    call("PUT", "Patient/p", _patient("p"))
    read = call("GET", "Patient/p")
    assert _status(call, "GET", "Patient/p", if_none_match='W/"9", W/"1"') == 304
    assert _status(call, "GET", "Patient/p", if_none_match="*") == 304
    assert _status(call, "GET", "Patient/p", if_none_match='W/"2"', if_modified_since=read.last_modified) == 200
    assert _status(call, "GET", "Patient/p", if_modified_since="Sun, 06 Nov 1994 08:49:37 GMT") == 200
    assert _status(call, "GET", "Patient/p", if_modified_since="Sun, 06 Nov 2094 08:49:37 -0000") == 304
    assert _status(call, "GET", "Patient/p", if_modified_since="yesterday") == 200
    assert _status(call, "GET", "Patient/p/_history/1", if_none_match='W/"1"') == 304


def test_only_the_first_makes_it(call: Call) -> None:
    """PUT with If-None-Match: * creates, and is refused once the resource exists; after a delete it creates again."""
    assert _status(call, "PUT", "Patient/p", _patient("p"), if_none_match="*") == 201
    assert _status(call, "PUT", "Patient/p", _patient("p"), if_none_match="*") == 412
    call("DELETE", "Patient/p")
    assert _status(call, "PUT", "Patient/p", _patient("p"), if_none_match="*") == 201


def test_what_is_gone_tells_its_version(call: Call) -> None:
    """410 comes with the ETag of the version that ended the resource, for a read and for a read of that version."""
    call("PUT", "Patient/p", _patient("p"))
    call("DELETE", "Patient/p")
    for path in ("Patient/p", "Patient/p/_history/2"):
        with pytest.raises(FhirError) as gone:
            call("GET", path)
        assert status_of(gone.value) == 410
        assert (b"etag", b'W/"2"') in gone.value.headers
    assert _status(call, "GET", "Patient/p/_history/1") == 200


def test_an_update_says_all_of_meta_but_version_and_time(call: Call) -> None:
    """Tags, labels and profiles are those of the update: what it leaves out is gone; version and time are ours."""
    tag = {"system": "urn:tags", "code": "a"}
    sent = _patient("p", meta={"versionId": "77", "lastUpdated": "2001-01-01T00:00:00Z", "tag": [tag]})
    meta = json.loads(call("PUT", "Patient/p", sent).body)["meta"]
    assert (meta["versionId"], meta["tag"]) == ("1", [tag])
    assert not meta["lastUpdated"].startswith("2001")
    assert "tag" not in json.loads(call("PUT", "Patient/p", _patient("p")).body)["meta"]


def test_conditional_writes_wait_for_the_identifiers_that_they_name(call: Call) -> None:
    """Criteria that name one identifier in other words find what the first of them made."""
    first = call("POST", "Patient", _patient(number="1", active=True), if_none_exist="identifier=urn:mrn|1")
    again = call("POST", "Patient", _patient(number="1"), if_none_exist="active=true&identifier=urn:mrn|1")
    other = call("PUT", "Patient?identifier=urn:mrn|2,urn:mrn|1", _patient(number="1", gender="male"))
    assert (first.status, again.status, other.status) == (201, 200, 200)
    assert _total(call) == 1
