"""create, read, vread, update, delete, history (https://hl7.org/fhir/R4/http.html)."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from fhir_profiles.errors import Category, FhirError
from server.access.caller import server_as
from server.audit.chain import events_of
from server.audit.event import decode
from server.http.errors import status_of
from server.interactions.exchange import Response
from server.store import Store

Call = Callable[..., Response]
PATIENT = {"resourceType": "Patient", "id": "p", "gender": "male"}
WEIGHT = (
    b'{"resourceType":"Observation","id":"w","status":"final","code":{"text":"weight"},'
    b'"valueQuantity":{"value":72.50,"unit":"kg"}}'
)


def _refused(call: Call, *args: object, **more: object) -> FhirError:
    with pytest.raises(FhirError) as refused:
        call(*args, **more)
    return refused.value


def test_create_answers_where_it_is(call: Call) -> None:
    """A create ignores the client's id, answers 201 with version 1, and the read returns the same bytes."""
    made = call("POST", "Patient", PATIENT)
    body = json.loads(made.body)
    assert (made.status, made.etag) == (201, 'W/"1"')
    assert body["id"] != "p"
    assert made.location == f"http://test/fhir/Patient/{body['id']}/_history/1"
    read = call("GET", f"Patient/{body['id']}")
    assert (read.body, read.etag, read.last_modified) == (made.body, made.etag, made.last_modified)


def test_decimals_stay_as_written(call: Call) -> None:
    """72.50 is stored and returned as 72.50."""
    call("PUT", "Observation/w", WEIGHT)
    assert b'"value":72.50,' in call("GET", "Observation/w").body


def test_an_update_with_the_same_content_makes_no_version(call: Call) -> None:
    """The same content is no new version, in any order of properties; another digit is."""
    assert call("PUT", "Observation/w", WEIGHT).status == 201
    assert call("PUT", "Observation/w", WEIGHT).etag == 'W/"1"'
    turned = json.loads(WEIGHT.replace(b"72.50", b'"#"'))
    again = json.dumps(dict(reversed(turned.items()))).replace('"#"', "72.50").encode()
    assert call("PUT", "Observation/w", again).etag == 'W/"1"'
    assert call("PUT", "Observation/w", WEIGHT.replace(b"72.50", b"72.5")).etag == 'W/"2"'
    assert call("PUT", "Observation/w", WEIGHT.replace(b"72.50", b"72.6")).etag == 'W/"3"'


def test_versions_can_be_read(call: Call) -> None:
    """Every version stays readable; numbers that never were are not found."""
    call("PUT", "Patient/p", PATIENT)
    call("PUT", "Patient/p", {**PATIENT, "gender": "female"})
    assert b'"male"' in call("GET", "Patient/p/_history/1").body
    assert b'"female"' in call("GET", "Patient/p/_history/2").body
    for number in ("3", "0", "x", "99999999999999999999"):
        assert _refused(call, "GET", f"Patient/p/_history/{number}").category is Category.NOT_FOUND


def test_a_delete_is_a_version_of_its_own(call: Call) -> None:
    """After a delete: 410, history stays, deleting again changes nothing, and an update brings it back."""
    call("PUT", "Patient/p", PATIENT)
    assert call("DELETE", "Patient/p").status == 204
    assert call("DELETE", "Patient/p").etag == 'W/"2"'
    gone = _refused(call, "GET", "Patient/p")
    assert (gone.category, gone.problems[0].code) == (Category.NOT_FOUND, "deleted")
    assert json.loads(call("GET", "Patient?gender=male").body).get("entry") is None
    assert b'"male"' in call("GET", "Patient/p/_history/1").body
    back = call("PUT", "Patient/p", PATIENT)
    assert (back.status, back.etag) == (201, 'W/"3"')
    assert len(json.loads(call("GET", "Patient?gender=male").body)["entry"]) == 1


def test_deleting_what_never_was_is_fine(call: Call) -> None:
    """DELETE of an unknown id answers 204."""
    assert call("DELETE", "Patient/none").status == 204


def test_if_match_refuses_an_old_version(call: Call) -> None:
    """A write with If-Match of an older version, or of a resource that is not there, is refused with 412's code."""
    call("PUT", "Patient/p", PATIENT)
    call("PUT", "Patient/p", {**PATIENT, "gender": "female"}, if_match='W/"1"')
    for method in ("PUT", "DELETE"):
        error = _refused(call, method, "Patient/p", PATIENT if method == "PUT" else None, if_match='W/"1"')
        assert (error.category, error.problems[0].code) == (Category.CONFLICT, "conflict")
    assert _refused(call, "PUT", "Patient/q", {**PATIENT, "id": "q"}, if_match="*").category is Category.CONFLICT
    assert _refused(call, "PUT", "Patient/p", PATIENT, if_none_match="*").category is Category.CONFLICT


