"""The one place where the parts of the server are joined."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI, HTTPException
from fastapi import Request as HttpRequest
from fastapi.openapi.utils import get_openapi
from prometheus_client import Metric

from fhir_profiles import definitions, json
from fhir_profiles.errors import FhirError
from server.access.caller import SYSTEM, anybody
from server.access.caller import Identify as Guard
from server.access.decisions import Policy
from server.access.roles import Role, read_roles
from server.audit.trail import Trail
from server.auth import keep
from server.auth.attempts import Attempts
from server.auth.choosing import Choosing
from server.auth.endpoints import Endpoints
from server.auth.identify import Identify
from server.auth.jwks import KeySets
from server.auth.outsiders import Outsiders
from server.auth.pace import Pace
from server.auth.signin import Limits, SignIn
from server.auth.signing import Keys
from server.http.arrive import base_url
from server.http.authorization import authorization_router
from server.http.cors import Cors, Origins
from server.http.crowd import Crowd
from server.http.files import Files
from server.http.health import counted_now, health_router
from server.http.hosts import Hosts
from server.http.openapi import add_fhir, describe_fhir, openapi_router
from server.http.pacing import PacedCallers
from server.http.pages.auth.router import pages_router
from server.http.pages.home import home_router
from server.http.recording import ENDPOINTS, refusals
from server.http.routes import PREFIX
from server.http.shell import FhirShell
from server.http.websocket import SubscriptionSocket
from server.http.work.reception import Reception
from server.http.work.router import work_router
from server.http.work.session import Launches
from server.interactions.capabilities import capabilities
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.interactions.published import publish
from server.jobs import intake
from server.jobs.outside import Wall
from server.jobs.watch import Watch
from server.observability import Observe, Receive, Scope, Send, configure_logging
from server.operations.subscriptions import SOCKET
from server.parts import Parts, join
from server.phi.keys import keys_of
from server.settings import Settings, read_settings
from server.store import Store, open_store
from server.store.floor import STANDS, suits
from server.store.migrate import HEAD
from server.telemetry import spans
from server.telemetry.start import Telemetry, start
from server.telemetry.watching import watch as watch_store
from server.tenants import Tenants, open_tenants
from terminology import open_terminology

_WELL_KNOWN = f"{PREFIX}/.well-known/"
COLLECTED = 10_000, 20, 50
"""When cycles are collected, by generation: by default what is kept at hand is looked through all the time."""


def create_app(settings: Settings) -> FastAPI:
    """The server as an ASGI application; it owns the store and closes it at shutdown."""
    configure_logging(settings)
    store = open_store(
        settings.database_url,
        statement_seconds=settings.search_seconds,
        queue=settings.max_waiting_writes,
        keys=keys_of(settings),
        replica=settings.replica_url,
    )
    telemetry = start(settings, "api", lambda: _now(store, parts))
    if spans.tracing is not None:
        watch_store(store)
    parts = join(store, settings)
    fhir = parts.fhir
    types = frozenset(definitions.load().resource_types)
    roles = read_roles(settings.data)
    key_sets = KeySets(Wall(settings.inner_hosts))
    guard = Identify(store, lambda: roles, _outsiders(settings, key_sets))
    identify = anybody if settings.open else _paced(guard, settings)
    sockets = {SOCKET: SubscriptionSocket(fhir, identify)}
    files = Files(store, identify)
    trail = Trail(store, settings)
    shell = FhirShell(
        fhir,
        parts.operations,
        types,
        settings,
        sockets,
        parts.deferred,
        files,
        identify=identify,
        trail=trail,
        policy=_policy(settings),
    )
    origins = None if settings.open else partial(store.run, keep.origins, store)
    app = Application(shell, settings, origins, lifespan=_lifespan(fhir, trail, telemetry))
    checks = {"database": _database_is_current(store), "terminology": _terminology_stands(store, settings)}
    depths, told = partial(store.run, intake.depths, store), partial(store.run, parts.house.metrics)
    app.include_router(health_router(checks, depths, metrics=settings.metrics, figures=told))
    app.include_router(openapi_router(partial(_describe, app, fhir), types))
    app.include_router(home_router())
    if settings.open:
        reception = Reception(app, partial(_issuer, settings), roles, proxies=settings.proxies)
    else:
        keys = Keys(store)
        endpoints = Endpoints(store, keys, key_sets)
        issuer = partial(_issuer, settings)
        pace = Pace(settings.auth_burst, settings.auth_rate)
        app.include_router(authorization_router(endpoints, keys, guard, issuer, pace, settings.proxies))
        entrance = _entrance(fhir, settings)
        app.include_router(_pages(fhir, settings, endpoints, roles, trail, pace, entrance))
        launches = Launches(store, endpoints, roles)
        reception = Reception(app, issuer, roles, entrance, launches, settings.proxies)
        app.state.endpoints = endpoints
    app.include_router(work_router(reception, settings.second_look_percent))
    app.state.trail = trail
    app.state.fhir = fhir
    app.state.parts = parts
    return app


def _paced(guard: Identify, settings: Settings) -> Guard:
    """Who finds out who calls, how often a client may, and how often an address may show bad tokens."""
    pace = Pace(settings.fhir_burst, settings.fhir_rate) if settings.fhir_rate else None
    return PacedCallers(guard, pace, Pace(settings.auth_burst, settings.auth_rate), settings.proxies)


def _policy(settings: Settings) -> Policy | None:
    """Who else is asked before a request is answered, where somebody is."""
    if settings.policy_url is None:
        return None
    return Policy(settings.policy_url, settings.policy_token, settings.policy_seconds, settings.policy_keep_seconds)


def _outsiders(settings: Settings, key_sets: KeySets) -> Outsiders | None:
    """Who checks tokens of the issuer that is trusted, where one is."""
    issuer, jwks, base = settings.trusted_issuer, settings.trusted_jwks, settings.base_url
    return Outsiders(issuer, jwks, base, key_sets) if issuer and jwks and base else None


def _entrance(fhir: Fhir, settings: Settings) -> SignIn:
    """Where people sign in."""
    limits = Limits(
        idle=settings.session_idle_minutes * 60,
        longest=settings.session_hours * 3600,
        second_factor=settings.second_factor == "required",
    )
    return SignIn(fhir.store, limits, Attempts(fhir.store, free=settings.sign_in_attempts))


def _pages(
    fhir: Fhir, settings: Settings, endpoints: Endpoints, roles: Mapping[str, Role], trail: Trail, pace: Pace,
    entrance: SignIn,
) -> APIRouter:  # fmt: skip
    """The pages on which people sign in and agree."""
    attempts, choosing = entrance.attempts, Choosing(fhir, roles, trail.keep)
    issuer = partial(_issuer, settings)
    return pages_router(fhir.store, endpoints, entrance, attempts, choosing, roles, issuer, pace, settings.proxies)


def _issuer(settings: Settings, request: HttpRequest) -> str:
    """The FHIR base as a request addressed it."""
    host = request.headers.get("host", "localhost").encode("latin-1")
    try:
        return settings.base_url or base_url(request.url.scheme, host)
    except FhirError:
        raise HTTPException(400, "The Host header is not a host name.") from None


def app_from_environment() -> FastAPI | Tenants:
    """The server, with its tenants, for processes that get their settings from FHIRWRIGHT_* alone."""
    return open_tenants(read_settings(), create_app)


class Application(FastAPI):
    """FastAPI with the FHIR base in front of it, so that no FHIR request pays for FastAPI's own layers."""

    def __init__(self, shell: FhirShell, settings: Settings, origins: Origins | None = None, **options: Any) -> None:
        super().__init__(
            title="fhirwright", version=version("fhirwright"), openapi_url=None, redirect_slashes=False, **options
        )
        self._shell = Crowd(shell, settings.max_requests)
        inner = self._route if origins is None else Cors(self._route, origins)
        self._observed = Observe(Hosts(inner, settings), settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await self._observed(scope, receive, send)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        below = path.startswith(f"{PREFIX}/") and not path.startswith(_WELL_KNOWN)
        if scope["type"] in ("http", "websocket") and (below or path == PREFIX):
            await self._shell(scope, receive, send)
        elif path in ENDPOINTS and scope["type"] == "http":
            await super().__call__(scope, receive, refusals(self.state.trail, scope, send))
        else:
            await super().__call__(scope, receive, send)


def _describe(app: Application, fhir: Fhir, resource_type: str | None) -> dict[str, Any]:
    """OpenAPI of FHIR, from the CapabilityStatement, and of the routes beside it; of one resource type or all."""
    beside = get_openapi(title=app.title, version=app.version, routes=app.routes)
    request = Request(method="GET", path=("metadata",), base_url=PREFIX, caller=SYSTEM)
    statement = json.decode(capabilities(fhir, request, fhir.store).body)
    types = None if resource_type is None else (resource_type,)
    return add_fhir(beside, describe_fhir(statement, fhir.operations, PREFIX, types))


def _now(store: Store, parts: Parts) -> Iterable[Metric]:
    """Metrics that are counted when they are asked for."""
    return counted_now(intake.depths(store), parts.house.metrics())


def _lifespan(
    fhir: Fhir, trail: Trail, telemetry: Telemetry | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Store the definitions that ship; close the store when the server stops, after the last request."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await fhir.store.run(publish, fhir)
        await fhir.store.run(trail.start)
        watch = Watch(fhir.settings.direct_url, present=True)
        watch.start()
        gc.collect()
        gc.freeze()  # what stands after start-up stays: without it each full collection walks the definitions again
        gc.set_threshold(*COLLECTED)
        try:
            yield
        finally:
            await asyncio.to_thread(watch.stop)
            if telemetry is not None:
                await asyncio.to_thread(telemetry.stop)
            fhir.store.close()

    return lifespan


def _database_is_current(store: Store) -> Callable[[], Awaitable[None]]:
    async def check() -> None:
        rows = await store.run(store.query, STANDS)
        found, floor = rows[0] if rows else (None, None)
        if not suits(found, floor, HEAD):
            raise LookupError("migrations are not current")

    return check


def _terminology_stands(store: Store, settings: Settings) -> Callable[[], Awaitable[None]]:
    async def check() -> None:
        await store.run(open_terminology, settings.data)  # raises when nothing is loaded

    return check
