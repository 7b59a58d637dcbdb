"""The wall: what may be reached, whatever a name resolves to."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import Any

import httpx
import pytest

from fhir_profiles.errors import FhirError
from server.jobs.outside import Wall, is_public


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1",
        "64:ff9b::a00:1", "2002:a00:1::",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    """Private, local, shared, multicast and reserved ones, also inside IPv6."""
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8"])
def test_addresses_that_are_public(address: str) -> None:
    """The rest of the internet."""
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url", ["https://example.org/x", "https://8.8.8.8/x", "http://hooks.inside/x", "http://10.1.2.3/"]
)
def test_urls_that_are_taken(url: str) -> None:
    """https to names and public addresses; what the setting names also by http."""
    Wall(("hooks.inside", "10.1.0.0/16")).check(url)


@pytest.mark.parametrize(
    "url", ["http://example.org/x", "https://10.2.0.1/x", "https://a:b@example.org", "//x", "", "https://[x/"]
)
def test_urls_that_are_refused(url: str) -> None:
    """No plain http, no inner address, no password, nothing that is no URL."""
    with pytest.raises(FhirError):
        Wall(("10.1.0.0/16",)).check(url)


def test_a_name_that_resolves_inside_is_not_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address is judged when the connection is made, so that a name cannot change its mind."""
    asked: list[str] = []

    async def getaddrinfo(_: Any, host: str, port: int, **__: Any) -> list[Any]:
        asked.append(host)
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", getaddrinfo)

    async def call() -> None:
        async with Wall(()).client(1) as client:
            await client.get("https://rebinding.example/x")

    with pytest.raises(httpx.ConnectError):
        asyncio.run(call())
    assert asked == ["rebinding.example"]
