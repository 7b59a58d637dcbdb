"""Tenants: each is a server of its own in this process, with its own database, keys, people, tokens, jobs and audit.

A request belongs to the tenant whose host name it was sent to, and to the server itself where it was sent to no
tenant's. There is no way from one to another: nothing of one knows the store of another, so that a token, an id, a
cursor or a job of one is as unknown to the others as one that never was. They share the terminology and the tables of
claims, which are nobody's data.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from server.observability import App, Receive, Scope, Send
from server.settings import Settings
from server.store.replica import same_database

FOLDER = "tenants"
_SHARED = ("terminology", "claims")
_OWN = ("audit_directory",)
"""Settings that name a place of the server's own, which no tenant uses."""


def settings_of(settings: Settings) -> dict[str, Settings]:
    """The settings of each tenant by its host name: those of the server, in a directory and database of its own."""
    found = {}
    for host, database in settings.tenants.items():
        scheme = (settings.base_url or "").partition("://")[0]
        own = {
            "data": settings.data / FOLDER / host.replace(":", "_"),
            "database": database or None,
            "database_direct": settings.tenants_direct.get(host),
            "replica": same_database(settings.replica, database or None),
            "base_url": f"{scheme}://{host}/fhir" if scheme else None,
            "server_names": (host,),
            "tenants": {},
            "tenants_direct": {},
            "metrics": False,
            "encryption_keys": _keys_of(settings, host),
        } | dict.fromkeys(_OWN)
        found[host] = settings.model_copy(update=own)
    return found


def _keys_of(settings: Settings, host: str) -> str | None:
    """Where the keys of a tenant come from: a file beside the server's, another variable, the command with its name."""
    where = settings.encryption_keys
    if where is None:
        return None
    named = {"environment": "_" + "".join(c if c.isalnum() else "_" for c in host.upper()), "command": f" {host}"}
    return where + named.get(settings.encryption, f".{host}")


def furnish(settings: Settings, of: Settings) -> None:
    """Make the directory of a tenant, with what all share."""
    settings.data.mkdir(parents=True, exist_ok=True)
    for name in _SHARED:
        link, shared = settings.data / name, (of.data / name).resolve()
        if shared.is_dir() and not link.exists():
            link.symlink_to(shared, target_is_directory=True)


class Tenants:
    """An ASGI application that hands each request to the tenant that it was sent to."""

    def __init__(self, own: FastAPI, several: Mapping[str, FastAPI]) -> None:
        self.own = own
        self.several = several
        self._apps: dict[bytes, App] = {host.encode(): app for host, app in several.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        app: App = self.own
        if scope["type"] in ("http", "websocket"):
            hosts = [value for name, value in scope["headers"] if name == b"host"]
            app = self._apps.get(hosts[0].lower(), self.own) if len(hosts) == 1 else self.own
        await app(scope, receive, send)


def open_tenants(settings: Settings, create: Callable[[Settings], FastAPI]) -> FastAPI | Tenants:
    """The server with its tenants; without any, the server alone."""
    own = create(settings)
    if not settings.tenants:
        return own
    several = {}
    for host, one in settings_of(settings).items():
        furnish(one, settings)
        several[host] = create(one)
    own.router.lifespan_context = _together(own, list(several.values()))
    return Tenants(own, several)


def _together(own: FastAPI, several: list[FastAPI]) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Start and stop tenants with the server."""
    first = own.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(first(app))
            for one in several:
                await stack.enter_async_context(one.router.lifespan_context(one))
            yield

    return lifespan
