"""One server and two workers that may die at any time and are started again at once."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from campaigns.killing.client import waiting

READY_SECONDS = 120.0
DONE_SECONDS = 900.0


class Process:
    """A server, ready when it takes connections on `port`, or a worker, ready when it says so."""

    def __init__(
        self, command: list[str], environment: dict[str, str], port: int | None = None, place: Path | None = None
    ) -> None:
        self._command, self._environment, self._port, self._place = command, environment, port, place
        self.log: list[str] = []
        self.start()

    def start(self) -> None:
        """Start it (again)."""
        self.ready = threading.Event()
        self.began = time.monotonic()
        self.took: float | None = None
        self._process = subprocess.Popen(
            [sys.executable, "-m", "server.cli", *self._command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=self._environment,
            cwd=self._place,  # of another version's source; ours otherwise
            text=True,
        )
        threading.Thread(target=self._follow, args=(self._process, self.ready), daemon=True).start()
        if self._port:
            threading.Thread(target=self._probe, args=(self._process, self.ready), daemon=True).start()

    def _follow(self, process: subprocess.Popen[str], ready: threading.Event) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self.log = [*self.log[-50:], line]
            if "worker.ready" in line:
                self.took = time.monotonic() - self.began
                ready.set()

    def _probe(self, process: subprocess.Popen[str], ready: threading.Event) -> None:
        while process.poll() is None and not ready.is_set():
            try:
                socket.create_connection(("127.0.0.1", self._port or 0), 1).close()
                ready.set()
            except OSError:
                time.sleep(0.1)

    @property
    def pid(self) -> int:
        """The process id of the present run."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it kindly."""
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()


class Fleet:
    """The processes of one run over one database."""

    def __init__(self, url: str, data: Path, workers: int = 2) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        environment = {
            **os.environ,
            "FHIRWRIGHT_LOG_FORMAT": "json",
            "FHIRWRIGHT_LOG_REQUESTS": "problems",
            "FHIRWRIGHT_DATABASE": url,
            "FHIRWRIGHT_DATA": str(data),
            "FHIRWRIGHT_WORKER_DOCUMENTS": "1",
        }
        self.base_url = f"http://127.0.0.1:{port}/fhir/"
        server = ["serve", "--no-worker", "--open", "--port", str(port)]
        self._processes = {"server": Process(server, environment, port)}
        for slot in range(workers):
            command = ["worker", "--slot", str(slot)]
            self._processes[f"worker {slot}"] = Process(command, environment)
        self.names = list(self._processes)
        self.starts: list[float] = []

    def wait_ready(self, name: str) -> None:
        """Wait until a process is up; one that ended by itself is a failure of the campaign."""
        process = self._processes[name]
        deadline = time.monotonic() + READY_SECONDS
        while not process.ready.wait(0.2):
            if not process.alive or time.monotonic() > deadline:
                raise RuntimeError(f"{name} did not come up:\n{''.join(process.log)}")
        if name.startswith("worker") and process.took is not None:
            self.starts.append(process.took)
            process.took = None

    def kill(self, name: str) -> None:
        """Kill a process and start it again."""
        self._processes[name].kill()
        self._processes[name].start()

    def wait_done(self, url: str) -> int:
        """Wait until every Task has ended well; how many have not when time is up."""
        for name in self.names:
            self.wait_ready(name)
        deadline = time.monotonic() + DONE_SECONDS
        while (left := waiting(url)) and time.monotonic() < deadline:
            time.sleep(0.5)
        return left

    def __enter__(self) -> Self:
        for name in self.names:
            self.wait_ready(name)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for process in self._processes.values():
            process.stop()
