"""A server of our own for as long as the demo runs: a free port, a log file, a clean end."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

START_SECONDS = 280.0  # the first start builds the terminology
STOP_SECONDS = 25.0


class DemoError(Exception):
    """The demo cannot go on; the message says why and where to look."""


@contextmanager
def running(data: Path, database: Path, log: Path, waiting: Callable[[str], None]) -> Iterator[str]:
    """Start `fhirwright serve` and give its FHIR base; it is stopped on the way out, whatever happened.

    `waiting` is called with the server's last log line until it is ready. Raises DemoError when it does not start.
    """
    port = _free_port()
    command = [sys.executable, "-m", "server.cli", "serve", "--open", "--port", str(port)]
    command += ["--data", str(data), "--database", f"sqlite:///{database}"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)  # noqa: S603 - our own module
        try:
            _wait(process, port, log, waiting)
            yield f"http://127.0.0.1:{port}/fhir"
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path, waiting: Callable[[str], None]) -> None:
    """Return when the server says it is ready."""
    deadline = time.monotonic() + START_SECONDS
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5, trust_env=False) as client:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise DemoError(f"The server ended while it started; {log} says why.")
            try:
                if client.get("/readyz").status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                waiting(_last_line(log))
            time.sleep(0.1)
    raise DemoError(f"The server was not ready after {START_SECONDS:.0f} seconds; {log} says what it did.")


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
