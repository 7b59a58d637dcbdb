"""The one place where the parts of the server are joined."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from fhir_profiles import definitions, json
from server.http.files import Files
from server.http.health import health_router
from server.http.openapi import add_fhir, describe_fhir, openapi_router
from server.http.pages.home import home_router
from server.http.routes import PREFIX
from server.http.shell import FhirShell
from server.http.websocket import SubscriptionSocket
from server.interactions.capabilities import capabilities
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.interactions.published import publish
from server.jobs import intake
from server.jobs.figures import figures
from server.observability import Observe, Receive, Scope, Send, configure_logging
from server.operations.subscriptions import SOCKET
from server.parts import join
from server.settings import Settings, read_settings
from server.store import Store, open_store
from server.store.migrate import HEAD
from terminology import open_terminology

COLLECTED = 10_000, 20, 50
"""When cycles are collected, by generation: by default what is kept at hand is looked through all the time."""


def create_app(settings: Settings) -> FastAPI:
    """The server as an ASGI application; it owns the store and closes it at shutdown."""
    configure_logging(settings)
    store = open_store(
        settings.database_url, statement_seconds=settings.search_seconds, queue=settings.max_waiting_writes
    )
    parts = join(store, settings)
    fhir = parts.fhir
    types = frozenset(definitions.load().resource_types)
    sockets = {SOCKET: SubscriptionSocket(fhir)}
    shell = FhirShell(fhir, parts.operations, types, settings, sockets, defer=parts.deferred, files=Files(store))
    app = Application(shell, settings, lifespan=_lifespan(fhir))
    checks = {"database": _database_is_current(store), "terminology": _terminology_stands(store, settings)}
    depths, told = partial(store.run, intake.depths, store), partial(store.run, figures, store)
    app.include_router(health_router(checks, depths, metrics=settings.metrics, figures=told))
    app.include_router(openapi_router(partial(_describe, app, fhir), types))
    app.include_router(home_router())
    app.state.fhir = fhir
    app.state.parts = parts
    return app


def app_from_environment() -> FastAPI:
    """`create_app` for server processes that get their settings from FHIRWRIGHT_* alone."""
    return create_app(read_settings())


class Application(FastAPI):
    """FastAPI with the FHIR base in front of it, so that no FHIR request pays for FastAPI's own layers."""

    def __init__(self, shell: FhirShell, settings: Settings, **options: Any) -> None:
        super().__init__(title="fhirwright", version=version("fhirwright"), openapi_url=None, **options)
        self._shell = shell
        self._observed = Observe(self._route, settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await self._observed(scope, receive, send)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] in ("http", "websocket") and (path.startswith(f"{PREFIX}/") or path == PREFIX):
            await self._shell(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def _describe(app: Application, fhir: Fhir, resource_type: str | None) -> dict[str, Any]:
    """OpenAPI of FHIR, from the CapabilityStatement, and of the routes beside it; of one resource type or all."""
    beside = get_openapi(title=app.title, version=app.version, routes=app.routes)
    request = Request(method="GET", path=("metadata",), base_url=PREFIX)
    statement = json.decode(capabilities(fhir, request, fhir.store).body)
    types = None if resource_type is None else (resource_type,)
    return add_fhir(beside, describe_fhir(statement, fhir.operations, PREFIX, types))


def _lifespan(fhir: Fhir) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Store the definitions that ship; close the store when the server stops, after the last request."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await fhir.store.run(publish, fhir)
        gc.collect()
        gc.freeze()  # what stands after start-up stays: without it each full collection walks the definitions again
        gc.set_threshold(*COLLECTED)
        try:
            yield
        finally:
            fhir.store.close()

    return lifespan


def _database_is_current(store: Store) -> Callable[[], Awaitable[None]]:
    async def check() -> None:
        rows = await store.run(store.query, "SELECT version_num FROM alembic_version")
        if [row[0] for row in rows] != [HEAD]:
            raise LookupError("migrations are not current")

    return check


def _terminology_stands(store: Store, settings: Settings) -> Callable[[], Awaitable[None]]:
    async def check() -> None:
        await store.run(open_terminology, settings.data)  # raises when nothing is loaded

    return check
