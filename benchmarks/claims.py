"""Claims by the hundred thousand through edits, prices and answers: `python -m benchmarks.claims --claims 20000`.

Tables are the small made ones of the tests, with a million random pairs of codes for NCCI. CPU is of this process; that
of the run is of all its processes, as is its peak: pages that they share are counted once (PSS).
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import hashlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import orjson

from campaigns.claiming.loading import load
from campaigns.claiming.making import claims
from campaigns.claiming.processes import below, memory
from claims.answer.head import Head
from claims.answer.repair import repair_many
from claims.answer.response import Written, response
from claims.answer.scrub import Scrub
from claims.run.cut import Chunk, cut, read
from claims.run.sheets import findings, prices, tally
from claims.sheet.sheet import Sheet

MOST = {"CPU-s": 10.0, "wall": 6.0, "wall with answers": 15.0, "peak MB": 1024.0, "submit": 10.0}
"""CPU and wall seconds of scrub, prices and findings for 100,000 claims, and with answers; memory of all processes;
CPU milliseconds of one `$submit`."""


def main() -> int:
    """Print each part; the exit code is 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=100_000)
    parser.add_argument("--pairs", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        file = room / "claims.ndjson"
        with file.open("wb") as target:
            target.writelines(orjson.dumps(one) + b"\n" for one in claims(options.claims))
        load(room, options.pairs)
        scrub = Scrub.open(room)
        print(
            f"{options.claims} claims, {file.stat().st_size / 1e6:.0f} MB; {len(scrub.edits.active)} rules run, ",
            end="",
        )
        print(f"{len(scrub.edits.not_run)} not; {options.pairs} pairs; load {os.getloadavg()[0]:.1f}")
        _parts(scrub, file)
        del scrub
        gc.unfreeze()
        gc.collect()
        missed = _run(room, file, options.claims)
        milliseconds = _submit(room, file)
    if milliseconds > MOST["submit"]:
        missed.append(f"submit: {milliseconds:.1f}, asked {MOST['submit']}")
    print("\n".join(f"missed: {one}" for one in missed) or "every target is met")
    return int(bool(missed))


class Clock:
    """CPU seconds by part."""

    def __init__(self) -> None:
        self.parts: dict[str, float] = {}

    def __call__(self, name: str, do: Callable[[], Any]) -> Any:
        """What `do` gives; its time is added to the part."""
        began = time.process_time()
        found = do()
        self.parts[name] = self.parts.get(name, 0.0) + time.process_time() - began
        return found


def _parts(scrub: Scrub, file: Path) -> None:
    """Each part by itself, chunk by chunk."""
    clock, count = Clock(), 0
    gc.collect()
    gc.freeze()
    for chunk in cut(file):
        gc.disable()
        _chunk(clock, scrub, chunk, read(file, chunk).splitlines())
        count += chunk.lines
        gc.enable()
        gc.collect()
    for name, seconds in clock.parts.items():
        each, rate = seconds / count * 1e6, count / seconds
        print(f"{name:8} {seconds:6.2f} CPU-s {each:7.1f} us a claim {rate:9.0f} claims/CPU-s")
    whole = sum(clock.parts.values()) - clock.parts["answers"]
    print(f"scrub, prices and findings: {whole:.1f} CPU-s, {count / whole:.0f} claims/CPU-s")


def _chunk(clock: Clock, scrub: Scrub, chunk: Chunk, bodies: list[bytes]) -> None:
    rules, numbers = scrub.edits.active, list(range(chunk.first, chunk.first + chunk.lines))
    sheet, heads = clock("read", lambda: _read(bodies))
    clock("columns", lambda: sheet.columns)
    clock("repair", lambda: repair_many(sheet))
    asked = clock("frames", lambda: sheet.frames(scrub.columns))
    clock("prices", lambda: scrub.prices.of_frames(asked))
    clock("edits", lambda: scrub.edits.of_frames(asked))
    many = scrub.many(sheet, heads)
    clock("digests", lambda: [hashlib.sha256(body).digest() for body in bodies])
    clock("tables", lambda: prices(many.prices, sheet, numbers).write_parquet(BytesIO()))
    clock("tables", lambda: findings(rules, many.found, sheet, numbers).write_parquet(BytesIO()))
    clock("tables", lambda: tally(rules, many, sheet))
    written = Written("x", "2026-11-22", scrub.stamp.brief, partial=False)
    clock("answers", lambda: [response(result, written) for result in many.results])


def _read(bodies: Sequence[bytes]) -> tuple[Sheet, list[Head]]:
    sheet = Sheet()
    return sheet, [Head.of(sheet.add(body)) for body in bodies]


def _run(room: Path, file: Path, count: int) -> list[str]:
    """The command, over two processes; which targets are missed."""
    one = room / "one.ndjson"
    with file.open("rb") as lines:
        one.write_bytes(next(lines))
    start, least, _ = _timed("start to end with one claim", room, one, 1)
    cpu, wall, _ = _timed("findings and prices", room, file, count, "--no-responses")
    _, whole, peak = _timed("with answers", room, file, count, watched=True)
    scale = 100_000 / count
    found = {
        "CPU-s": start + (cpu - start) * scale,
        "wall": least + (wall - least) * scale,
        "wall with answers": least + (whole - least) * scale,
        "peak MB": peak,
    }
    return [f"{name}: {figure:.1f}, asked {MOST[name]}" for name, figure in found.items() if figure > MOST[name]]


def _timed(
    name: str, room: Path, file: Path, count: int, *more: str, watched: bool = False
) -> tuple[float, float, float]:
    """CPU and wall seconds of a run, and MB of all its processes at their peak where that is watched."""
    ctypes.CDLL(None).prctl(36, 1)  # processes of a process that has ended become ours, and their time is told us
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    out, peak, apart = room / "out", 0, 0
    arguments = ["claims", "run", str(file), "--out", str(out), "--data", str(room), "--processes", "2", *more]
    process = subprocess.Popen([sys.executable, "-m", "server.cli", *arguments], stderr=subprocess.DEVNULL)
    while watched and process.poll() is None:
        pss, rss = memory([process.pid, *below(process.pid)])
        peak, apart = max(peak, pss), max(apart, rss)
        time.sleep(0.5)
    code, wall = process.wait(), time.perf_counter() - began
    with suppress(ChildProcessError):
        while True:
            os.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    written = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(f"run, {name}: {cpu:.1f} CPU-s, {wall:.1f} s wall, {count / wall:.0f} claims/s", end="")
    print(f", {written / 1e6:.0f} MB written, {len(list(out.rglob('*.*')))} files", end="")
    print(
        f", peak {peak >> 20} MB of all processes (RSS {apart >> 20})" if watched else "", f" exit {code}" * bool(code)
    )
    shutil.rmtree(out)
    return cpu, wall, peak / (1 << 20)


def _submit(room: Path, file: Path) -> float:
    """CPU milliseconds of one `$submit`, its storing included."""
    from server.access.caller import ANYBODY
    from server.interactions.exchange import Request
    from server.interactions.fhir import Fhir
    from server.jobs.schema import prepare
    from server.operations import claims as operation
    from server.settings import Settings
    from server.store import open_store
    from server.store.migrate import migrate

    url = f"sqlite:///{room / 'fhirwright.db'}"
    migrate(url)
    prepare(url)
    store = open_store(url)
    (submit,) = operation.operations(Fhir(store, Settings(data=room, open=True)))
    with file.open("rb") as lines:
        bodies = list(islice(lines, 300))

    async def send(some: list[bytes]) -> None:
        for body in some:
            await submit.handler(
                Request(caller=ANYBODY, method="POST", path=("Claim", "$submit"), body=body, base_url="http://x/fhir")
            )

    asyncio.run(send(bodies[:20]))
    began = time.process_time()
    asyncio.run(send(bodies[20:]))
    milliseconds = (time.process_time() - began) / (len(bodies) - 20) * 1000
    store.close()
    print(f"$submit: {milliseconds:.1f} ms of CPU")
    return milliseconds


if __name__ == "__main__":
    sys.exit(main())
