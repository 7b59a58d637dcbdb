"""What would make this server call somebody: nothing leaves for where it should not (INPUT-18, INPUT-19)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import msgspec
import pytest

from fhir_profiles.errors import FhirError
from server.jobs.attachments import binary_id, read_attachment
from server.jobs.children import Failure
from server.jobs.outside import Wall
from tests.conformance.security.conftest import BASE, Ground, observation
from tests.conformance.security.services import EC, SERVICE, ask, install, signed, tokens_of
from tests.conformance.security.test_input import JSON, http
from tests.integration.auth.conftest import Flow

__all__ = ["http"]

INNER = (
    "http://127.0.0.1:9/x", "https://127.0.0.1:9/x", "https://[::1]:9/x", "http://169.254.169.254/latest/meta-data",
    "https://169.254.169.254/x", "https://0x7f.1:9/x", "https://2130706433:9/x", "https://[::ffff:127.0.0.1]:9/x",
    "https://rebinding.example/x", "https://localhost:9/x", "file:///etc/passwd", "gopher://127.0.0.1:9/_x",
    "ftp://127.0.0.1/x", "//127.0.0.1/x", "https://u:p@127.0.0.1:9/x",
)  # fmt: skip
NEAR = (
    "https://fhir.example.evil.com/fhir/Binary/b", "https://fhir.example@evil.com/fhir/Binary/b",
    "https://fhir.example:443.evil/fhir/Binary/b", "https://fhir.example/fhir.evil/Binary/b",
    "https://fhir.example/fhirBinary/b", "https://evil.com/https://fhir.example/fhir/Binary/b",
)  # fmt: skip
OURS = "https://fhir.example/fhir"


@pytest.fixture
def spied(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Where sockets were connected to; every name that is no address resolves to this machine."""
    reached: list[Any] = []
    real = socket.getaddrinfo

    def connect(self: socket.socket, address: Any) -> None:
        reached.append(address)
        raise ConnectionRefusedError

    def resolve(host: Any, port: Any, *rest: Any, **options: Any) -> Any:
        text = host.decode() if isinstance(host, bytes) else host
        return real("127.0.0.1" if str(text).endswith(".example") else host, port, *rest, **options)

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    yield reached


@pytest.mark.check("INPUT-19")
async def test_input_19_the_spy_sees_what_leaves(spied: list[Any]) -> None:
    """A connection that the wall lets through is seen, so that seeing none means that there was none."""
    async with Wall(("127.0.0.1",)).client(2) as client:
        for url in ("http://127.0.0.1:9/x", "https://rebinding.example:9/x"):
            with pytest.raises(httpx.HTTPError):
                await client.get(url)
    assert [address[:2] for address in spied] == [("127.0.0.1", 9)] * 2


@pytest.mark.check("INPUT-19")
@pytest.mark.parametrize("url", INNER)
async def test_input_19_nothing_that_is_written_reaches_inside(
    http: httpx.AsyncClient, spied: list[Any], url: str
) -> None:
    """Attachments, endpoints of subscriptions, imports and canonical URLs: refused or left alone, no connection."""
    channel = {"type": "rest-hook", "endpoint": url, "payload": "application/fhir+json"}
    hook = {"resourceType": "Subscription", "status": "requested", "reason": "x", "criteria": "Patient",
            "channel": channel}  # fmt: skip
    answer = await http.post("Subscription", json=hook, headers=JSON)
    if url.startswith("https://") and url.partition("//")[2][0] not in "1[u":  # a name: judged when it is connected to
        assert answer.status_code in (201, 422)
    else:
        assert answer.status_code in (400, 422), answer.text
    sources = {"resourceType": "Parameters", "parameter": [{"name": "input", "part": [
        {"name": "type", "valueString": "Patient"}, {"name": "url", "valueUrl": url}]}]}  # fmt: skip
    await http.post("$import", json=sources, headers=JSON | {"prefer": "respond-async"})
    imported = {"resourceType": "ValueSet", "id": "v", "status": "active", "url": "https://sets.example/v",
                "compose": {"include": [{"valueSet": [url]}]}}  # fmt: skip
    await http.put("ValueSet/v", json=imported, headers=JSON)
    expanded = await http.get("ValueSet/v/$expand")
    assert expanded.status_code >= 400
    await http.get("ValueSet/$expand", params={"url": url})
    await http.post("Patient/$validate", params={"profile": url}, json={"resourceType": "Patient"}, headers=JSON)
    document = {"content": [{"attachment": {"url": url}}]}
    with pytest.raises(Failure):
        read_attachment(document, OURS, lambda _: b"never", 1000)
    with pytest.raises((FhirError, httpx.HTTPError, httpx.InvalidURL)):
        Wall(()).check(url)
        async with Wall(()).client(2) as client:
            await client.get(url)
    assert spied == []


