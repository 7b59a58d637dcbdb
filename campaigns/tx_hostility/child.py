"""A server as a child that may take only so much memory; what each call costs it."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from campaigns.furnishing import furnish
from campaigns.tx_hostility.making import Attack

MEMORY = 3 * 1024**3
"""Bytes of addresses that the server may have."""

_TICK = os.sysconf("SC_CLK_TCK")
_CODE = (
    f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}));"
    "import sys, uvicorn; from server.cli.serve import uvicorn_config; from server.settings import Settings;"
    "from server.store.migrate import migrate; s = Settings(); migrate(s.database_url); c = uvicorn_config(s);"
    "c.app = 'server.app:app_from_environment'; c.factory = True; c.port = int(sys.argv[1]); uvicorn.Server(c).run()"
)


@dataclass(frozen=True, slots=True)
class Said:
    """The answer to one call, what it cost the server in CPU and wall seconds, and its largest size in MB."""

    status: int
    body: bytes
    cpu: float
    wall: float
    peak: float


class Child:
    """A server without a worker over a data directory that holds ICD-10-CM."""

    def __init__(self, data: Path, database: str = "") -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fhirwright-tx-hostile-")
        own = furnish(Path(self._folder.name), data)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        environment = {
            "FHIRWRIGHT_DATABASE": database or f"sqlite:///{own / 'db.sqlite'}",
            "FHIRWRIGHT_DATA": str(own),
            "FHIRWRIGHT_OPEN": "true",
            "FHIRWRIGHT_WORKER": "false",
            "FHIRWRIGHT_LOG_FORMAT": "json",
            "FHIRWRIGHT_LOG_LEVEL": "error",
        }
        self.log = own / "log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _CODE, str(self.port)], env={**os.environ, **environment}, stderr=log
            )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        end = time.monotonic() + 120
        while True:
            with contextlib.suppress(OSError):
                if self.send("GET", "/readyz")[0] == 200:
                    return self
            if time.monotonic() > end or self._process.poll() is not None:
                told = self.log.read_text()[-2000:]
                self.__exit__(None, None, None)
                raise RuntimeError(f"the server does not start: {told}")
            time.sleep(0.2)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(40)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    @property
    def stands(self) -> bool:
        """Whether the process is still the one that was started."""
        return self._process.poll() is None

    def send(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """One call on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before all of it was sent
                connection.request(method, path, body or None, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def suffer(self, attack: Attack) -> Said:
        """An attack, and what it cost."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        cpu, start = self._cpu(), time.perf_counter()
        try:
            status, body = self.send(attack.method, f"/fhir/{attack.path}", attack.body, dict(attack.headers))
        except OSError:
            status, body = 0, b""
        return Said(status, body, self._cpu() - cpu, time.perf_counter() - start, self._peak())

    def _cpu(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICK

    def _peak(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
