"""Load shedding: as many requests at once as can be answered in time; the others are told to come again, cheaply.

https://www.rfc-editor.org/rfc/rfc9110#name-503-service-unavailable
"""

from __future__ import annotations

import msgspec
from prometheus_client import Counter

from fhir_profiles.errors import Category, FhirError
from server.http.answer import Manner, answer
from server.http.errors import outcome_of, status_of
from server.observability import App, Receive, Scope, Send

SHED = Counter(
    "fhirwright_requests_shed_total", "FHIR requests that were told to come again, as too many were at work."
)
_SPREAD = 3  # seconds over which those who were refused come again, so that they do not come all at once
_TEXT = (
    "The server is at work on as many requests as it can answer in time. Come again after the seconds of Retry-After."
)
_ERROR = FhirError.of(Category.BUSY, "transient", _TEXT)
_BODY = msgspec.json.encode(outcome_of(_ERROR))


class Crowd:
    """Lets at most `most` HTTP requests into `app` at the same time; websockets pass uncounted."""

    def __init__(self, app: App, most: int) -> None:
        self._app = app
        self._most = most
        self._shed = 0
        self.now = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it before anything of it is read."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self.now >= self._most:
            await self._refuse(send)
            return
        self.now += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self.now -= 1

    async def _refuse(self, send: Send) -> None:
        SHED.inc()
        self._shed += 1
        wait = str(1 + self._shed % _SPREAD).encode()
        await answer(send, Manner(), status_of(_ERROR), _BODY, [(b"retry-after", wait)], 0)