def test_a_client_that_has_it_gets_304(call: Call) -> None:
    """If-None-Match and If-Modified-Since spare the body."""
    call("PUT", "Patient/p", PATIENT)
    read = call("GET", "Patient/p")
    for header in ({"if_none_match": read.etag}, {"if_modified_since": read.last_modified}):
        unchanged = call("GET", "Patient/p", **header)
        assert (unchanged.status, unchanged.body, unchanged.etag) == (304, b"", read.etag)
    assert call("GET", "Patient/p", if_none_match='W/"7"').status == 200


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("Patient/q", PATIENT, "value"),
        ("Patient/p", {"resourceType": "Basic", "id": "p"}, "structure"),
        ("Patient/p", {**PATIENT, "colour": "red"}, "structure"),
        ("Patient/p", b"{", "structure"),
        ("Patient/p", b"", "structure"),
        ("Patient/a_b", {**PATIENT, "id": "a_b"}, "value"),
    ],
)
def test_wrong_bodies_are_refused(call: Call, path: str, body: object, code: str) -> None:
    """A body that is not the valid resource the URL names is refused, and nothing is stored."""
    error = _refused(call, "PUT", path, body)
    assert error.category is Category.INCORRECT
    assert error.problems[0].code == code or error.problems[0].expression
    assert json.loads(call("GET", "Patient").body).get("entry") is None


def test_prefer_chooses_the_body(call: Call) -> None:
    """`Prefer: return=` gives nothing, the resource, or an OperationOutcome."""
    assert call("PUT", "Patient/p", PATIENT, prefer="return=minimal").body == b""
    assert b'"Patient"' in call("PUT", "Patient/p", PATIENT, prefer="return=representation").body
    assert b'"OperationOutcome"' in call("PUT", "Patient/p", PATIENT, prefer="return=OperationOutcome").body


def test_every_write_leaves_an_event(call: Call, store: Store) -> None:
    """Who did what to which version, and how it ended."""
    call("PUT", "Patient/p", PATIENT, caller=server_as("user-1"))
    call("DELETE", "Patient/p", caller=server_as("user-2"))
    events = [decode(data) for _, data in events_of(store)]
    rows = [(e.who, e.code, e.type, e.id, e.version, e.status) for e in events]
    assert rows == [("user-1", "update", "Patient", "p", 1, 201), ("user-2", "delete", "Patient", "p", 2, 204)]