@pytest.mark.check("INPUT-19")
async def test_input_19_no_key_set_is_fetched_from_inside(flow: Flow, spied: list[Any]) -> None:
    """Neither the jwks_uri of a client nor a jku in an assertion: invalid_client, and no connection."""
    for url in INNER:
        install(flow, msgspec.structs.replace(SERVICE, jwks=None, jwks_uri=url))
        for assertion in (signed(), signed(jku=url), signed(EC, jku="https://other.example/jwks")):
            answer = await ask(flow, assertion)
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), url
    assert spied == [] and tokens_of(flow) == 0


@pytest.mark.check("INPUT-18", "INPUT-19")
async def test_input_19_a_redirect_is_not_followed_and_gets_no_secret() -> None:
    """Whoever is allowed cannot send us on to whoever is not, and what was meant for one goes to no other."""
    taken: list[tuple[str, str | None]] = []

    class Sends(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            taken.append((self.path, self.headers["authorization"]))
            self.send_response(302)
            self.send_header("location", f"http://127.0.0.1:{self.server.server_port}/inside")  # type: ignore[attr-defined]
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Sends)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        async with Wall(("127.0.0.1",)).client(5) as client:
            headers = {"authorization": "Bearer of the first"}
            answer = await client.get(f"http://127.0.0.1:{server.server_port}/first", headers=headers)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert answer.status_code == 302 and taken == [("/first", "Bearer of the first")]


@pytest.mark.check("INPUT-18")
@pytest.mark.parametrize("url", NEAR)
def test_input_18_what_begins_like_ours_is_not_ours(url: str) -> None:
    """An attachment whose address only begins as this server's is somebody else's, and nothing is read for it."""
    assert binary_id(f"{OURS}/Binary/b", OURS) == "b"
    assert binary_id(url, OURS) is None
    with pytest.raises(Failure, match="outside this server"):
        read_attachment({"content": [{"attachment": {"url": url}}]}, OURS, lambda _: b"ours", 1000)


@pytest.mark.check("INPUT-18")
@pytest.mark.parametrize(
    "url",
    [
        "http://trusted.example.evil.com/x", "http://trusted.example@evil.com/x", "http://trusted.example:443.evil/x",
        "http://xtrusted.example/x", "http://trusted.example\\@evil.com/x", "http://evil.com#trusted.example",
        "http://evil.com/trusted.example", "http://10.1.0.1.evil.com/x",
    ],
)  # fmt: skip
def test_input_18_a_trusted_host_is_trusted_by_its_whole_name(url: str) -> None:
    """The hosts that may be reached inside are compared whole: what contains one of their names is not."""
    wall = Wall(("trusted.example", "10.1.0.0/16"))
    wall.check("http://trusted.example/x")
    with pytest.raises(FhirError):
        wall.check(url)


@pytest.mark.check("INPUT-18")
async def test_input_18_a_reference_to_another_server_is_no_membership(ground: Ground) -> None:
    """A subject whose address only begins as this server's, or holds it, is no patient of ours."""
    for near in (
        f"{BASE}.evil.com",
        "http://test.evil.com/fhir",
        "http://test@evil.com/fhir",
        f"http://evil.com/{BASE}",
    ):
        strange = observation("A") | {"subject": {"reference": f"{near}/Patient/A"}}
        made = await ground.send("POST", "Observation", strange, scope="patient/*.cruds")
        assert made.status_code == 403, near
    ours = observation("A") | {"subject": {"reference": f"{BASE}/Patient/A"}}
    assert (await ground.send("POST", "Observation", ours, scope="patient/*.cruds")).status_code == 201
