"""What comes back when something is wrong: sizes, hosts, faults; and what a base URL and a websocket do."""

import httpx
import pytest

from fhir_profiles.errors import Category, FhirError
from server.http.shell import FhirShell
from server.operations.registry import Operations
from server.settings import Settings
from tests.unit.server.http.shell.conftest import issue


async def test_a_declared_length_over_the_limit_is_413(client, fhir):
    """The body is refused before it is read."""
    response = await client.post("Patient", content=b" " * 2049)
    assert response.status_code == 413
    assert issue(response)["code"] == "too-long"
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
    assert issue(response)["severity"] == "error"


async def test_errors_of_the_interactions_get_their_status(client, fhir):
    """A FhirError becomes its status and its problems."""
    fhir.answer = FhirError.of(Category.NOT_FOUND, "deleted", "The resource was deleted.", "Patient.id")
    response = await client.get("Patient/1")
    assert response.status_code == 410
    assert issue(response)["expression"] == ["Patient.id"]


@pytest.mark.parametrize(
    "error",
    [RuntimeError("Jane Roe 1970-01-01"), FhirError.of(Category.FAULT, "exception", "Jane Roe 1970-01-01")],
)
async def test_a_fault_never_tells_its_text(client, fhir, error, capfd):
    """The client gets a reference, the log gets the same reference and the place, neither gets the text."""
    fhir.answer = error
    response = await client.get("Patient/1")
    assert response.status_code == 500
    text = issue(response)["diagnostics"]
    reference = response.headers["x-request-id"]
    assert reference in text
    said = capfd.readouterr()
    assert reference in said.out + said.err
    assert "handle" in said.out + said.err
    assert "Roe" not in response.text + said.out + said.err


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
