"""Requests that two readers could read in two ways, over a socket to a server as it is served (INPUT-27)."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from server.app import create_app
from server.http.wire import GatheringProtocol
from server.settings import Settings

PATIENT = json.dumps({"resourceType": "Patient"}).encode()
HEAD = b"Host: test\r\nContent-Type: application/fhir+json\r\n"
SMUGGLED = b"GET /fhir/Patient/smuggled HTTP/1.1\r\nHost: test\r\n\r\n"
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(PATIENT), PATIENT)
POST = b"POST /fhir/Patient HTTP/1.1\r\n" + HEAD


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[tuple[str, int]]:
    """A server with the protocol that `fhirwright serve` has."""
    data = tmp_path_factory.mktemp("wire")
    (data / "fhirwright.db").write_bytes(sqlite_template.read_bytes())
    app = create_app(Settings(data=data, open=True, coding="off", log_requests="problems"))
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off", http=GatheringProtocol, server_header=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield server.servers[0].sockets[0].getsockname()
    server.should_exit = True
    thread.join(120)
    app.state.fhir.store.close()


def _said(place: tuple[str, int], sent: bytes) -> bytes:
    """All that the server answers to some bytes until it closes, or says nothing more."""
    with socket.create_connection(place, timeout=120) as one:
        one.sendall(sent)
        one.settimeout(10)  # of the first word, for which a slow machine may need long
        told = b""
        try:
            while part := one.recv(65536):
                told += part
                one.settimeout(1)
        except (TimeoutError, ConnectionResetError):
            pass
        return told


@pytest.mark.check("INPUT-27")
def test_input_27_a_plain_request_is_answered(place: tuple[str, int]) -> None:
    """The socket, the form and the counting below are sound: one request has one answer, two have two."""
    whole = POST + b"Content-Length: %d\r\n\r\n" % len(PATIENT) + PATIENT
    assert _said(place, whole).startswith(b"HTTP/1.1 201")
    assert _said(place, POST + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKED).startswith(b"HTTP/1.1 201")
    assert _said(place, whole + SMUGGLED).count(b"HTTP/1.1 ") == 2


@pytest.mark.check("INPUT-27")
@pytest.mark.parametrize(
    "sent",
    [
        POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED + SMUGGLED,
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" + CHUNKED + SMUGGLED,
        POST + b"Content-Length: 4\r\nContent-Length: 400\r\n\r\n" + PATIENT + SMUGGLED,
        POST + b"Content-Length: +4\r\n\r\n" + PATIENT + SMUGGLED,
        POST + b"Content-Length: 4 4\r\n\r\n" + PATIENT + SMUGGLED,
        POST + b"Content-Length: -1\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n" + CHUNKED + SMUGGLED,
        POST + b"Transfer-Encoding: chunkedx\r\n\r\n" + CHUNKED + SMUGGLED,
        POST + b"Transfer-Encoding : chunked\r\n\r\n" + CHUNKED + SMUGGLED,
        POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"zz\r\n" + PATIENT + b"\r\n0\r\n\r\n" + SMUGGLED,
        POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"fffffffffffffffff\r\n" + PATIENT + SMUGGLED,
        POST + b"X-Folded: a\r\n b\r\nContent-Length: 2\r\n\r\n{}" + SMUGGLED,
        POST + b"Bad Name: a\r\nContent-Length: 2\r\n\r\n{}" + SMUGGLED,
        POST + b"X-Nul: a\x00b\r\nContent-Length: 2\r\n\r\n{}" + SMUGGLED,
        POST + b"Content-Length: 2\r\nX: " + b"a" * 100_000 + b"\r\n\r\n{}",
        b"GET /fhir/Patient?name=" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: test\r\n\r\n",
        POST + b"".join(b"X-%d: a\r\n" % n for n in range(20_000)) + b"Content-Length: 2\r\n\r\n{}",
        b"GET /fhir/Patient HTTP/1.1\r\nHost: one\r\nHost: two\r\n\r\n",
        b"GET /fhir/Patient HTTP/1.1\r\n\r\n",
        b"GET /fhir/Patient HTTP/9.9\r\nHost: test\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello",
    ],
    ids=[
        "CL-TE", "TE-CL", "two-lengths", "plus", "spaced", "negative", "TE-identity", "TE-unknown", "TE-space",
        "chunk-size", "chunk-overflow", "folded", "name", "nul", "long-header", "long-target", "many-headers",
        "two-hosts", "no-host", "version", "TLS",
    ],
)  # fmt: skip
def test_input_27_what_can_be_read_in_two_ways_is_refused(place: tuple[str, int], sent: bytes) -> None:
    """A clear refusal, and nothing that came behind it is taken as a request of its own."""
    told = _said(place, sent)
    statuses = [line.split()[1] for line in told.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
    assert len(statuses) == 1 and statuses[0] in (b"400", b"414", b"431", b"505"), statuses
    assert b"smuggled" not in told
    assert httpx.get(f"http://{place[0]}:{place[1]}/fhir/metadata").status_code == 200
