"""What comes in and goes out: media types, XML, encodings and lengths."""

import gzip
import zlib

import pytest

from server.interactions.exchange import Response
from tests.unit.server.http.shell.conftest import PATIENT, PATIENT_XML, issue


async def test_format_wins_over_accept(client):
    """`_format=json` is for clients that cannot set Accept."""
    assert (await client.get("Patient/1?_format=json", headers={"Accept": "text/html"})).status_code == 200


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("Patient/1", {"Accept": "text/turtle"}),
        ("Patient/1?_format=ttl", {}),
        ("Patient/1?_format=html", {}),
        ("Patient/1", {"Accept": "application/fhir+json; fhirVersion=3.0"}),
    ],
)
async def test_another_format_is_not_acceptable(client, fhir, url, headers):
    """The client learns what there is instead of getting what it did not ask for."""
    response = await client.get(url, headers=headers)
    assert response.status_code == 406
    assert "application/fhir+xml" in issue(response)["diagnostics"]
    assert not fhir.requests


async def test_parameters_of_form_do_not_reach_the_interactions(client, fhir):
    """`_format` and `_pretty` say how to answer, not what."""
    await client.get("Patient?_format=json&_pretty=true&name=x")
    assert fhir.requests[0].query == (("name", "x"),)


async def test_pretty_keeps_every_digit(client, fhir):
    """`_pretty=true` changes white space only: 72.50 stays 72.50."""
    fhir.answer = Response(status=200, body=b'{"value":72.50}')
    response = await client.get("Observation/1?_pretty=true")
    assert response.content == b'{\n  "value": 72.50\n}'


async def test_a_raw_operation_takes_any_content(client):
    """An operation that reads files gets them as they are."""
    headers = {"Content-Type": "image/tiff"}
    assert (await client.post("Patient/$read", content=b"II*", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("Patient", "text/turtle"),
        ("Patient", "application/x-www-form-urlencoded"),
        ("Patient/_search", "application/fhir+json"),
        ("Patient/$code", "text/plain"),
    ],
)
async def test_a_wrong_content_type_is_415(client, fhir, path, content_type):
    """The body is not guessed at; the text says what to send."""
    response = await client.post(path, content=b"{}", headers={"Content-Type": content_type})
    assert response.status_code == 415
    assert "Content-Type: " in issue(response)["diagnostics"]
    assert not fhir.requests


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_a_compressed_body_is_unpacked(client, fhir, encoding, pack):
    """gzip and deflate are taken from clients as they are given to them."""
    headers = {"Content-Type": "application/fhir+json", "Content-Encoding": encoding}
    assert (await client.post("Patient", content=pack(PATIENT), headers=headers)).status_code == 200
    assert fhir.requests[0].body == PATIENT


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("br", b"x", 415),
        ("gzip", gzip.compress(b" " * 2_000_000, mtime=0), 413),
        ("gzip", gzip.compress(PATIENT, mtime=0)[:-4], 400),
        ("gzip", b"not gzip", 400),
        ("gzip", gzip.compress(PATIENT, mtime=0) + b"more", 400),
    ],
)
async def test_a_compressed_body_has_limits(client, fhir, encoding, body, status):
    """What unpacks to more than a body may have is refused before it is unpacked; what is broken is told."""
    headers = {"Content-Type": "application/fhir+json", "Content-Encoding": encoding}
    response = await client.post("Patient", content=body, headers=headers)
    assert response.status_code == status
    assert not fhir.requests


async def test_xml_goes_in_as_json(client, fhir):
    """Below the edge there is JSON only, whatever the client speaks."""
    headers = {"Content-Type": "application/fhir+xml"}
    await client.put("Patient/p1", content=PATIENT_XML, headers=headers)
    request = fhir.requests[0]
    assert (request.body, request.content_type) == (PATIENT, "application/fhir+json")


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("Patient/p1", {"Accept": "application/fhir+xml"}),
        ("Patient/p1?_format=xml", {"Accept": "application/fhir+json"}),
        ("Patient/p1?_format=application/fhir%2Bxml", {}),
    ],
)
async def test_xml_comes_out(client, url, headers):
    """By Accept or by `_format`, which wins."""
    response = await client.get(url, headers=headers)
    assert response.headers["content-type"] == "application/fhir+xml; charset=utf-8"
    assert response.content == PATIENT_XML


async def test_errors_come_in_the_format_asked_for(client, fhir):
    """Wrong XML, an unknown route and a fault are an OperationOutcome in XML for a client of XML."""
    headers = {"Accept": "application/fhir+xml", "Content-Type": "application/fhir+xml"}
    wrong = await client.post(
        "Patient", content=b"<Patient xmlns='http://hl7.org/fhir'>\n<x/></Patient>", headers=headers
    )
    assert (wrong.status_code, wrong.text.count("Line 2: ")) == (400, 1)
    nowhere = await client.get("Nothing/1", headers=headers)
    fhir.answer = RuntimeError("x")
    fault = await client.get("Patient/1?_format=xml")
    for response in (wrong, nowhere, fault):
        assert '<OperationOutcome xmlns="http://hl7.org/fhir">' in response.text
        assert response.headers["content-type"].startswith("application/fhir+xml")


async def test_what_xml_cannot_hold_is_406(client, fhir):
    """A resource that was stored unchecked is not changed to fit, and the error is XML."""
    fhir.answer = Response(status=200, body=b'{"resourceType":"Patient","colour":"x"}')
    response = await client.get("Patient/1?_format=xml")
    assert response.status_code == 406
    assert "<OperationOutcome" in response.text


async def test_operations_are_cut_like_reads(client):
    """`_elements` and `_summary` hold for what an operation answers too."""
    response = await client.get("$versions?_elements=name")
    assert response.json()["meta"]["tag"][0]["code"] == "SUBSETTED"


async def test_large_answers_are_compressed_for_those_who_ask(client, fhir):
    """gzip above the limit of the settings, and Vary either way so that caches do not mix them up."""
    fhir.answer = Response(status=200, body=b'{"x":"' + b"y" * 2000 + b'"}')
    plain = await client.get("Patient/1", headers={"Accept-Encoding": "identity"})
    packed = await client.get("Patient/1", headers={"Accept-Encoding": "gzip, br"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.headers["vary"] == packed.headers["vary"] == "accept, accept-encoding, authorization"
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < 200


async def test_not_modified_has_no_body_and_no_length(client, fhir):
    """304 carries the ETag only."""
    fhir.answer = Response(status=304, etag='W/"3"')
    response = await client.get("Patient/1")
    assert response.status_code == 304
    assert response.headers["etag"] == 'W/"3"'
    assert "content-length" not in response.headers
