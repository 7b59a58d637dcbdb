"""The FHIR shell: what reaches the interactions, and what comes back when something is wrong."""

import gzip
import json
import zlib

import httpx
import pytest

from fhir_profiles.errors import Category, FhirError
from server.http.shell import FhirShell
from server.interactions.exchange import Request, Response
from server.observability import Observe
from server.operations.registry import Operation, Operations
from server.settings import Settings

PATIENT = b'{"resourceType":"Patient","id":"p1"}'
PATIENT_XML = b'<?xml version="1.0" encoding="UTF-8"?>\n<Patient xmlns="http://hl7.org/fhir"><id value="p1"/></Patient>'


class Recorder:
    """Interactions that remember what they were asked and answer what the test says."""

    def __init__(self):
        self.requests = []
        self.answer = Response(status=200, body=PATIENT, etag='W/"3"')

    async def handle(self, request: Request) -> Response:
        """Record and answer, or fail."""
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def _echo(request: Request) -> Response:
    body = {"resourceType": "Basic", "id": "-".join(request.path)}
    return Response(status=200, body=json.dumps(body).encode())


@pytest.fixture
def fhir():
    """What the shell calls."""
    return Recorder()


@pytest.fixture
def client(fhir):
    """A client of the shell alone, under observation as in the application."""
    operations = Operations(
        [
            Operation("code", frozenset({"type", "instance"}), _echo, types=frozenset({"Patient"})),
            Operation("read", frozenset({"type"}), _echo, types=frozenset({"Patient"}), raw=True),
            Operation("versions", frozenset({"system"}), _echo, methods=frozenset({"GET"})),
        ]
    )
    settings = Settings(max_body_bytes=2048, max_url_bytes=512, gzip_min_bytes=1000)
    shell = FhirShell(fhir, operations, frozenset({"Patient", "Observation"}), settings)
    transport = httpx.ASGITransport(Observe(shell, settings))
    return httpx.AsyncClient(transport=transport, base_url="http://host-7:8000/fhir/")


def _issue(response):
    outcome = response.json()
    assert outcome["resourceType"] == "OperationOutcome"
    return outcome["issue"][0]


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
    assert _issue(response)["code"] in ("not-supported", "not-found")


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
    assert _issue(response)["code"] == "not-supported"


@pytest.mark.parametrize("path", ["Patient/$code", "Patient/7/$code"])
async def test_operations_are_found_by_level_and_type(client, fhir, path):
    """An operation answers where it is declared, and the interactions are not asked."""
    response = await client.post(path, content=b"{}")
    assert response.json()["id"] == path.replace("/", "-")
    assert not fhir.requests


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
    assert "application/fhir+xml" in _issue(response)["diagnostics"]
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
    assert "Content-Type: " in _issue(response)["diagnostics"]
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


async def test_a_declared_length_over_the_limit_is_413(client, fhir):
    """The body is refused before it is read."""
    response = await client.post("Patient", content=b" " * 2049)
    assert response.status_code == 413
    assert _issue(response)["code"] == "too-long"
    assert not fhir.requests


async def test_a_stream_over_the_limit_is_413_while_it_comes(client):
    """Without a length the limit holds chunk by chunk: the rest is never asked for."""
    sent = 0

    async def chunks():
        nonlocal sent
        for _ in range(1000):
            sent += 1
            yield b" " * 256

    response = await client.post("Patient", content=chunks())
    assert response.status_code == 413
    assert sent < 20


async def test_a_long_url_is_414(client):
    """A query has a limit too."""
    response = await client.get(f"Patient?name={'x' * 600}")
    assert response.status_code == 414


@pytest.mark.parametrize("query", ["name=%FF%FE", "&".join(f"p{n}" for n in range(1001))])
async def test_a_query_that_cannot_be_read_is_4xx(fhir, query):
    """Broken percent-encoding and a thousand parameters end in an OperationOutcome."""
    settings = Settings(max_url_bytes=65536)
    shell = FhirShell(fhir, Operations(), frozenset({"Patient"}), settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(shell), base_url="http://h/fhir/") as client:
        response = await client.get(f"Patient?{query}")
    assert 400 <= response.status_code < 500
    assert _issue(response)["severity"] == "error"


async def test_errors_of_the_interactions_get_their_status(client, fhir):
    """A FhirError becomes its status and its problems."""
    fhir.answer = FhirError.of(Category.NOT_FOUND, "deleted", "The resource was deleted.", "Patient.id")
    response = await client.get("Patient/1")
    assert response.status_code == 410
    assert _issue(response)["expression"] == ["Patient.id"]


@pytest.mark.parametrize(
    "error",
    [RuntimeError("Jane Roe 1970-01-01"), FhirError.of(Category.FAULT, "exception", "Jane Roe 1970-01-01")],
)
async def test_a_fault_never_tells_its_text(client, fhir, error, capfd):
    """The client gets a reference, the log gets the same reference and the place, neither gets the text."""
    fhir.answer = error
    response = await client.get("Patient/1")
    assert response.status_code == 500
    text = _issue(response)["diagnostics"]
    reference = response.headers["x-request-id"]
    assert reference in text
    said = capfd.readouterr()
    assert reference in said.out + said.err
    assert "handle" in said.out + said.err
    assert "Roe" not in response.text + said.out + said.err


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


async def test_a_host_header_that_is_no_host_is_refused(client, fhir):
    """What would go into Location and links is checked first."""
    response = await client.get("Patient/1", headers={"Host": "evil.example/a?b=<script>"})
    assert response.status_code == 400
    assert "evil" not in response.text
    assert not fhir.requests


async def test_a_base_url_of_the_settings_wins_over_the_host(fhir):
    """Behind a proxy the operator says what clients see."""
    settings = Settings(base_url="https://ehr.example.org/r4")
    shell = FhirShell(fhir, Operations(), frozenset({"Patient"}), settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(shell), base_url="http://h/fhir/") as client:
        await client.get("Patient/1")
    assert fhir.requests[0].base_url == "https://ehr.example.org/r4"


async def test_a_websocket_reaches_what_is_registered_at_its_path(fhir):
    """A websocket below the base goes to its own application; any other path is closed before it opens."""
    reached = []

    async def socket(scope, receive, send):
        reached.append(scope["path"])

    settings = Settings()
    shell = FhirShell(fhir, Operations(), frozenset({"Patient"}), settings, {"$listen": socket})
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message["type"])

    await shell({"type": "websocket", "path": "/fhir/$listen"}, receive, send)
    await shell({"type": "websocket", "path": "/fhir/$other"}, receive, send)
    assert (reached, sent) == (["/fhir/$listen"], ["websocket.close"])
