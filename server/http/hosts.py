"""Which names this server answers to: a page on the web can make a name of its own lead to this machine, and then
reads what it is answered as if it were its own (DNS rebinding); and a name that nobody gave this server must not
become its issuer or stand in its links.

https://www.rfc-editor.org/rfc/rfc9110#name-421-misdirected-request, https://owasp.org/www-community/attacks/DNS_Rebinding
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

import msgspec

from fhir_profiles.errors import Category
from server.http.answer import Manner, answer
from server.http.errors import HttpError, outcome_of
from server.observability import App, Receive, Scope, Send
from server.settings import Settings

PROBES = frozenset({"/healthz", "/readyz"})
"""Paths that say nothing of the name and nothing of anybody: orchestrators ask for them by the address of a machine."""

COUNTED = "/metrics"
"""Asked for likewise; on an open server a page could count with it, so there it is asked for by name."""

_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._~\-]+?)\.?(:\d{0,5})?", re.IGNORECASE)
_LONGEST = 300
_MANY = 1000
_UNKNOWN = (
    "The name in the Host header is none of this server's. Call it by localhost, or set "
    "FHIRWRIGHT_SERVER_NAMES='[\"NAME\"]' to the names that clients call it by"
)
_FOREIGN = HttpError(
    403,
    "forbidden",
    "Pages of other origins may not call an open server. Serve the page from this machine, or set "
    "FHIRWRIGHT_SERVER_NAMES='[\"NAME\"]' to the name that it is served by.",
    category=Category.FORBIDDEN,
)
_OPEN = HttpError(421, "not-supported", f"{_UNKNOWN}.", category=Category.UNSUPPORTED)
_CLOSED = HttpError(
    421, "not-supported", f"{_UNKNOWN}, or FHIRWRIGHT_BASE_URL to its address.", category=Category.UNSUPPORTED
)


class Hosts:
    """Passes on what was sent to a name of this server: where it runs open, or takes its address from the Host header.

    Everything else is answered with 421; to a page of another origin an open server answers 403. Websockets are refused
    before they are open.
    """

    def __init__(self, app: App, settings: Settings) -> None:
        self._app = app
        self._open = settings.open
        self._asked = settings.open or settings.base_url is None
        self._passes = PROBES if settings.open else PROBES | {COUNTED}
        given = [*settings.server_names, settings.host, urlsplit(settings.base_url or "").netloc]
        self._names = frozenset(name for name in map(name_of, given) if name)
        self._known: dict[bytes, bool] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        wrong = self._wrong(scope) if self._asked and scope["type"] in ("http", "websocket") else None
        if wrong is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await answer(send, Manner(), wrong.status, msgspec.json.encode(outcome_of(wrong)), [], 0)

    def _wrong(self, scope: Scope) -> HttpError | None:
        """Why a connection is refused; None where it is not."""
        if scope["path"] in self._passes:
            return None
        hosts = 0
        for name, value in scope["headers"]:
            if name == b"host":
                hosts += 1
                if not self._is_known(value):
                    return _OPEN if self._open else _CLOSED
            elif name == b"origin" and self._open and not self._is_known(value.partition(b"://")[2]):
                return _FOREIGN
        return None if hosts else (_OPEN if self._open else _CLOSED)

    def _is_known(self, authority: bytes) -> bool:
        known = self._known.get(authority)
        if known is None:
            name = name_of(authority.decode("latin-1"))
            known = name in self._names or is_here(name)
            if len(self._known) < _MANY:
                self._known[authority] = known
        return known


def name_of(authority: str) -> str:
    """The name of `NAME:PORT` in small letters, without the brackets of an address; empty for what is none."""
    found = _AUTHORITY.fullmatch(authority) if len(authority) <= _LONGEST else None
    return found[1].lower().strip("[]") if found else ""


def is_here(name: str) -> bool:
    """Whether a name can only be the machine itself (RFC 6761 section 6.3)."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
