"""`Claim/$submit` at a steady rate through a real server: `python -m benchmarks.submit`.

Requests are sent when their time has come, whether or not earlier ones were answered; what one waits is counted from
that time. Claims are all different. CPU is that of the server's process and of PostgreSQL's, and of what they would do
anyway. All made tables of the tests are loaded, with a million random pairs of codes for NCCI.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from benchmarks._http_load import Sent
from benchmarks.http import HERE, cpu_of, cpu_of_family, postgres, send
from campaigns.claiming.loading import load
from campaigns.claiming.making import claim

Json = dict[str, Any]
MOST_CPU, MOST_P99 = 10.0, 50.0
"""Milliseconds: CPU of the server for one request, and the wait that one in a hundred may exceed."""
EARLIER = 3
"""Claims that the server has of each stored patient."""


@dataclass(frozen=True)
class Waits:
    """What was measured of one kind of claim; times in milliseconds."""

    p50: float
    p95: float
    p99: float
    most: float
    failed: int
    cpu: float
    database: float


def contained(count: int) -> Iterator[Sent]:
    """Claims that bring with them what they refer to."""
    dice = random.Random(11)
    for number in range(count):
        yield Sent("POST", "/fhir/Claim/$submit", orjson.dumps(claim(dice, number)))


def stored(base: str, count: int, patients: int) -> Iterator[Sent]:
    """Claims of stored patients who have earlier ones; what they refer to is on the server."""
    dice = random.Random(12)
    made = [claim(dice, number) for number in range(patients * (EARLIER + 1) + count)]
    entries: list[Json] = []
    for number in range(patients):
        entries += _parties(made[number], number)
        entries += [_pointed(made[patients * (n + 1) + number], number, f"e{number}-{n}") for n in range(EARLIER)]
    for start in range(0, len(entries), 200):
        some = [
            {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
            for one in entries[start : start + 200]
        ]
        send(base, Sent("POST", "/fhir", orjson.dumps({"resourceType": "Bundle", "type": "batch", "entry": some})))
    for number, one in enumerate(made[-count:]):
        yield Sent("POST", "/fhir/Claim/$submit", orjson.dumps(_pointed(one, number % patients, f"s{number}")))


def _parties(resource: Json, number: int) -> list[Json]:
    """Patient and coverage of a number; of the others there is one."""
    own = [{**one} for one in resource["contained"] if number == 0 or one["resourceType"] in ("Patient", "Coverage")]
    return [json.loads(_renamed(one, number)) | {"id": _name(one["id"], number)} for one in own]


def _pointed(resource: Json, number: int, id: str) -> Json:
    rest = {name: value for name, value in resource.items() if name != "contained"}
    for item in rest["item"]:
        item["quantity"] = {"value": 1}
    return json.loads(_renamed(rest, number)) | {"id": id}  # type: ignore[no-any-return]


def _renamed(resource: Json, number: int) -> str:
    types = {"p": "Patient", "o": "Organization", "r": "Practitioner", "y": "Organization", "v": "Coverage"}
    return re.sub(r'"#(\w)"', lambda m: f'"{types[m[1]]}/{_name(m[1], number)}"', json.dumps(resource))


def _name(id: str, number: int) -> str:
    return f"{id}{number}" if id in "pv" else id


@contextmanager
def serving(url: str, data: Path) -> Iterator[tuple[str, int]]:
    """`fhirwright serve --open` in a process of its own: where it listens, and its pid."""
    environment = {**os.environ, "FHIRWRIGHT_DATABASE": url, "FHIRWRIGHT_DATA": str(data)}
    environment |= {"FHIRWRIGHT_WORKER": "false", "FHIRWRIGHT_CODING": "off", "POLARS_MAX_THREADS": "1"}
    with tempfile.NamedTemporaryFile() as log:
        command = [sys.executable, "-m", "server.cli", "serve", "--open", "--port", "0"]
        process = subprocess.Popen(command, env=environment, cwd=HERE.parent, stderr=log, stdout=log)
        try:
            while not (found := re.search(r"(http://\S+:\d+)/fhir", Path(log.name).read_text())):
                if process.poll() is not None:
                    raise RuntimeError(f"the server did not start: {Path(log.name).read_text()[-2000:]}")
                time.sleep(0.1)
            _wait(found[1])
            yield found[1], process.pid
        finally:
            process.terminate()
            process.wait(30)


def _wait(base: str) -> None:
    for _ in range(600):
        try:
            return send(base, Sent("GET", "/healthz"))
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server does not answer")


async def open_loop(base: str, requests: list[Sent], rate: float, connections: int = 32) -> tuple[list[float], int]:
    """The seconds that each request waited from when it was due, and how many were not answered with 200."""
    address = urlsplit(base)
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(connections):
        free.put_nowait(await asyncio.open_connection(address.hostname, address.port))
    waits: list[float] = []
    failed = 0

    async def one(request: Sent, due: float) -> None:
        nonlocal failed
        connection = await free.get()
        reader, writer = connection
        writer.write(request.on_wire(address.netloc))
        head = await reader.readuntil(b"\r\n\r\n")
        if length := re.search(rb"content-length: (\d+)", head, re.IGNORECASE):
            await reader.readexactly(int(length[1]))
        waits.append(time.perf_counter() - due)
        failed += not head.startswith(b"HTTP/1.1 200")
        free.put_nowait(connection)

    began = time.perf_counter() + 0.1
    running = []
    for number, request in enumerate(requests):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        running.append(asyncio.create_task(one(request, due)))
    await asyncio.gather(*running)
    while not free.empty():
        free.get_nowait()[1].close()
    return waits, failed


def measure(base: str, pid: int, database: int | None, requests: list[Sent], options: argparse.Namespace) -> Waits:
    """One kind of claim at the rate, after some that warm the server."""
    warm, timed = requests[: options.warm], requests[options.warm :]
    asyncio.run(open_loop(base, warm, options.rate / 2))
    before, beside = cpu_of(pid), cpu_of_family(database) if database else 0.0
    waits, failed = asyncio.run(open_loop(base, timed, options.rate))
    spent = (cpu_of(pid) - before) / len(timed) * 1e3
    beside = ((cpu_of_family(database) if database else 0.0) - beside) / len(timed) * 1e3
    waits.sort()
    p50, p95, p99 = (waits[len(waits) * share // 100] * 1e3 for share in (50, 95, 99))
    return Waits(p50, p95, p99, waits[-1] * 1e3, failed, spent, beside)


def main() -> int:
    """Print a line for each engine and kind of claim; the exit code is 1 where a figure is beyond what it may be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=50, help="requests a second")
    parser.add_argument("--warm", type=int, default=100, help="requests before those that count")
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--engine", choices=["sqlite", "postgresql"], action="append", help="default: both")
    options = parser.parse_args()
    count, beyond = int(options.seconds * options.rate) + options.warm, False
    print(f"load {os.getloadavg()[0]:.1f}; {options.rate:g} requests/s for {options.seconds:g} s; milliseconds")
    print(f"{'':24}{'p50':>8}{'p95':>8}{'p99':>8}{'most':>8}{'CPU':>8}{'of PG':>8}")
    with ExitStack() as stack:
        room = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fhirwright-bench-")))
        load(room, options.pairs)
        for engine in options.engine or ["sqlite", "postgresql"]:
            url, database = f"sqlite:///{room / 'bench.db'}", None
            if engine == "postgresql":
                url, database = stack.enter_context(postgres())
            with serving(url, room) as (base, pid):
                kinds = {"contained": list(contained(count)), "stored": list(stored(base, count, 500))}
                for name, requests in kinds.items():
                    found = measure(base, pid, database, requests, options)
                    beyond |= found.cpu > MOST_CPU or found.p99 > MOST_P99 or found.failed > 0
                    figures = (found.p50, found.p95, found.p99, found.most, found.cpu, found.database)
                    failed = f"   {found.failed} failed" if found.failed else ""
                    print(f"{engine:12}{name:12}{''.join(f'{one:8.1f}' for one in figures)}{failed}", flush=True)
    print(f"load {os.getloadavg()[0]:.1f}; asked: p99 below {MOST_P99:g}, CPU at most {MOST_CPU:g}")
    return int(beyond)


if __name__ == "__main__":
    sys.exit(main())
