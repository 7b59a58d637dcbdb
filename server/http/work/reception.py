"""Who enters a page of the workbench: signed in, allowed to, and with forms that are ours.

https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

import msgspec
from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from fhir_profiles.errors import FhirError
from server.access.roles import Role
from server.auth.model import Person, Session
from server.auth.signin import SignIn
from server.http.authorization import Issuer
from server.http.errors import status_of
from server.http.pages.auth.visit import (
    FORM_COOKIE,
    Form,
    Visit,
    address_of,
    is_secure,
    read_form,
    session_token,
    visit_of,
    with_cookie,
)

from .desk import Desk, RefusedError
from .rooms import EVERYTHING, allowed
from .session import Launches
from .shown import guarded, page

SIGN_IN = "/auth/sign-in"
POLL = "x-fhirwright-poll"
"""The header of requests that a page sends by itself: they do not keep a session alive."""


class Leave(Exception):
    """The answer to somebody who does not enter."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


class Reception:
    """Takes requests in. Without `entrance` the server runs open, and everybody is somebody of this machine."""

    def __init__(
        self,
        app: Any,
        issuer: Issuer,
        roles: Mapping[str, Role],
        entrance: SignIn | None = None,
        launches: Launches | None = None,
        proxies: Sequence[str] = (),
    ) -> None:
        self._app = app
        self._issuer = issuer
        self._roles = roles
        self._entrance = entrance
        self._launches = launches
        self._proxies = proxies

    async def desk(self, request: Request, room: str = "home", act: str = "") -> Desk:
        """The desk of whoever asks for a page; Leave for those who are not signed in, or may not see it."""
        return (await self._enter(request, room, act))[0]

    async def posted(self, request: Request, room: str, act: str = "") -> tuple[Desk, Form]:
        """The desk and the form that was sent; Leave where it is not one of ours."""
        desk, visit = await self._enter(request, room, act)
        form = await read_form(request)
        self.check(desk, visit, form)
        return desk, form

    async def uploaded(self, request: Request, room: str, act: str = "") -> tuple[Desk, Visit]:
        """The desk and the visit of a form with files, whose fields the caller reads and has checked with `check`."""
        return await self._enter(request, room, act)

    def check(self, desk: Desk, visit: Visit, form: Form) -> None:
        """Leave (403) where a form did not come from a page of ours in this session."""
        if not visit.is_ours(form):
            text = "The form is too old, or did not come from this server. Load the page again, then retry."
            raise Leave(page(desk, "message.html", 403, title="Not accepted", text=text))

    async def _enter(self, request: Request, room: str, act: str) -> tuple[Desk, Visit]:
        visit = await self._visit(request)
        request.state.visit = visit
        desk = self._open(request, visit) if self._entrance is None else await self._signed(request, visit)
        request.state.desk = desk
        wanted = f"{room}:{act}" if act else room
        if not desk.can(wanted):
            text = "Your role does not open this page. Whoever looks after the server can tell you which one does."
            raise Leave(page(desk, "message.html", 403, title="Not allowed", text=text))
        return desk, visit

    async def _visit(self, request: Request) -> Visit:
        secure = is_secure(request, self._issuer(request))
        found: tuple[Session, Person] | None = None
        if self._entrance is not None:
            polls = POLL in request.headers
            found = await run_in_threadpool(self._entrance.find, session_token(request, secure), stays=not polls)
        return visit_of(request, found, secure, self._proxies)

    def _open(self, request: Request, visit: Visit) -> Desk:
        return Desk(**self._place(request), csrf=visit.csrf, name="this machine", may=EVERYTHING)

    async def _signed(self, request: Request, visit: Visit) -> Desk:
        session, person = visit.session, visit.person
        if session is None or person is None:
            raise Leave(self._to_sign_in(request))
        if not session.whole:
            raise Leave(RedirectResponse("/auth/second-factor", 303, headers=guarded()))
        may = allowed(self._roles, person.roles)
        desk = Desk(
            **self._place(request), csrf=session.csrf, name=person.name, who=person.fhir_user, person=person.id,
            roles=person.roles, may=may,
        )  # fmt: skip
        if not may:
            text = "The workbench is for those who code, bill, audit, treat or look after the server."
            raise Leave(page(desk, "message.html", 403, title="Not for this account", text=text))
        assert self._launches is not None
        request.state.desk = desk
        launched = await run_in_threadpool(self._launches.of, session, person, self._issuer(request))
        return msgspec.structs.replace(desk, token=launched.token, forget=partial(self._launches.forget, session))

    def _to_sign_in(self, request: Request) -> Response:
        """The way to sign in, and back here; a request of a script is told so instead."""
        if request.headers.get("sec-fetch-mode", "navigate") != "navigate":
            return Response(status_code=401, headers=guarded() | {"x-sign-in": SIGN_IN})
        then = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        there = then if request.method == "GET" else "/work"
        return RedirectResponse(f"{SIGN_IN}?then={quote(there, safe='')}", 303, headers=guarded())

    def _place(self, request: Request) -> dict[str, Any]:
        return {
            "app": self._app,
            "host": request.headers.get("host", "localhost"),
            "scheme": request.url.scheme,
            "address": address_of(request, self._proxies),
            "place": request.url.path,
        }


class WorkRoute(APIRoute):
    """A route of a page: whoever does not enter, and what FHIR refused, are told on a page too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with what it raises as answers."""
        handler = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                response = await handler(request)
            except Leave as leave:
                response = leave.response
            except RefusedError as refused:
                response = _refused(request, refused.answer.status, refused.answer.told())
            except FhirError as error:
                if not hasattr(request.state, "desk"):
                    raise
                response = _refused(request, status_of(error), str(error))
            visit: Visit | None = getattr(request.state, "visit", None)
            if visit is not None and visit.session is None and visit.fresh:
                with_cookie(response, FORM_COOKIE, visit.form_token, visit.secure)
            return response

        return told


def _refused(request: Request, status: int, text: str) -> Response:
    """What FHIR refused, as a page or as a notice in one."""
    if status == 401:  # whoever is here is signed in: it is the page's own access that was taken back
        status, text = 403, "The access of this page was taken back or has ended. Load the page again."
    titles = {403: "Not allowed", 404: "Not found", 409: "Changed meanwhile", 410: "Deleted", 412: "Changed meanwhile"}
    title = titles.get(status, "Refused")
    return page(request.state.desk, "message.html", status, title=title, text=text)
