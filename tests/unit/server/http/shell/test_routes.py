"""What reaches the interactions: paths, methods, levels and operations."""

import pytest

from server.interactions.exchange import Response
from tests.unit.server.http.shell.conftest import PATIENT, issue


async def test_a_read_reaches_the_interactions(client, fhir):
    """Path, query and conditional headers arrive decoded; the stored bytes go out untouched."""
    response = await client.get("Patient/p1?_elements=id&name=M%C3%BCller", headers={"If-None-Match": 'W/"2"'})
    assert response.content == PATIENT
    assert response.headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert response.headers["etag"] == 'W/"3"'
    request = fhir.requests[0]
    assert (request.method, request.path) == ("GET", ("Patient", "p1"))
    assert request.query == (("_elements", "id"), ("name", "Müller"))
    assert request.if_none_match == 'W/"2"'
    assert request.base_url == "http://host-7:8000/fhir"


async def test_head_is_get_without_a_body(client, fhir):
    """HEAD has the headers of GET, the length included, and no body."""
    response = await client.head("Patient/p1")
    assert response.content == b""
    assert response.headers["content-length"] == str(len(PATIENT))
    assert fhir.requests[0].method == "GET"


async def test_post_search_is_a_search(client, fhir):
    """POST `_search` becomes the same request as GET, form and query together."""
    await client.post("Patient/_search?_count=5", data={"family": "Ng", "given": "A B"})
    request = fhir.requests[0]
    assert (request.method, request.path, request.body) == ("GET", ("Patient",), b"")
    assert request.query == (("_count", "5"), ("family", "Ng"), ("given", "A B"))


@pytest.mark.parametrize(
    ("path", "searched"),
    [
        ("_search", ()),
        ("Patient/p1/_search", ("Patient", "p1", "*")),
        ("Patient/p1/*/_search", ("Patient", "p1", "*")),
        ("Patient/p1/Observation/_search", ("Patient", "p1", "Observation")),
    ],
)
async def test_post_search_reaches_every_level(client, fhir, path, searched):
    """The system and the compartments can be searched by POST as a type can."""
    await client.post(path, data={"_type": "Observation"})
    request = fhir.requests[0]
    assert (request.method, request.path, request.query) == ("GET", searched, (("_type", "Observation"),))


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("", ()),
        ("_history", ("_history",)),
        ("Patient/_history", ("Patient", "_history")),
        ("Patient/p1/Observation", ("Patient", "p1", "Observation")),
        ("Patient/p1/*", ("Patient", "p1", "*")),
    ],
)
async def test_every_level_can_be_read(client, fhir, path, parts):
    """Searches and histories of the system, of a type and of a compartment reach the interactions."""
    await client.get(path)
    assert (fhir.requests[0].method, fhir.requests[0].path) == ("GET", parts)


@pytest.mark.parametrize("path", ["Patient", "Patient/p1"])
async def test_a_patch_reaches_the_interactions(client, fhir, path):
    """JSON Patch and FHIRPath Patch arrive with their Content-Type; anything else is 415 and told what would do."""
    for content_type in ("application/json-patch+json", "application/fhir+json"):
        await client.patch(path, content=b"[]", headers={"content-type": content_type})
        request = fhir.requests.pop()
        assert (request.method, request.content_type, request.body) == ("PATCH", content_type, b"[]")
    response = await client.patch(path, content=b"x", headers={"content-type": "text/plain"})
    assert response.status_code == 415
    assert "application/json-patch+json" in response.headers["accept-patch"]


async def test_further_headers_and_other_content_go_out(client, fhir):
    """What an interaction says beside FHIR, such as a status URL or an NDJSON file, is sent as it is."""
    fhir.answer = Response(
        status=200, body=b"{}\n", content_type="application/fhir+ndjson", headers=(("X-Progress", "half"),)
    )
    response = await client.get("Patient/p1?_pretty=true")
    assert response.content == b"{}\n"
    assert response.headers["content-type"] == "application/fhir+ndjson"
    assert response.headers["x-progress"] == "half"


@pytest.mark.parametrize("path", ["", "/"])
async def test_the_base_takes_bundles(client, fhir, path):
    """Batch and transaction are posted to the base, with or without a slash."""
    await client.post(f"http://host-7:8000/fhir{path}", content=b"{}")
    assert (fhir.requests[0].method, fhir.requests[0].path) == ("POST", ())


async def test_metadata_names_the_base_the_client_used(client, fhir):
    """The CapabilityStatement is asked for like everything else, for the address that the client used."""
    await client.get("metadata")
    assert (fhir.requests[0].path, fhir.requests[0].base_url) == (("metadata",), "http://host-7:8000/fhir")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "Patiennt/1", 404),
        ("GET", "Patient/1/unknown", 404),
        ("GET", "Patient/1/_history/1/2", 404),
        ("GET", "Patient/_unknown", 404),
        ("GET", "$unknown", 404),
        ("POST", "Observation/$code", 404),
        ("GET", "Patient//_history/", 404),
    ],
)
async def test_a_route_that_is_not_there_is_404(client, method, path, status):
    """Unknown types, routes and operations are an OperationOutcome."""
    response = await client.request(method, path)
    assert response.status_code == status
    assert issue(response)["code"] in ("not-supported", "not-found")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("OPTIONS", "Patient", "DELETE, GET, HEAD, PATCH, POST, PUT"),
        ("POST", "Patient/1", "DELETE, GET, HEAD, PATCH, PUT"),
        ("PUT", "", "GET, HEAD, POST"),
        ("DELETE", "metadata", "GET, HEAD"),
        ("PUT", "Patient/1/_history/2", "GET, HEAD"),
        ("GET", "Patient/$code", "POST"),
        ("POST", "$versions", "GET, HEAD"),
        ("OPTIONS", "Patient/_search", "POST"),
    ],
)
async def test_a_wrong_method_is_405_with_allow(client, method, path, allow):
    """The client learns which methods the route knows."""
    response = await client.request(method, path)
    assert response.status_code == 405
    assert response.headers["allow"] == allow
    assert issue(response)["code"] == "not-supported"


@pytest.mark.parametrize("path", ["Patient/$code", "Patient/7/$code"])
async def test_operations_are_found_by_level_and_type(client, fhir, path):
    """An operation answers where it is declared, and the interactions are not asked."""
    response = await client.post(path, content=b"{}")
    assert response.json()["id"] == path.replace("/", "-")
    assert not fhir.requests
