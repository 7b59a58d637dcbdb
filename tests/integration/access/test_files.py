"""Who sees the bytes of a document: by security context, or by a document that points to them; on both engines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fhir_profiles.errors import FhirError
from server.access.caller import Caller
from server.access.grants import read_scopes
from server.http.errors import status_of
from server.interactions.exchange import Response

Call = Callable[..., Response]


def status(call: Call, *args: Any, **more: Any) -> int:
    """The status of a call, also where it is refused."""
    try:
        return call(*args, **more).status
    except FhirError as error:
        return status_of(error)


def of(patient: str, *scopes: str) -> Caller:
    """The token of a patient."""
    return Caller(who="app", grants=read_scopes(scopes or ("patient/*.cruds",)), patient=patient)


def binary(name: str, context: str | None = None) -> dict[str, Any]:
    made = {"resourceType": "Binary", "id": name, "contentType": "text/plain", "data": "aGk="}
    return made | ({"securityContext": {"reference": context}} if context else {})


def document(name: str, patient: str, url: str) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference", "id": name, "status": "current",
        "subject": {"reference": f"Patient/{patient}"}, "content": [{"attachment": {"url": url}}],
    }  # fmt: skip


@pytest.fixture
def world(call: Call) -> Call:
    """Files of A: by security context, by a document of A's and by its full address; and one that is nobody's."""
    for name in "AB":
        call("PUT", f"Patient/{name}", {"resourceType": "Patient", "id": name})
    contexts = {"ctx": "Patient/A", "doc": "DocumentReference/d1", "theirs": "Patient/B"}
    for name in ("ctx", "rel", "abs", "none", "doc", "theirs"):
        call("PUT", f"Binary/{name}", binary(name, contexts.get(name)))
    call("PUT", "DocumentReference/d1", document("d1", "A", "Binary/rel"))
    call("PUT", "DocumentReference/d2", document("d2", "A", "http://test/fhir/Binary/abs"))
    call("PUT", "DocumentReference/d3", document("d3", "A", "Binary/theirs"))
    return call


def test_a_file_is_seen_by_its_context_or_its_document(world: Call) -> None:
    """A patient reads the Binaries of its own documents and contexts; absent and hidden are one."""
    a, b = of("A"), of("B")
    for name in ("ctx", "rel", "abs", "doc"):
        assert status(world, "GET", f"Binary/{name}", caller=a) == 200, name
        assert status(world, "GET", f"Binary/{name}/_history/1", caller=a) == 200, name
        assert status(world, "GET", f"Binary/{name}", caller=b) == 404, name
        assert status(world, "GET", f"Binary/{name}/_history", caller=b) == 404, name
    for name in ("none", "theirs", "absent"):  # a security context goes before a document that points there
        assert status(world, "GET", f"Binary/{name}", caller=a) == 404, name
    assert status(world, "GET", "Binary/rel", caller=of("A", "patient/DocumentReference.rs")) == 403
    assert status(world, "GET", "Binary/rel", caller=of("A", "patient/Binary.rs")) == 404


def test_nobody_points_to_what_is_hidden(world: Call) -> None:
    """A document that points to another's file is refused as one that points nowhere, and gives nothing."""
    a = of("A")
    for name in ("none", "theirs", "absent"):
        assert status(world, "POST", "DocumentReference", document("n", "A", f"Binary/{name}"), caller=a) == 403, name
    assert status(world, "POST", "DocumentReference", document("n", "A", "Binary/ctx"), caller=a) == 201
    assert status(world, "POST", "DocumentReference", document("n", "A", "https://else.example/x"), caller=a) == 201
    assert status(world, "GET", "Binary/none", caller=a) == 404


def test_a_patient_stores_files_in_its_own_context(world: Call) -> None:
    """A Binary that a patient writes says whose it is."""
    a = of("A")
    assert status(world, "POST", "Binary", binary("n", "Patient/A"), caller=a) == 201
    for wrong in (binary("n"), binary("n", "Patient/B")):
        assert status(world, "POST", "Binary", wrong, caller=a) == 403
    assert status(world, "PUT", "Binary/theirs", binary("theirs", "Patient/A"), caller=a) == 404
    url = "urn:uuid:6b1b0a44-6f0b-4a83-8a7a-111111111111"
    entries = [
        {"fullUrl": url, "resource": binary("x", "Patient/A"), "request": {"method": "POST", "url": "Binary"}},
        {"resource": document("x", "A", url), "request": {"method": "POST", "url": "DocumentReference"}},
    ]
    both = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    assert status(world, "POST", "", both, caller=a) == 200
