"""JSON Patch and FHIRPath Patch, alone and in Bundles (https://hl7.org/fhir/R4/http.html#patch)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from fhir_profiles.errors import FhirError
from server.audit.chain import events_of
from server.audit.event import decode
from server.http.errors import status_of
from server.interactions.exchange import JSON_PATCH, Response
from server.store import Store

Call = Callable[..., Response]
PATIENT = {
    "resourceType": "Patient",
    "id": "p",
    "gender": "male",
    "identifier": [{"system": "urn:mrn", "value": "1"}],
    "name": [{"family": "Chalmers"}],
}


def _json(*operations: dict[str, Any]) -> bytes:
    return json.dumps(operations).encode()


def _parameters(kind: str, path: str, value: str) -> dict[str, Any]:
    parts = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]
    parts.append({"name": "value", "valueCode": value})
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}


def _binary(patch: bytes) -> dict[str, Any]:
    return {"resourceType": "Binary", "contentType": JSON_PATCH, "data": base64.b64encode(patch).decode()}


def _bundle(kind: str, *entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def _entry(url: str, resource: dict[str, Any], method: str = "PATCH", **more: Any) -> dict[str, Any]:
    full = {"fullUrl": more.pop("full_url")} if "full_url" in more else {}
    return {**full, "resource": resource, "request": {"method": method, "url": url, **more}}


def _status(call: Call, *args: Any, **more: Any) -> int:
    try:
        return call(*args, **more).status
    except FhirError as error:
        return status_of(error)


FEMALE = {"op": "replace", "path": "/gender", "value": "female"}


@pytest.fixture(autouse=True)
def _stored(call: Call) -> None:
    call("PUT", "Patient/p", PATIENT)


def test_json_patch(call: Call, store: Store) -> None:
    """A JSON Patch makes a new version, which search finds and the audit knows."""
    answer = call("PATCH", "Patient/p", _json(FEMALE), content_type=JSON_PATCH)
    assert (answer.status, answer.etag) == (200, 'W/"2"')
    assert json.loads(answer.body)["gender"] == "female"
    assert json.loads(call("GET", "Patient?gender=female&_summary=count").body)["total"] == 1
    event = decode(list(events_of(store))[-1][1])
    assert (event.code, event.version) == ("patch", 2)
    history = json.loads(call("GET", "Patient/p/_history").body)
    assert [entry["resource"]["gender"] for entry in history["entry"]] == ["female", "male"]


def test_fhirpath_patch(call: Call) -> None:
    """A Parameters resource of operations does the same."""
    answer = call("PATCH", "Patient/p", _parameters("replace", "Patient.gender", "other"))
    assert (answer.status, json.loads(answer.body)["gender"]) == (200, "other")


def test_a_patch_that_changes_nothing_makes_no_version(call: Call) -> None:
    """The result is stored only when it is another resource."""
    same = {"op": "replace", "path": "/gender", "value": "male"}
    assert call("PATCH", "Patient/p", _json(same), content_type=JSON_PATCH).etag == 'W/"1"'


def test_decimals_survive_a_patch(call: Call) -> None:
    """Numbers in the resource and in the patch keep their digits."""
    weight = (
        b'{"resourceType":"Observation","id":"w","status":"final","code":{"text":"w"},"valueQuantity":{"value":72.50}}'
    )
    call("PUT", "Observation/w", weight)
    patch = b'[{"op":"add","path":"/referenceRange","value":[{"low":{"value":50.00}}]}]'
    body = call("PATCH", "Observation/w", patch, content_type=JSON_PATCH).body
    assert b'"value":72.50' in body
    assert b'"value":50.00' in body


@pytest.mark.parametrize(
    ("patch", "status"),
    [
        (_json({"op": "test", "path": "/gender", "value": "female"}, FEMALE), 422),
        (_json({"op": "replace", "path": "/gender", "value": "red"}), 400),
        (_json({"op": "replace", "path": "/id", "value": "q"}), 422),
        (_json({"op": "replace", "path": "/resourceType", "value": "Basic"}), 422),
        (_json({"op": "remove", "path": "/nothing"}), 400),
        (_json({"op": "jump", "path": "/gender"}), 400),
        (b"{}", 400),
        (b"[", 400),
        (b'[],"x":[]', 400),
        (b"", 400),
    ],
)
def test_a_patch_that_does_not_fit_changes_nothing(call: Call, patch: bytes, status: int) -> None:
    """A test that fails, a result that is not valid, another id and a patch that is none are refused."""
    assert _status(call, "PATCH", "Patient/p", patch, content_type=JSON_PATCH) == status
    assert call("GET", "Patient/p").etag == 'W/"1"'


def test_a_parameters_that_is_no_patch_is_refused(call: Call) -> None:
    """FHIRPath Patch needs operations, a path that fits and a valid result."""
    for body in (PATIENT, _parameters("replace", "Patient.gender", "red"), _parameters("replace", "Patient.x", "male")):
        assert _status(call, "PATCH", "Patient/p", body) == 400
    assert call("GET", "Patient/p").etag == 'W/"1"'


def test_only_what_exists_is_patched(call: Call) -> None:
    """404 for what never was, 410 for what is gone, and by query 404 or 412 for none or several."""
    assert _status(call, "PATCH", "Patient/none", _json(FEMALE), content_type=JSON_PATCH) == 404
    call("PUT", "Patient/q", {**PATIENT, "id": "q"})
    assert _status(call, "PATCH", "Patient?identifier=urn:mrn|1", _json(FEMALE), content_type=JSON_PATCH) == 412
    call("DELETE", "Patient/q")
    assert _status(call, "PATCH", "Patient/q", _json(FEMALE), content_type=JSON_PATCH) == 410
    assert _status(call, "PATCH", "Patient?identifier=urn:mrn|1", _json(FEMALE), content_type=JSON_PATCH) == 200
    assert _status(call, "PATCH", "Patient?identifier=urn:mrn|9", _json(FEMALE), content_type=JSON_PATCH) == 404


def test_patches_in_bundles(call: Call) -> None:
    """Both kinds of patch, by id and by query, are entries of a batch and of a transaction."""
    for kind in ("batch", "transaction"):
        call("PUT", "Patient/p", PATIENT)
        call("PUT", "Patient/q", {**PATIENT, "id": "q", "identifier": [{"value": "q"}]})
        entries = (
            _entry("Patient/p", _binary(_json(FEMALE))),
            _entry("Patient?identifier=q", _parameters("replace", "Patient.gender", "other")),
        )
        answer = json.loads(call("POST", "", _bundle(kind, *entries), prefer="return=representation").body)
        assert [entry["response"]["status"] for entry in answer["entry"]] == ["200 OK", "200 OK"]
        assert [entry["resource"]["gender"] for entry in answer["entry"]] == ["female", "other"]


def test_a_patch_in_a_transaction_can_link_to_an_entry(call: Call) -> None:
    """A full URL in either kind of patch becomes the reference of the entry that it names."""
    urn, urn2 = "urn:uuid:11111111-1111-4111-8111-111111111111", "urn:uuid:22222222-2222-4222-8222-222222222222"
    add = {"op": "add", "path": "/generalPractitioner", "value": [{"reference": urn}]}
    parts = [
        {"name": "type", "valueCode": "add"},
        {"name": "path", "valueString": "Patient"},
        {"name": "name", "valueString": "managingOrganization"},
        {"name": "value", "valueReference": {"reference": urn2}},
    ]
    call("PUT", "Patient/q", {**PATIENT, "id": "q"})
    bundle = _bundle(
        "transaction",
        _entry("Patient/p", _binary(_json(add))),
        _entry("Patient/q", {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}),
        _entry("Practitioner", {"resourceType": "Practitioner"}, "POST", full_url=urn),
        _entry(
            "Organization", {"resourceType": "Organization", "name": "A"}, "POST", full_url=urn2, ifNoneExist="name=A"
        ),
    )
    places = [entry["response"]["location"] for entry in json.loads(call("POST", "", bundle).body)["entry"]]
    practitioner, organization = ["/".join(place.split("/")[-4:-2]) for place in places[2:]]
    assert json.loads(call("GET", "Patient/p").body)["generalPractitioner"] == [{"reference": practitioner}]
    assert json.loads(call("GET", "Patient/q").body)["managingOrganization"] == {"reference": organization}


def test_a_patch_that_fails_ends_its_transaction(call: Call) -> None:
    """A failing test, a wrong version or a wrong kind of resource keeps the whole Bundle out, and says where."""
    other = _entry("Patient/r", {**PATIENT, "id": "r"}, "PUT")
    failing = _binary(_json({"op": "test", "path": "/gender", "value": "other"}))
    for bad, status, at in (
        (_entry("Patient/p", failing), 422, "Bundle.entry[1]"),
        (_entry("Patient/p", _binary(_json(FEMALE)), ifMatch='W/"9"'), 412, "Bundle.entry[1]"),
        (_entry("Patient/p", PATIENT), 400, "Bundle.entry[1].resource.resourceType"),
        (
            _entry("Patient/p", {"resourceType": "Binary", "contentType": JSON_PATCH, "data": "!"}),
            400,
            "Bundle.entry[1]",
        ),
    ):
        with pytest.raises(FhirError) as refused:
            call("POST", "", _bundle("transaction", other, bad))
        assert status_of(refused.value) == status
        assert (refused.value.problems[0].expression or "").startswith(at)
        assert _status(call, "GET", "Patient/r") == 404
