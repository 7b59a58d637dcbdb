"""The routes of the authorization server that no person looks at (https://hl7.org/fhir/smart-app-launch/STU2.2/)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from fhir_profiles.errors import FhirError
from server.auth.discovery import openid_configuration, smart_configuration, urls
from server.auth.endpoints import Endpoints, basic_of, is_basic
from server.auth.identify import Identify
from server.auth.model import Pending
from server.auth.pace import BEGUN, Pace
from server.auth.signing import Keys
from server.auth.wire import NO_STORE, Answer, Call
from server.http.pages.auth.visit import address_of
from server.http.routes import PREFIX

LONGEST = 64 * 1024
Issuer = Callable[[Request], str]
"""The FHIR base as a request addressed it."""


def authorization_router(
    endpoints: Endpoints, keys: Keys, identify: Identify, issuer: Issuer, pace: Pace, proxies: Sequence[str] = ()
) -> APIRouter:
    """Discovery, authorize, token, introspection, revocation and keys."""
    router = APIRouter(include_in_schema=False)
    router.include_router(_discovery_router(keys, issuer))

    async def paced(
        request: Request, run: Callable[[Call], Awaitable[Answer]], *, query: bool = False, cost: float = 1
    ) -> Response:
        """The answer to a call, or 429 when this client at this address, or the address, calls too often."""
        call = await read_call(request, query=query)
        buckets = pace.keys(named(call), address_of(request, proxies))
        if wait := pace.wait(buckets, cost):
            told = {"error": "temporarily_unavailable", "error_description": "Too many calls. Wait, then retry."}
            return answer(Answer(status=429, body=told, headers=(*NO_STORE, ("Retry-After", str(wait)))))
        found = await run(call)
        if found.status in (400, 401):
            pace.refused(buckets)
        return answer(found)

    @router.api_route("/auth/authorize", methods=["GET", "POST"])
    async def authorize(request: Request) -> Response:
        base = issuer(request)

        async def run(call: Call) -> Answer:
            found = await run_in_threadpool(endpoints.begin, call, base)
            return _to_consent(found) if isinstance(found, Pending) else found

        return await paced(request, run, query=request.method == "GET", cost=BEGUN)

    @router.post("/auth/token")
    async def token(request: Request) -> Response:
        base = issuer(request)
        at = urls(base)["token_endpoint"]
        return await paced(request, lambda call: run_in_threadpool(endpoints.token, call, base, at))

    @router.post("/auth/introspect")
    async def introspect(request: Request) -> Response:
        base = issuer(request)
        audience = urls(base)["token_endpoint"]

        async def run(call: Call) -> Answer:
            bearer = None
            if call.headers.get("authorization", "")[:7].lower() == "bearer ":
                try:
                    bearer = await identify.authorization(call.headers["authorization"].encode("latin-1"))
                except FhirError:
                    return Answer(status=401, body={"error": "invalid_token"})
            return await run_in_threadpool(endpoints.introspect, call, base, audience, bearer)

        return await paced(request, run)

    @router.post("/auth/revoke")
    async def revoke(request: Request) -> Response:
        at = urls(issuer(request))["token_endpoint"]
        return await paced(request, lambda call: run_in_threadpool(endpoints.revoke, call, at))

    return router


def _to_consent(pending: Pending) -> Answer:
    """The way to the page on which somebody agrees."""
    return Answer(status=303, location=f"/auth/consent?request={pending.hash}")


def _discovery_router(keys: Keys, issuer: Issuer) -> APIRouter:
    """What anybody may read before asking for anything."""
    router = APIRouter(include_in_schema=False)

    @router.get(f"{PREFIX}/.well-known/smart-configuration")
    async def smart(request: Request) -> Response:
        return _public(smart_configuration(issuer(request)))

    @router.get(f"{PREFIX}/.well-known/openid-configuration")
    async def openid(request: Request) -> Response:
        return _public(openid_configuration(issuer(request)))

    @router.get("/auth/jwks")
    async def jwks() -> Response:
        return _public(await run_in_threadpool(keys.published))

    return router


async def read_call(request: Request, *, query: bool = False) -> Call:
    """A call with its form, or with its query; what is too long, or no UTF-8, has no parameters."""
    headers = dict(request.headers.items())
    if query:
        body = request.url.query.encode()
    else:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LONGEST:
                body = b""
                break
    try:
        pairs = tuple(parse_qsl(body.decode(), keep_blank_values=True, errors="strict")[:200])
    except ValueError:
        pairs = ()
    return Call(method=request.method, url=str(request.url), pairs=pairs, headers=headers)


def named(call: Call) -> str:
    """Which client a call says to be of, before that is known."""
    return (is_basic(call) and basic_of(call)[0]) or call.one("client_id") or ""


def answer(found: Answer) -> Response:
    """An answer of the protocol as HTTP."""
    headers = dict(found.headers)
    if found.location is not None:
        return RedirectResponse(found.location, found.status, headers=headers | {"referrer-policy": "no-referrer"})
    return JSONResponse(found.body or {}, found.status, headers=headers)


def _public(body: dict[str, Any]) -> Response:
    """What anybody may read, from any origin."""
    return JSONResponse(body, headers={"cache-control": "public, max-age=300"})