def test_conditional_create_finds_what_is_there(call: Call) -> None:
    """If-None-Exist creates once, answers 200 with the same resource then, and refuses several matches."""
    body = {"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "7"}]}
    first = call("POST", "Patient", body, if_none_exist="identifier=urn:mrn|7")
    second = call("POST", "Patient", body, if_none_exist="identifier=urn:mrn|7")
    assert (first.status, second.status) == (201, 200)
    assert first.body == second.body
    call("POST", "Patient", body)
    error = _refused(call, "POST", "Patient", body, if_none_exist="identifier=urn:mrn|7")
    assert error.problems[0].code == "multiple-matches"
    assert _refused(call, "POST", "Patient", body, if_none_exist="colour=red").category is Category.UNSUPPORTED
    assert _refused(call, "POST", "Patient", body, if_none_exist="").problems[0].code == "required"


def test_conditional_update_and_delete(call: Call) -> None:
    """PUT and DELETE with a query act on the one resource that it finds."""
    body = {"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "7"}]}
    made = call("PUT", "Patient?identifier=urn:mrn|7", body)
    again = call("PUT", "Patient?identifier=urn:mrn|7", {**body, "gender": "male"})
    assert (made.status, again.status, again.etag) == (201, 200, 'W/"2"')
    assert json.loads(made.body)["id"] == json.loads(again.body)["id"]
    assert call("DELETE", "Patient?identifier=urn:mrn|7").status == 204
    assert json.loads(call("GET", "Patient").body).get("entry") is None
    assert _refused(call, "DELETE", "Patient").category is Category.INCORRECT


def test_a_conditional_update_never_takes_another_resource(call: Call) -> None:
    """An id in the body must be the one found; when none is found it makes a new resource, and never replaces one."""
    body = {"resourceType": "Patient", "identifier": [{"system": "urn:mrn", "value": "7"}]}
    call("PUT", "Patient/other", {"resourceType": "Patient", "id": "other"})
    taken = _refused(call, "PUT", "Patient?identifier=urn:mrn|7", {**body, "id": "other"})
    assert (status_of(taken), taken.problems[0].expression) == (409, "Patient.id")
    assert call("PUT", "Patient?identifier=urn:mrn|7", {**body, "id": "mine"}).status == 201
    wrong = _refused(call, "PUT", "Patient?identifier=urn:mrn|7", {**body, "id": "other"})
    assert (status_of(wrong), wrong.problems[0].expression) == (400, "Patient.id")
    assert json.loads(call("GET", "Patient/other").body).get("identifier") is None


def test_any_count_is_a_count(call: Call) -> None:
    """A page size beyond every limit is the largest page, in search and in history."""
    call("PUT", "Patient/p", PATIENT)
    for url in ("Patient?_count=99999999999999999999", "Patient/p/_history?_count=99999999999999999999"):
        assert len(json.loads(call("GET", url).body)["entry"]) == 1


def test_links_are_urls(call: Call) -> None:
    """What a URL cannot hold is percent-encoded in the links of a Bundle, so that strict clients can follow them."""
    link = json.loads(call("GET", "Patient?identifier=urn:mrn|a b").body)["link"][0]["url"]
    assert link == "http://test/fhir/Patient?identifier=urn:mrn%7Ca%20b"


@pytest.mark.parametrize("url", ["Patient/%00", "Patient?name=a%00b", "Patient?identifier=%00", "Patient?_id=%00"])
def test_a_nul_is_refused(call: Call, url: str) -> None:
    """No stored text has a NUL, and no database is asked for one."""
    assert status_of(_refused(call, "GET", url)) == (400 if "?" in url else 404)


@pytest.mark.parametrize(
    ("query", "prefer"), [("mode=normative", ""), ("mode=full&mode=terminology", ""), ("colour=x", "handling=strict")]
)
def test_the_capabilities_refuse_what_they_do_not_know(call: Call, query: str, prefer: str) -> None:
    """A mode that is not served is not answered with another one."""
    with pytest.raises(FhirError):
        call("GET", f"metadata?{query}", prefer=prefer)
    assert call("GET", "metadata?mode=full&_summary=true&colour=x").status == 200


def test_a_part_of_a_resource_is_not_stored(call: Call) -> None:
    """What `_elements` left is refused as a new version, alone and in a Bundle, so that nothing is lost."""
    call("PUT", "Patient/p", {"resourceType": "Patient", "id": "p", "gender": "male", "birthDate": "1970-01-01"})
    part = json.loads(call("GET", "Patient/p?_elements=gender").body)
    entry = {"resource": part, "request": {"method": "PUT", "url": "Patient/p"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    for method, url, body in (("PUT", "Patient/p", part), ("POST", "Patient", part), ("POST", "", bundle)):
        with pytest.raises(FhirError, match="SUBSETTED"):
            call(method, url, body)
    assert json.loads(call("GET", "Patient/p").body)["birthDate"] == "1970-01-01"


def test_a_strict_read_refuses_what_it_does_not_know(call: Call) -> None:
    """With handling=strict nothing in the URL is left out silently; what shapes the answer is taken."""
    call("PUT", "Patient/p", {"resourceType": "Patient", "id": "p"})
    for url in ("Patient/p?colour=red", "Patient/p/_history/1?colour=red"):
        assert call("GET", url).status == 200
        with pytest.raises(FhirError, match="colour"):
            call("GET", url, prefer="handling=strict")
    assert call("GET", "Patient/p?_elements=id&_summary=", prefer="handling=strict").status == 200


def test_unknown_types_and_routes_are_not_found(call: Call) -> None:
    """A type that R4 does not have, and a route that names no interaction, are 404."""
    for method, path in (("GET", "Unicorn/1"), ("POST", "Unicorn"), ("GET", "Patient/1/2/3"), ("PUT", "Patient/1/2")):
        assert _refused(call, method, path, {} if method != "GET" else None).category is Category.NOT_FOUND


def test_the_capability_statement_is_served(call: Call) -> None:
    """GET metadata answers a CapabilityStatement."""
    assert json.loads(call("GET", "metadata").body)["resourceType"] == "CapabilityStatement"
