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
from server.cli.terminal import console, note, warn
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

    settings = read_settings(
        host=host, port=port, database=database, data=data, workers=workers, open=open, worker=worker
    )
    check_reach(settings)
    configure_logging(settings)
    settings.data.mkdir(parents=True, exist_ok=True)
    listener = _listen(settings)
    prepare(settings)
    os.environ.update(to_environment(settings))
    if settings.workers > 1:
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="fhirwright-metrics-"))
    warn("there is no authorization: everybody who can connect can read and change everything.")
    note(f"fhirwright listens on {_address(listener)}/fhir")
    _run(settings, listener)


def check_reach(settings: Settings) -> None:
    """Refuse to run without authorization where other machines can connect, unless that is asked for by name."""
    if settings.is_loopback:
        return
    if not settings.open_network:
        raise SettingsError(
            f"FHIRWRIGHT_HOST: {settings.host} can be reached by other machines and there is no authorization. "
            "Use a loopback address such as 127.0.0.1. In a container, where the published port decides who can "
            "connect, set FHIRWRIGHT_OPEN_NETWORK=true."
        )
    warn(f"FHIRWRIGHT_OPEN_NETWORK: {settings.host} can be reached by other machines, without authorization.")


def prepare(settings: Settings) -> None:
    """Bring the database and the terminology to what this version needs."""
    import terminology
    from server.store.migrate import migrate

    migrate(settings.database_url)
    with console().status("Checking the terminology …") as status:
        terminology.build(
            settings.data, progress=lambda what, done, total: status.update(f"Building {what}: {done} of {total} …")
        )


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

    config = uvicorn_config(settings)
    command = [sys.executable, "-m", "server.cli", "worker", "--slot", "0"]
    beside = Supervised(command, settings.shutdown_seconds) if settings.worker else None
    for wanted in (signal.SIGTERM, signal.SIGINT):  # uvicorn stops in order and then raises the signal once more
        signal.signal(wanted, lambda *_: sys.exit(Exit.OK))
    if beside:
        beside.start()
    try:
        if settings.workers > 1:
            Multiprocess(config, sockets=[listener]).run()
        else:
            uvicorn.Server(config).run(sockets=[listener])
    finally:
        if beside:
            beside.stop()
        listener.close()


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
