"""HL7 v2 over MLLP: a message is acknowledged when its effects, or its place in quarantine, are on disk.

What cannot be answered now (the database is away) is not answered at all: the connection ends and the sender sends
again. https://www.hl7.eu/HL7v2x/v251/std251/ch02.html (2.9)
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar
from uuid import uuid4

import structlog

from fhir_profiles.errors import FhirError
from server.interactions.fhir import Fhir
from server.observability import describe
from server.settings import Settings, SettingsError

from .arrivals import Arrival, Unusable, arrive
from .rows import prune
from .v2.acknowledge import Fate, answers
from .v2.framing import framed, next_frame
from .v2.message import key_of, reader
from .v2.parse import parse

DOOR = "mllp"
THREADS = 16
PRUNE_SECONDS = 3600
_WRONG = {
    "frame": "The bytes are not framed as MLLP has it.",
    "too-large": "The message is larger than the server takes.",
}
log = structlog.get_logger("fhirwright.mllp")
T = TypeVar("T")


class Senders:
    """Who may send, and to which tenant: by the name in a client certificate, else by address."""

    def __init__(self, senders: Mapping[str, str]) -> None:
        self.names = {key[3:]: tenant for key, tenant in senders.items() if key.startswith("cn:")}
        try:
            networks = {ipaddress.ip_network(key, strict=False): t for key, t in senders.items() if key[:3] != "cn:"}
        except ValueError:
            raise SettingsError("FHIRWRIGHT_MLLP_SENDERS: each must be an address, a network or cn:NAME.") from None
        self.networks = sorted(networks.items(), key=lambda one: -one[0].prefixlen)

    def tenant(self, address: str, name: str | None) -> str | None:
        """The tenant that somebody sends to; None for nobody's."""
        if name is not None and name in self.names:
            return self.names[name]
        host = ipaddress.ip_address(address.partition("%")[0])
        host = getattr(host, "ipv4_mapped", None) or host
        for network, tenant in self.networks:
            if host.version == network.version and host in network:
                return tenant
        return None


class Listener:
    """One MLLP port; `houses` are the servers that messages go to, by tenant."""

    def __init__(self, settings: Settings, houses: Mapping[str, Fhir]) -> None:
        self.settings = settings
        self.houses = houses
        self.senders = Senders(settings.mllp_senders)
        known = {*self.senders.names.values(), *(tenant for _, tenant in self.senders.networks)}
        if known - houses.keys():
            raise SettingsError("FHIRWRIGHT_MLLP_SENDERS: each must send to one of FHIRWRIGHT_TENANTS, or to ''.")
        self.readers = {tenant: reader(fhir.settings) for tenant, fhir in houses.items()}
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="mllp")
        self.open = 0

    async def start(self, host: str, port: int) -> asyncio.Server:
        """Listen; messages are taken from now on."""
        return await asyncio.start_server(
            self._serve, host, port, limit=self.settings.mllp_message_bytes, ssl=tls_of(self.settings)
        )

    async def prune(self) -> None:
        """Forget what is old, now and every hour."""
        while True:
            for fhir in self.houses.values():
                await self._run(prune, fhir.store, fhir.settings, time.time_ns() // 1_000_000)
            await asyncio.sleep(PRUNE_SECONDS)

    def close(self) -> None:
        """Wait for the messages that are under way."""
        self.threads.shutdown()

    async def _serve(self, incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
        """One connection, message after message in their order."""
        tenant = self.senders.tenant(outgoing.get_extra_info("peername")[0], _name_of(outgoing))
        if tenant is None or self.open >= self.settings.mllp_connections:
            log.warning("mllp.refused", why="sender" if tenant is None else "connections")
            outgoing.close()
            return
        self.open += 1
        try:
            while await self._answer_next(tenant, incoming, outgoing):
                pass
        except (ConnectionError, TimeoutError, ssl.SSLError):
            log.info("mllp.ended", why="silent or broken")
        except FhirError:
            log.warning("mllp.ended", why="a message could not be kept now; it is to be sent again")
        except Exception as error:
            log.error("mllp.fault", **describe(error))
        finally:
            self.open -= 1
            outgoing.close()

    async def _answer_next(self, tenant: str, incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> bool:
        """Take a message and acknowledge it; whether the connection goes on."""
        frame = await asyncio.wait_for(next_frame(incoming), self.settings.mllp_idle_seconds)
        if frame is None:
            return False
        fate = (
            Fate(frame.wrong, _WRONG[frame.wrong])
            if frame.wrong
            else await self._run(self._take, tenant, frame.content)
        )
        for answer in answers(frame.content, fate, uuid4().hex[:20], datetime.now(UTC)):
            outgoing.write(framed(answer))
        await asyncio.wait_for(outgoing.drain(), self.settings.mllp_idle_seconds)
        return not frame.last

    def _take(self, tenant: str, content: bytes) -> Fate:
        """A message through the ledger, in a thread."""
        outcome = arrive(self.houses[tenant], arrival_of(content), self.readers[tenant])
        log.info("mllp.message", state=outcome.state, reason=outcome.reason, known=outcome.known)
        return Fate.of(outcome)

    async def _run(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.threads, function, *arguments)


def arrival_of(content: bytes) -> Arrival:
    """A message as the ledger knows it: by its sender and control id, else by its content."""
    arrival = Arrival(DOOR, "", content)
    try:
        return arrival._replace(key=key_of(parse(content), content))
    except Unusable:
        return arrival._replace(key=arrival.hash)


def _name_of(outgoing: asyncio.StreamWriter) -> str | None:
    """The common name in the client's certificate, which TLS has checked."""
    for part in (outgoing.get_extra_info("peercert") or {}).get("subject", ()):
        for name, value in part:
            if name == "commonName":
                return str(value)
    return None


def tls_of(settings: Settings) -> ssl.SSLContext | None:
    """TLS as the settings ask for it; with `mllp_clients` nobody comes without a certificate."""
    if settings.mllp_certificate is None or settings.mllp_key is None:
        if settings.mllp_certificate or settings.mllp_key or settings.mllp_clients:
            raise SettingsError("FHIRWRIGHT_MLLP_CERTIFICATE and FHIRWRIGHT_MLLP_KEY must be set together.")
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.mllp_certificate, settings.mllp_key)
        if settings.mllp_clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(settings.mllp_clients)
    except (ssl.SSLError, OSError):
        raise SettingsError("FHIRWRIGHT_MLLP_CERTIFICATE, _KEY or _CLIENTS: a file cannot be read.") from None
    return context
