"""Names that are none of the server's are answered by nobody: a page that made its own name lead here reads nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from server.http.hosts import Hosts, name_of
from server.settings import Settings

HERE = ("localhost", "LOCALHOST:8000", "work.localhost:1", "127.0.0.1:8000", "127.9.9.9", "[::1]:8000", "localhost.:80")
ELSEWHERE = (
    "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.0.9:8000", "[::2]", "localhost@evil",
    "localhost evil", "evil.example#localhost", "", "[::1", "a" * 400, "0x7f.1",
)  # fmt: skip


async def ask(
    settings: Settings, *hosts: str, path: str = "/fhir/Patient", kind: str = "http", origin: str = ""
) -> Any:
    """The status, or the code with which a websocket was closed; with it the answer."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "passed", "status": 200, "code": 0})

    headers = [(b"host", host.encode("latin-1")) for host in hosts]
    headers += [(b"origin", origin.encode())] if origin else []
    await Hosts(app, settings)({"type": kind, "path": path, "headers": headers}, receive, send)
    first = sent[0]
    return first.get("status", first.get("code")), sent[-1].get("body", b"")


@pytest.mark.parametrize("host", HERE)
async def test_names_of_the_machine_itself_are_known(host: str) -> None:
    """On an open server and on a closed one without an address."""
    for settings in (Settings(open=True, server_names=()), Settings(server_names=())):
        assert (await ask(settings, host))[0] == 200


@pytest.mark.parametrize("host", ELSEWHERE)
async def test_other_names_are_told_what_to_set(host: str) -> None:
    """421 with the setting and without the name; a websocket is closed before it is open."""
    for settings in (Settings(open=True, server_names=()), Settings(server_names=())):
        status, body = await ask(settings, host)
        told = json.loads(body)
        assert status == 421
        assert "FHIRWRIGHT_SERVER_NAMES" in told["issue"][0]["diagnostics"]
        assert "evil" not in body.decode()
        assert (await ask(settings, host, kind="websocket"))[0] == 1008


async def test_names_that_are_set_are_known() -> None:
    """`server_names`, the address that is listened on, and that of `base_url`; no port makes a difference."""
    base = "https://fhir.example:8443/fhir"
    open = Settings(open=True, server_names=("api", "10.0.0.7"), base_url=base, host="h.lan")
    for host in ("api:8000", "10.0.0.7", "fhir.example", "FHIR.example:1", "h.lan"):
        assert (await ask(open, host))[0] == 200
    assert (await ask(open, "lan"))[0] == 421
    assert (await ask(open, "api", "evil.example"))[0] == 421, "each of two Host headers counts"
    assert (await ask(open))[0] == 421, "none is none of ours"


async def test_a_closed_server_with_an_address_reads_nothing_from_the_name() -> None:
    """Its links and its issuer are what `base_url` says, so that whatever stands before it may call it as it likes."""
    assert (await ask(Settings(base_url="https://fhir.example/fhir", server_names=()), "10.1.2.3:8000"))[0] == 200


async def test_probes_come_by_the_address_of_a_machine() -> None:
    """Health always, counts from a closed server only."""
    closed, open = Settings(server_names=()), Settings(open=True, server_names=())
    for path, expected in (("/healthz", (200, 200)), ("/readyz", (200, 200)), ("/metrics", (200, 421))):
        assert ((await ask(closed, "10.1.2.3", path=path))[0], (await ask(open, "10.1.2.3", path=path))[0]) == expected


async def test_pages_of_other_origins_may_not_call_an_open_server() -> None:
    """What a browser says to come from elsewhere is 403 before it is read, also a websocket; tools name no origin."""
    open = Settings(open=True, server_names=("api",))
    for origin in ("https://evil.example", "null", "http://localhost.evil.example:80", "file://"):
        status, body = await ask(open, "localhost", origin=origin)
        assert status == 403
        assert json.loads(body)["resourceType"] == "OperationOutcome"
        assert (await ask(open, "localhost", origin=origin, kind="websocket"))[0] == 1008
    for origin in ("http://localhost:3000", "http://api", "http://[::1]:5"):
        assert (await ask(open, "localhost", origin=origin))[0] == 200
    assert (await ask(Settings(server_names=()), "localhost", origin="https://app.example"))[0] == 200


def test_what_is_no_authority_has_no_name() -> None:
    """Nothing that a parser of URLs might read otherwise."""
    assert [name_of(one) for one in ("a:b", "a/b", "a@b", "a b", "[::1]x", ":8000")] == [""] * 6
