"""A Binary as a file, in and out (https://hl7.org/fhir/R4/binary.html#rest)."""

import base64
import json

import pytest

PDF = b"%PDF-1.7\n\x00\xff not really\n"
FHIR = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}


async def put(client, content_type, data=PDF, name="b1", **more):
    body = {"resourceType": "Binary", "id": name, "contentType": content_type, **more}
    body |= {"data": base64.b64encode(data).decode()} if data else {}
    answer = await client.put(f"Binary/{name}", content=json.dumps(body), headers=FHIR)
    assert answer.status_code in (200, 201)
    return answer


async def test_a_file_is_stored_as_it_is_sent(client):
    """POST of any type makes a Binary of that type; the bytes come back equal, the resource on request."""
    made = await client.post("Binary", content=PDF, headers={"Content-Type": "application/pdf"})
    assert (made.status_code, made.content) == (201, b"")
    where = made.headers["location"].partition("/_history")[0]
    file = await client.get(where, headers={"Accept": "application/pdf"})
    assert (file.content, file.headers["content-type"], file.headers["etag"]) == (PDF, "application/pdf", 'W/"1"')
    resource = (await client.get(where, headers={"Accept": "application/fhir+json"})).json()
    assert (resource["resourceType"], resource["contentType"]) == ("Binary", "application/pdf")
    assert base64.b64decode(resource["data"]) == PDF


async def test_a_file_can_be_put(client):
    """PUT takes the id from the URL, and a new version replaces the old, which stays readable as a file."""
    for version, data in ((1, b"one"), (2, b"two")):
        answer = await client.put("Binary/x", content=data, headers={"Content-Type": "text/plain; charset=utf-8"})
        assert answer.headers["etag"] == f'W/"{version}"'
    assert (await client.get("Binary/x")).content == b"two"
    old = await client.get("Binary/x/_history/1")
    assert (old.content, old.headers["content-type"]) == (b"one", "text/plain; charset=utf-8")


async def test_the_stored_resource_is_returned_when_it_is_preferred(client):
    """A file is not echoed, unless Prefer asks for the representation."""
    headers = {"Content-Type": "image/png", "Prefer": "return=representation"}
    assert (await client.post("Binary", content=b"png", headers=headers)).json()["contentType"] == "image/png"


@pytest.mark.parametrize(
    ("accept", "is_file"),
    [
        ("*/*", True),
        ("application/pdf", True),
        ("application/*", True),
        ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", True),
        ("application/fhir+json", False),
        ("application/json", False),
        ("*/*, application/fhir+json", False),
        ("application/pdf;q=0.5, application/fhir+json", False),
        ("application/fhir+json;q=0.5, application/pdf", True),
    ],
)
async def test_fhir_is_sent_only_when_it_is_named(client, accept, is_file):
    """Without a FHIR type in Accept the file comes in its own type."""
    await put(client, "application/pdf")
    answer = await client.get("Binary/b1", headers={"Accept": accept})
    assert answer.headers["content-type"].startswith("application/pdf" if is_file else "application/")
    assert (answer.content == PDF) is is_file


async def test_format_asks_for_the_resource(client):
    """`_format` wins over Accept."""
    await put(client, "application/pdf")
    answer = await client.get("Binary/b1?_format=json", headers={"Accept": "application/pdf"})
    assert answer.json()["resourceType"] == "Binary"


async def test_another_type_is_406(client):
    """A file is never turned into another type."""
    await put(client, "application/pdf")
    answer = await client.get("Binary/b1", headers={"Accept": "image/png"})
    assert (answer.status_code, answer.json()["resourceType"]) == (406, "OperationOutcome")


@pytest.mark.parametrize(
    ("content_type", "place"),
    [("text/html", "attachment"), ("image/svg+xml", "attachment"), ("image/png", "inline"), ("text/plain", "inline")],
)
async def test_a_browser_runs_nothing_of_it(client, content_type, place):
    """No sniffing, no scripts; what can hold scripts is a download in a sandbox."""
    await put(client, content_type, b"<script>alert(1)</script>")
    headers = (await client.get("Binary/b1")).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-disposition"] == place
    assert "default-src 'none'" in headers["content-security-policy"]
    assert ("sandbox" in headers["content-security-policy"]) is (place == "attachment")
    assert headers["vary"] == "accept"


async def test_a_type_that_is_no_media_type_is_bytes(client):
    """A short name of FHIR's own, which is no media type, cannot break a header."""
    await put(client, "xml")
    answer = await client.get("Binary/b1")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/octet-stream")


async def test_a_type_that_is_nonsense_is_refused(client):
    """contentType is bound to the media types."""
    body = {"resourceType": "Binary", "id": "b1", "contentType": "nonsense – \u00fc"}
    answer = await client.put("Binary/b1", content=json.dumps(body), headers=FHIR)
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == ["Binary.contentType"]


async def test_a_binary_without_data_is_an_empty_file(client):
    """There is nothing, and it says so."""
    await put(client, "text/plain", b"")
    answer = await client.get("Binary/b1")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/fhir+turtle", "x"],
)
async def test_what_was_not_meant_as_a_file_is_415(client, content_type):
    """The default of curl, a form, FHIR in Turtle and no media type at all are refused."""
    answer = await client.post("Binary", content=b"a=b", headers={"Content-Type": content_type})
    assert answer.status_code == 415


async def test_the_security_context_goes_along(client):
    """X-Security-Context is Binary.securityContext, both ways."""
    headers = {"Content-Type": "text/plain", "X-Security-Context": "Patient/p1", "Prefer": "return=representation"}
    made = await client.post("Binary", content=b"x", headers=headers)
    assert made.json()["securityContext"] == {"reference": "Patient/p1"}
    assert (await client.get(f"Binary/{made.json()['id']}")).headers["x-security-context"] == "Patient/p1"


async def test_errors_about_files_are_outcomes(client):
    """404 and 410 are FHIR JSON whatever the client accepts; 304 is empty; HEAD tells the length of the file."""
    assert (await client.get("Binary/none", headers={"Accept": "application/pdf"})).json()["issue"]
    await put(client, "application/pdf")
    assert (await client.get("Binary/b1", headers={"If-None-Match": 'W/"1"'})).status_code == 304
    assert (await client.head("Binary/b1")).headers["content-length"] == str(len(PDF))
    await client.delete("Binary/b1")
    gone = await client.get("Binary/b1", headers={"Accept": "application/pdf"})
    assert (gone.status_code, gone.headers["content-type"]) == (410, "application/fhir+json; charset=utf-8")


async def test_a_large_file_takes_the_same_way(client):
    """Files that are handled in a thread come back equal."""
    data = bytes(range(256)) * 4000
    made = await client.post("Binary", content=data, headers={"Content-Type": "application/octet-stream"})
    assert (await client.get(made.headers["location"])).content == data
