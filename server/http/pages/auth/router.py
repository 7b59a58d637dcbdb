"""The routes of the pages for people below /auth (https://hl7.org/fhir/smart-app-launch/STU2.2/)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from server.access.roles import Role
from server.auth import owning
from server.auth.attempts import Attempts
from server.auth.choosing import Choosing
from server.auth.endpoints import Endpoints
from server.auth.pace import Pace
from server.auth.registering import register
from server.auth.signin import SignIn
from server.auth.wire import Answer
from server.http.authorization import Issuer, answer
from server.http.pacing import paced_route
from server.store import Store

from .flow import Flow, expired
from .looking_after import LookingAfter
from .render import page, style
from .visit import Form, Visit, address_of, is_secure, read_body, read_form, session_token, visit_of

Handler = Callable[[Visit, Form], Response]


class Doors:
    """What every route does first: who visits, and whether a form is one of ours."""

    def __init__(self, entrance: SignIn, issuer: Issuer, proxies: Sequence[str]) -> None:
        self._entrance = entrance
        self._issuer = issuer
        self._proxies = proxies

    async def visit(self, request: Request) -> Visit:
        """Who visits."""
        secure = is_secure(request, self._issuer(request))
        found = await run_in_threadpool(self._entrance.find, session_token(request, secure))
        return visit_of(request, found, secure, self._proxies)

    async def posted(self, request: Request, handler: Handler, *, signed: bool = True) -> Response:
        """The answer to a form; 403 when it did not come from a page of ours in this session."""
        visit, form = await self.visit(request), await read_form(request)
        if not visit.is_ours(form) or (signed and visit.session is None):
            text = "The form is too old, or did not come from this server. Go back, load the page again and retry."
            return page("message", 403, title="Not accepted", text=text)
        return await run_in_threadpool(handler, visit, form)

    def address(self, request: Request) -> str:
        """From where a request came."""
        return address_of(request, self._proxies)


def pages_router(
    store: Store, endpoints: Endpoints, entrance: SignIn, attempts: Attempts, choosing: Choosing,
    roles: Mapping[str, Role], issuer: Issuer, pace: Pace, proxies: Sequence[str] = (),
) -> APIRouter:  # fmt: skip
    """Sign in, consent, management and registration."""
    router = APIRouter(include_in_schema=False, route_class=paced_route(pace, proxies))
    doors = Doors(entrance, issuer, proxies)
    flow = Flow(store, endpoints, entrance, choosing)
    _flow_routes(router, doors, flow, issuer)
    _management_routes(router, doors, flow, LookingAfter(store, choosing, roles))

    @router.get("/auth/style.css")
    async def css() -> Response:
        return style()

    @router.post("/auth/register")
    async def registration(request: Request) -> Response:
        wait = await run_in_threadpool(attempts.begin, attempts.counters("register", "", doors.address(request)))
        if wait:
            told: dict[str, Any] = {"error": "temporarily_unavailable"}
            return answer(
                Answer(status=429, body=told, headers=(("Retry-After", str(wait)), ("Cache-Control", "no-store")))
            )
        told = _json(await read_body(request))
        return answer(await run_in_threadpool(register, store, told, issuer(request)))

    _registration_routes(router, store, issuer)
    return router


def _registration_routes(router: APIRouter, store: Store, issuer: Issuer) -> None:
    """What whoever registered a client does with it later."""

    @router.get("/auth/register/{id}")
    async def registered(request: Request, id: str) -> Response:
        return answer(await run_in_threadpool(owning.read, store, id, _bearer(request), issuer(request)))

    @router.put("/auth/register/{id}")
    async def changed(request: Request, id: str) -> Response:
        told = _json(await read_body(request))
        return answer(await run_in_threadpool(owning.change, store, id, _bearer(request), told, issuer(request)))

    @router.delete("/auth/register/{id}")
    async def ended(request: Request, id: str) -> Response:
        found = answer(await run_in_threadpool(owning.end, store, id, _bearer(request)))
        return Response(status_code=204, headers={"cache-control": "no-store"}) if found.status_code == 204 else found


def _bearer(request: Request) -> str:
    """The token in the header; empty where there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _flow_routes(router: APIRouter, doors: Doors, flow: Flow, issuer: Issuer) -> None:
    @router.get("/auth/consent")
    async def consent_page(request: Request) -> Response:
        visit = await doors.visit(request)
        return await run_in_threadpool(flow.show, visit, request.query_params.get("request", ""))

    @router.post("/auth/consent")
    async def consent(request: Request) -> Response:
        base = issuer(request)
        return await doors.posted(request, lambda visit, form: flow.consent(visit, form, base))

    @router.get("/auth/sign-in")
    async def sign_in_page(request: Request) -> Response:
        then = request.query_params.get("then", "")
        return await run_in_threadpool(flow.sign_in_page, await doors.visit(request), then=then)

    @router.post("/auth/sign-in")
    async def sign_in(request: Request) -> Response:
        return await doors.posted(request, flow.sign_in, signed=False)

    @router.post("/auth/sign-out")
    async def sign_out(request: Request) -> Response:
        return await doors.posted(request, lambda visit, _: flow.sign_out(visit))

    @router.get("/auth/second-factor")
    async def factor_page(request: Request) -> Response:
        visit = await doors.visit(request)
        if visit.session is None:
            return await run_in_threadpool(flow.sign_in_page, visit)
        return await run_in_threadpool(flow.factor_page, visit, request.query_params.get("request", "")[:100])

    @router.post("/auth/second-factor")
    async def factor(request: Request) -> Response:
        return await doors.posted(request, flow.factor)

    @router.post("/auth/patients")
    async def patients(request: Request) -> Response:
        return await doors.posted(request, flow.choose_patient)

    @router.post("/auth/encounters")
    async def encounters(request: Request) -> Response:
        return await doors.posted(request, flow.choose_encounter)


def _management_routes(router: APIRouter, doors: Doors, flow: Flow, after: LookingAfter) -> None:
    async def shown(request: Request, handler: Callable[[Visit], Response]) -> Response:
        visit = await doors.visit(request)
        if visit.session is None:
            return await run_in_threadpool(flow.sign_in_page, visit)
        if not visit.session.whole:
            return await run_in_threadpool(flow.factor_page, visit, "")
        return await run_in_threadpool(handler, visit)

    async def changed(request: Request, handler: Handler) -> Response:
        def run(visit: Visit, form: Form) -> Response:
            return handler(visit, form) if visit.session is not None and visit.session.whole else expired()

        return await doors.posted(request, run)

    @router.get("/auth/manage")
    async def manage(request: Request) -> Response:
        return await shown(request, after.manage)

    @router.post("/auth/manage/revoke")
    async def revoke(request: Request) -> Response:
        return await changed(request, after.revoke)

    @router.get("/auth/admin")
    async def admin(request: Request) -> Response:
        name = request.query_params.get("name", "")[:100]
        return await shown(request, lambda visit: after.admin(visit, name))

    @router.post("/auth/admin/clients")
    async def clients(request: Request) -> Response:
        return await changed(request, after.decide)

    @router.post("/auth/admin/revoke")
    async def revoke_of(request: Request) -> Response:
        return await changed(request, after.revoke_of)


def _json(body: bytes | None) -> Any:
    try:
        return json.loads(body or b"null")
    except (ValueError, RecursionError):
        return None
