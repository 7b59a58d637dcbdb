"""The FHIR shell alone, over interactions that remember what they were asked."""

import json

import httpx
import pytest

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


def issue(response):
    outcome = response.json()
    assert outcome["resourceType"] == "OperationOutcome"
    return outcome["issue"][0]
