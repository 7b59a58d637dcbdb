"""The wall around requests that leave this server: who may be reached, and how (https://www.rfc-editor.org/rfc/rfc6890).

Names are resolved once, here, and the address that was judged is the one that is connected to. Addresses that are not
public are refused unless the setting `inner_hosts` names them; redirects are not followed, proxies are not asked.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from fhir_profiles.errors import Category, FhirError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_EMBEDDING = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))
_CONNECTIONS = 256


class Wall:
    """Which hosts may be reached."""

    def __init__(self, inner_hosts: Iterable[str]) -> None:
        self._names: set[str] = set()
        self._networks = []
        for host in inner_hosts:
            try:
                self._networks.append(ipaddress.ip_network(host, strict=False))
            except ValueError:
                self._names.add(host.lower())

    def check(self, url: str, where: str | None = None) -> None:
        """Refuse a URL that is none, or that is not https to a public host nor one of ours."""
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host = None
        if not host or parts.scheme not in ("http", "https") or parts.username or parts.password:
            raise _refused("The endpoint must be an absolute https URL without user and password.", where)
        address = _address(host)
        inner = self._is_inner(host, address)
        if parts.scheme == "http" and not inner:
            raise _refused("The endpoint must be reached by https.", where)
        if address is not None and not inner and not is_public(address):
            raise _refused("The endpoint must have a public address.", where)

    def may_reach(self, host: str, address: Address) -> bool:
        """Whether a connection to a host may go to one of its addresses."""
        return self._is_inner(host, address) or is_public(address)

    def _is_inner(self, host: str, address: Address | None) -> bool:
        return host.lower() in self._names or (address is not None and any(address in one for one in self._networks))

    def client(self, timeout: float) -> httpx.AsyncClient:
        """A client that stays within the wall."""
        transport = httpx.AsyncHTTPTransport(trust_env=False)
        transport._pool = httpcore.AsyncConnectionPool(  # httpx has no way to pass a backend on
            ssl_context=ssl.create_default_context(),
            max_connections=_CONNECTIONS,
            max_keepalive_connections=_CONNECTIONS,
            keepalive_expiry=30,
            network_backend=_Backend(self),
        )
        return httpx.AsyncClient(
            transport=transport,
            timeout=timeout,
            follow_redirects=False,
            trust_env=False,
            headers={"user-agent": "fhirwright", "accept-encoding": "identity"},
        )


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet and holds no other one inside."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if any(address in one for one in _EMBEDDING):
            return False
    return address.is_global and not address.is_multicast


class _Backend(httpcore.AsyncNetworkBackend):
    """Connects to addresses that the wall lets through."""

    def __init__(self, wall: Wall) -> None:
        self._wall = wall
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(self, host: str, port: int, *arguments: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        """A connection to the first address that answers."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=1)
        except OSError as error:
            raise httpcore.ConnectError("the name is not known") from error
        addresses = [str(info[4][0]) for info in found]
        allowed = [one for one in addresses if self._wall.may_reach(host, ipaddress.ip_address(one))]
        if not allowed:
            raise httpcore.ConnectError("the address is not public")
        return await self._plain.connect_tcp(allowed[0], port, *arguments, **options)

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        """Sockets of this machine are inside."""
        raise httpcore.ConnectError("not within the wall")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


def _address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _refused(text: str, where: str | None) -> FhirError:
    return FhirError.of(Category.INCORRECT, "business-rule", text, where)
