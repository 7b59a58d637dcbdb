"""How fast a client may ask for resources, an address try tokens, and a browser ask for pages.

https://datatracker.ietf.org/doc/html/rfc6585#section-4
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, MutableMapping, Sequence
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection

from fhir_profiles.errors import Category
from server.access.caller import Caller
from server.auth.identify import Identify as Guard
from server.auth.identify import NotAuthorizedError
from server.auth.pace import Pace
from server.http.errors import HttpError

from .pages.auth.render import page
from .pages.auth.visit import COOKIE, address_of, cookie_name

KNOWN = 10_000
"""Headers that were good and are remembered, by their hash: who shows one goes on where others of the address wait."""


class PacedCallers:
    """Finds who calls, and refuses a client that calls faster than it may: 429 with Retry-After.

    All tokens of a client at one patient or person share what the client may: the id of the client counts. From an
    address that shows too many bad tokens none is looked at for a while but those that were good before.
    """

    def __init__(self, identify: Guard, pace: Pace | None, bad: Pace, proxies: Sequence[str] = ()) -> None:
        self._identify = identify
        self._pace, self._bad = pace, bad
        self._proxies = proxies
        self._good: set[int] = set()

    async def __call__(self, header: bytes | None, scope: MutableMapping[str, Any]) -> Caller:
        """Who calls; HttpError 429 when too often, NotAuthorizedError (401) when the header shows nobody."""
        shown = hash(header)
        if header is not None and shown not in self._good and (wait := self._bad.wait(self._place(scope))):
            raise _throttled(f"Too many bad access tokens came from this address. Wait {wait} seconds.", wait)
        try:
            caller = await self._identify(header)
        except NotAuthorizedError:
            if header is not None:
                self._good.discard(shown)
                self._bad.refused(self._place(scope))
            raise
        if shown not in self._good:
            if len(self._good) >= KNOWN:
                self._good.clear()
            self._good.add(shown)
        if self._pace is not None and (wait := self._pace.wait_one(caller.client or caller.who)):
            text = f"This client sends more requests than it may. Wait {wait} seconds, then go on more slowly."
            raise _throttled(text, wait)
        return caller

    def _place(self, scope: MutableMapping[str, Any]) -> tuple[tuple[str, int], ...]:
        """The bucket of the address that a request came from."""
        return self._bad.keys("", address_of(HTTPConnection(scope), self._proxies))[1:]


def _throttled(text: str, wait: int) -> HttpError:
    return HttpError(429, "throttled", text, category=Category.BUSY, headers=((b"retry-after", str(wait).encode()),))


def paced_route(pace: Pace, proxies: Sequence[str]) -> type[APIRoute]:
    """Routes of pages that a browser at an address, or the address, asks for no faster than it may."""

    class PacedRoute(APIRoute):
        """A route that answers 429 with a page."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            """The handler behind the count."""
            handler = super().get_route_handler()

            async def counted(request: Request) -> Response:
                cookies = [request.cookies.get(cookie_name(COOKIE, secure), "") for secure in (True, False)]
                if wait := pace.wait(pace.keys("".join(cookies)[:200], address_of(request, proxies))):
                    text = f"Too many pages were asked for from here. Wait {wait} seconds, then load the page again."
                    return page("message", 429, headers={"retry-after": str(wait)}, title="Too fast", text=text)
                return await handler(request)

            return counted

    return PacedRoute
