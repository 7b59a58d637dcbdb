"""`fhirwright serve`: migrate, build the terminology, start one worker and the HTTP server."""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fhir_profiles.errors import Category, FhirError
from server.cli.exits import Exit
from server.cli.terminal import building, console, note, warn
from server.settings import Settings, SettingsError, read_settings, to_environment

if TYPE_CHECKING:
    import uvicorn


_BACKLOG = 2048


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. [127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on. [8000]")] = None,
    database: Annotated[str | None, typer.Option(help="Database URL. [SQLite in the data directory]")] = None,
    data: Annotated[Path | None, typer.Option(help="Data directory. [var]")] = None,
    workers: Annotated[int | None, typer.Option(help="API processes that share the database. [1]")] = None,
    open: Annotated[
        bool | None, typer.Option("--open", help="Run without authorization; loopback addresses only.")
    ] = None,
    worker: Annotated[
        bool | None, typer.Option("--worker/--no-worker", help="Start one worker process, slot 0. [worker]")
    ] = None,
) -> None:
    """Run the FHIR server at /fhir, and one worker beside it."""
    from server.observability import configure_logging
    from server.store.migrate import migrate
    from server.tenants import furnish, settings_of

    settings = read_settings(
        host=host, port=port, database=database, data=data, workers=workers, open=open, worker=worker
    )
    check_reach(settings)
    configure_logging(settings)
    settings.data.mkdir(parents=True, exist_ok=True)
    listener = _listen(settings)
    prepare(settings)
    for one in settings_of(settings).values():
        furnish(one, settings)
        migrate(one.direct_url, one.database_url)
    os.environ.update(to_environment(settings))
    if settings.workers > 1:
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="fhirwright-metrics-"))
    if settings.open:
        warn("there is no authorization: everybody who can connect can read and change everything.")
    else:
        tell_first_steps(settings)
        if settings.encryption == "off":
            warn("FHIRWRIGHT_ENCRYPTION is off: second factors and signing keys lie in the database as they are.")
    note(f"fhirwright listens on {_address(listener)}/fhir")
    _run(settings, listener)


def check_reach(settings: Settings) -> None:
    """Refuse to run without authorization where other machines can connect, unless that is asked for by name."""
    if settings.is_loopback:
        return
    if not settings.open:
        if settings.base_url is None:
            warn(
                "FHIRWRIGHT_BASE_URL is not set: only who calls this server by a name of FHIRWRIGHT_SERVER_NAMES "
                "is answered, and that name issues tokens."
            )
        return
    if not settings.open_network:
        raise SettingsError(
            f"FHIRWRIGHT_HOST: {settings.host} can be reached by other machines and there is no authorization. "
            "Use a loopback address such as 127.0.0.1. In a container, where the published port decides who can "
            "connect, set FHIRWRIGHT_OPEN_NETWORK=true."
        )
    warn(f"FHIRWRIGHT_OPEN_NETWORK: {settings.host} can be reached by other machines, without authorization.")


def tell_first_steps(settings: Settings) -> None:
    """Say how to make the first administrator where there is none."""
    from server.access.roles import read_roles
    from server.auth.people import has_admin
    from server.phi.keys import keys_of
    from server.store import open_store

    store = open_store(settings.database_url, create=False, keys=keys_of(settings))
    try:
        if has_admin(store, read_roles(settings.data)):
            return
    finally:
        store.close()
    place = f" --database {settings.database}" if settings.database and "@" not in settings.database else ""
    note("nobody can look after this server yet. Make the first administrator:")
    note(f"  fhirwright user add NAME --role admin --data {settings.data}{place}")
    note(f"then let apps in with `fhirwright client add`, and sign in at {_public(settings)}/auth/manage")


def _public(settings: Settings) -> str:
    return (settings.base_url or f"http://{settings.host}:{settings.port}/fhir").removesuffix("/fhir")


def prepare(settings: Settings) -> None:
    """Bring the database and the terminology to what this version needs."""
    import terminology
    from claims.tables.terms import keep
    from server.store.migrate import migrate

    migrate(settings.direct_url, settings.database_url)
    shown = console()
    with shown.status("Checking the terminology …") as status:

        def turning(what: str, done: int, total: int) -> None:
            status.update(f"Building {what}: {done} of {total} …")

        progress = turning if shown.is_terminal else building()  # a log has no line that changes
        terminology.build(settings.data, progress=progress)
        keep(terminology.open_terminology(settings.data), settings.data, progress)


def _listen(settings: Settings) -> socket.socket:
    """The socket, which listens before anything slow happens: a taken port is told at once, and early clients wait."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host.strip("[]"), settings.port))
        listener.listen(_BACKLOG)  # only this takes the port: two sockets that do not listen yet can share one
    except OSError as error:
        listener.close()
        text = f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}. Choose another --port."
        raise FhirError.of(Category.UNAVAILABLE, "transient", text) from None
    listener.set_inheritable(True)
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _run(settings: Settings, listener: socket.socket) -> None:
    """Serve until a signal ends it; the worker lives exactly as long."""
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from server.cli.supervise import Supervised
    from server.tenants import settings_of

    config = uvicorn_config(settings)
    command = [sys.executable, "-m", "server.cli", "worker", "--slot", "0"]
    grace = settings.shutdown_seconds
    tenants = settings_of(settings).values()
    beside = [Supervised(command, grace)]
    beside += [Supervised([*command, *_place(one)], grace, _environment(one)) for one in tenants]
    for wanted in (signal.SIGTERM, signal.SIGINT):  # uvicorn stops in order and then raises the signal once more
        signal.signal(wanted, lambda *_: sys.exit(Exit.OK))
    for child in beside if settings.worker else ():
        child.start()
    try:
        if settings.workers > 1:
            Multiprocess(config, sockets=[listener]).run()
        else:
            uvicorn.Server(config).run(sockets=[listener])
    finally:
        for child in beside if settings.worker else ():
            child.stop()
        listener.close()


def _environment(settings: Settings) -> dict[str, str]:
    """What a tenant's worker is told: nothing that the server alone is set to."""
    ours = {f"FHIRWRIGHT_{name.upper()}" for name in Settings.model_fields}
    return {name: value for name, value in os.environ.items() if name not in ours} | to_environment(settings)


def _place(settings: Settings) -> list[str]:
    """The options of a tenant's worker."""
    return ["--data", str(settings.data), "--database", settings.database_url]


def uvicorn_config(settings: Settings) -> uvicorn.Config:
    """How uvicorn runs the application; what it would log about requests is ours to log."""
    import uvicorn

    from server.http.wire import GatheringProtocol

    return uvicorn.Config(
        "server.app:app_from_environment",
        factory=True,
        loop="uvloop",
        http=GatheringProtocol,
        ws="websockets-sansio",
        ws_max_size=64 * 1024,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        workers=settings.workers,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )
