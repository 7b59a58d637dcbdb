"""Which pages of other origins may call: of what is public all, of the rest those of registered apps.

https://fetch.spec.whatwg.org/#http-cors-protocol, https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#considerations-for-cross-origin-resource-sharing-cors-support
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from server.http.routes import PREFIX
from server.observability import App, Message, Receive, Scope, Send

PUBLIC = (f"{PREFIX}/metadata", f"{PREFIX}/.well-known/", "/auth/jwks")
GUARDED = (f"{PREFIX}/", "/auth/token", "/auth/revoke", "/auth/introspect")
KEEP_SECONDS = 5.0
"""How long the origins of apps are taken as read."""

_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"
_ASKED = (
    b"authorization, content-type, accept, prefer, if-match, if-none-match, if-none-exist, if-modified-since,"
    b" x-request-id, accept-language"
)
_SHOWN = b"location, content-location, etag, last-modified, retry-after, x-progress, x-request-id, www-authenticate"

Origins = Callable[[], Awaitable[frozenset[str]]]
"""The origins of all apps that are approved."""


class Cors:
    """Adds to answers what tells a browser that a page may read them, and answers its questions beforehand."""

    def __init__(self, app: App, origins: Origins) -> None:
        self._app = app
        self._origins = origins
        self._known: frozenset[str] = frozenset()
        self._until = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; one without an Origin is passed on as it is."""
        origin = None
        if scope["type"] == "http":
            for name, value in scope["headers"]:
                if name == b"origin":
                    origin = value
                    break
        if origin is None:
            await self._app(scope, receive, send)
            return
        allowed = await self._allowed(scope["path"], origin)
        if scope["method"] == "OPTIONS" and any(
            name == b"access-control-request-method" for name, _ in scope["headers"]
        ):
            await _answer_beforehand(allowed, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [pair for pair in message["headers"] if not pair[0].lower().startswith(b"access-control-")]
                message = {**message, "headers": [*headers, *_headers(allowed)]}
            await send(message)

        await self._app(scope, receive, told)

    async def _allowed(self, path: str, origin: bytes) -> bytes | None:
        """Who may read the answer: `*`, the origin, or None."""
        if path.startswith(PUBLIC):
            return b"*"
        if not path.startswith(GUARDED) and path != PREFIX:
            return None
        now = time.monotonic()
        if now >= self._until:
            self._known, self._until = await self._origins(), now + KEEP_SECONDS
        return origin if origin.decode("latin-1") in self._known else None


def _headers(allowed: bytes | None) -> list[tuple[bytes, bytes]]:
    told = [(b"vary", b"origin")] if allowed != b"*" else []
    if allowed is not None:
        told += [(b"access-control-allow-origin", allowed), (b"access-control-expose-headers", _SHOWN)]
    return told


async def _answer_beforehand(allowed: bytes | None, send: Send) -> None:
    """The answer to a browser that asks before it calls."""
    headers = _headers(allowed)
    if allowed is not None:
        headers += [(b"access-control-allow-methods", _METHODS), (b"access-control-allow-headers", _ASKED)]
        headers.append((b"access-control-max-age", b"300"))
    await send({"type": "http.response.start", "status": 204 if allowed is not None else 403, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
