"""A whole server under hostile files: started, sent to, probed throughout, looked at in the end."""

from __future__ import annotations

import base64
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import psutil

from campaigns.furnishing import furnish
from campaigns.hostility.measure import Outcome
from server.jobs.tasks import task_id
from terminology import build

READY, DONE, PROBE = 120.0, 60.0, 0.1  # seconds
FHIR = {"Content-Type": "application/fhir+json"}
Processes = dict[int, float]  # pid → when it was started, so that a pid used anew is seen


class Server:
    """`fhirwright serve` with its worker on a free port, over a data directory of its own."""

    def __init__(self, terminology: Path) -> None:
        build(terminology)
        self._data = furnish(Path(tempfile.mkdtemp(prefix="fhirwright-hostile-")), terminology)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [
            sys.executable,
            "-m",
            "server.cli",
            "serve",
            "--open",
            "--port",
            str(port),
            "--data",
            str(self._data),
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._probe, self._watch)]
        self.waits: list[float] = []  # of the probes that were answered
        self.unanswered = 0
        self.largest = self._peak = 0.0  # MB of one process: ever, since it was last asked

    def __enter__(self) -> Self:
        end = time.monotonic() + READY
        while not self._ready():
            if time.monotonic() > end or self._process.poll() is not None:
                self.__exit__(None, None, None)
                raise RuntimeError("the server does not start")
            time.sleep(0.2)
        self.code(b"Asthma (J45.909).")  # so that no file is charged with the loading of the terminology
        self.started = self.lasting()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self._process.terminate()
        try:
            self._process.wait(40)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._client.close()
        shutil.rmtree(self._data, ignore_errors=True)

    def _ready(self) -> bool:
        try:
            return self._client.get("/readyz").status_code == 200 and len(self.lasting()) == 2
        except httpx.TransportError:
            return False

    def lasting(self) -> Processes:
        """The server and its worker: the processes that must never end."""
        found = [psutil.Process(self._process.pid), *psutil.Process(self._process.pid).children()]
        kept = [p for p in found if p.pid == self._process.pid or "worker" in p.cmdline()]
        return {process.pid: process.create_time() for process in kept}

    def code(self, data: bytes, *, binary: bool = False) -> Outcome:
        """Send a file, inline or as a Binary; what became of its Task, timed from the answer to the Task's end."""
        attachment: dict[str, str] = {"contentType": "application/octet-stream"}
        if binary:
            held = {"resourceType": "Binary", **attachment, "data": base64.b64encode(data).decode()}
            made = self._client.post("/fhir/Binary", json=held, headers=FHIR)
            if made.status_code != 201:
                return self._answered(made, 0.0)
            attachment["url"] = f"Binary/{made.json()['id']}"
        else:
            attachment["data"] = base64.b64encode(data).decode()
        body = {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": attachment}]}
        self._peak = 0.0
        made = self._client.post("/fhir/DocumentReference", json=body, headers=FHIR)
        start = time.monotonic()
        if made.status_code != 201:
            return self._answered(made, 0.0)
        task = self._ended(task_id(made.json()["id"]), start + DONE)
        reason = (task.get("statusReason") or {}).get("text", "")
        answer = {"failed": "refused", "completed": "read"}.get(task["status"], task["status"])
        return Outcome(answer, reason, time.monotonic() - start, self._peak)

    def _ended(self, task: str, end: float) -> dict[str, Any]:
        while True:
            found: dict[str, Any] = self._client.get(f"/fhir/Task/{task}").json()
            if found["status"] in ("completed", "failed", "cancelled") or time.monotonic() > end:
                return found
            time.sleep(0.02)

    def _answered(self, answer: httpx.Response, seconds: float) -> Outcome:
        """An answer that is not 201: refused when it is a 4xx with an OperationOutcome."""
        try:
            issue = answer.json()["issue"][0]
            told = (issue.get("details") or {}).get("text") or issue.get("diagnostics") or ""
        except (ValueError, KeyError, IndexError):
            return Outcome(str(answer.status_code), "no OperationOutcome", seconds, self._peak)
        kind = "refused" if 400 <= answer.status_code < 500 else str(answer.status_code)
        return Outcome(kind, f"{answer.status_code}: {told}", seconds, self._peak)

    def send(self, content: bytes | Callable[[], Iterator[bytes]]) -> Outcome:
        """Post a body as a Patient."""
        self._peak, start = 0.0, time.monotonic()
        try:
            body = content if isinstance(content, bytes) else content()
            answer = self._client.post("/fhir/Patient", content=body, headers=FHIR)
        except httpx.TransportError as error:
            return Outcome("cut off", type(error).__name__, time.monotonic() - start, self._peak)
        return self._answered(answer, time.monotonic() - start)

    def _probe(self) -> None:
        """Ask for the metadata and for life in turn, ten times a second."""
        with httpx.Client(base_url=self._client.base_url, timeout=10) as client:
            while not self._stop.wait(PROBE):
                start = time.monotonic()
                try:
                    client.get(("/healthz", "/fhir/metadata")[len(self.waits) % 2]).raise_for_status()
                    self.waits.append(time.monotonic() - start)
                except httpx.HTTPError:
                    self.unanswered += 1

    def _watch(self) -> None:
        serve = psutil.Process(self._process.pid)
        while not self._stop.wait(0.05):
            for process in (serve, *serve.children(recursive=True)):
                try:
                    self._peak = max(self._peak, process.memory_info().rss / 1e6)
                except psutil.NoSuchProcess:
                    continue
            self.largest = max(self.largest, self._peak)


def requests() -> Iterator[tuple[str, bytes | Callable[[], Iterator[bytes]], str]]:
    """Bodies that no resource should have: (name, body, the status they must be answered with)."""
    piece = b" " * 1_000_000
    yield "request: 65 MiB", b" " * (65 * 1024 * 1024), "413"
    yield "request: 80 MB in chunks", lambda: (piece for _ in range(80)), "413"
    yield "request: deep JSON", b'{"resourceType":"Patient","extension":' + b"[" * 1_000_000, "400"
    deep = b'{"resourceType":"Patient",' + b'"extension":[{' * 50_000 + b"}]" * 50_000 + b"}"
    yield "request: deep extensions", deep, "400"
