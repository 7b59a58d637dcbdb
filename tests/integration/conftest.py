"""A real server, in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest


@dataclass
class Live:
    """A server process that listens."""

    base: str
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> int:
        """Ask it to end and wait; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(120)


def start_live(data: Path, *options: str, closed: bool = False, **variables: str) -> Live:
    """`fhirwright serve` without a worker on a port the system chooses, open or closed; returns when it is ready."""
    log = data / "serve.log"
    command = [
        sys.executable,
        "-m",
        "server.cli",
        "serve",
        *([] if closed else ["--open"]),
        "--no-worker",
        "--port",
        "0",
        "--data",
        str(data),
        *options,
    ]
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, stderr=stderr, env={**os.environ, **variables})
    for _ in range(1200):
        found = re.search(r"listens on (http://\S+)/fhir", log.read_text())
        if found and _is_ready(found[1]):
            return Live(found[1], process, log)
        if process.poll() is not None:
            break
        time.sleep(0.1)
    process.kill()
    raise RuntimeError(f"the server did not start: {log.read_text()}")


def _is_ready(base: str) -> bool:
    try:
        return httpx.get(f"{base}/readyz", timeout=60).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture
def launch(tmp_path: Path, furnish: Callable[[Path], Path]) -> Iterator[Callable[..., Live]]:
    """A function that starts a server of the test's own; what the test left running is ended."""
    started: list[Live] = []

    def start(*options: str, **variables: str) -> Live:
        started.append(start_live(furnish(tmp_path / f"live-{len(started)}"), *options, **variables))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory, furnish: Callable[[Path], Path]) -> Iterator[Live]:
    """One server process for all tests that only need one."""
    server = start_live(furnish(tmp_path_factory.mktemp("live")))
    yield server
    server.stop()
