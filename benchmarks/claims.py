"""Claims by the hundred thousand through edits, prices and answers: `python -m benchmarks.claims --claims 20000`.

Tables are the small made ones of the tests, with a million random pairs of codes for NCCI. CPU is of this process; that
of the run is of all its processes, and its peak the largest resident size of one of them.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import orjson
import polars as pl

from campaigns.claiming.making import claims
from campaigns.claiming.tables import framed, made_rows
from claims.answer.head import read_head
from claims.answer.repair import repair
from claims.answer.response import Written, response
from claims.answer.scrub import Scrub
from claims.run.cut import LINES
from claims.sheet.frames import frames
from claims.sheet.read import read_claim
from claims.tables.store import Release, TableSource, save

MOST = {"scrub": 10.0, "submit": 10.0}
"""CPU seconds of scrub, prices and findings for 100,000 claims; CPU milliseconds of one `$submit`."""


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
        _load(room, options.pairs)
        scrub = Scrub.open(room)
        print(
            f"{options.claims} claims, {file.stat().st_size / 1e6:.0f} MB; {len(scrub.edits.active)} rules run, ",
            end="",
        )
        print(f"{len(scrub.edits.not_run)} not; {options.pairs} pairs")
        seconds = _parts(scrub, file)
        _run(room, file, options.claims)
        milliseconds = _submit(room, file)
    scale = 100_000 / options.claims
    return int(seconds * scale > MOST["scrub"] or milliseconds > MOST["submit"])


def _load(room: Path, pairs: int) -> None:
    """The made tables, and many pairs, as releases in a data directory."""
    for name, rows in made_rows().items():
        frame = framed(name, rows)
        if name == "ptp":
            frame = pl.concat([frame, framed(name, _pairs(pairs))])
        release = Release(name, "made", None, None, "made", "none", f"made-{len(frame)}")
        save(room, TableSource(release, lambda frame=frame: frame))  # type: ignore[misc]


def _pairs(count: int) -> Iterator[dict[str, Any]]:
    dice = random.Random(7)
    codes = [f"{n:05d}" for n in range(10_000, 24_000)]
    found = {(dice.choice(codes), dice.choice(codes)) for _ in range(count)}
    for one, other in sorted(found):
        yield {"column1": one, "column2": other, "setting": "practitioner", "indicator": dice.choice("019")}


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


def _parts(scrub: Scrub, file: Path) -> float:
    """Each part by itself, in batches; the seconds of all but the answers."""
    clock, count = Clock(), 0
    gc.collect()
    gc.freeze()
    with file.open("rb") as lines:
        while bodies := list(islice(lines, LINES)):
            gc.disable()
            count += len(bodies)
            records = clock("read", lambda: [read_claim(body, row) for row, body in enumerate(bodies)])
            heads = clock("heads", lambda: [read_head(body) for body in bodies])
            clock("repair", lambda: [repair(record) for record in records])  # noqa: B023
            sheet = clock("frames", lambda: frames(records, scrub.columns))  # noqa: B023
            clock("prices", lambda: scrub.prices.of_frames(sheet))  # noqa: B023
            clock("edits", lambda: scrub.edits.of_frames(sheet))  # noqa: B023
            results = scrub.many(records, heads).results
            written = Written("x", "2026-11-22", scrub.stamp.brief, partial=False)
            clock("answers", lambda: [response(result, written) for result in results])  # noqa: B023
            gc.enable()
            gc.collect()
    for name, seconds in clock.parts.items():
        print(
            f"{name:8} {seconds:6.2f} CPU-s {seconds / count * 1e6:7.1f} us a claim {count / seconds:9.0f} claims/CPU-s"
        )
    whole = sum(clock.parts.values()) - clock.parts["answers"]
    print(f"scrub, prices and findings: {whole:.1f} CPU-s, {count / whole:.0f} claims/CPU-s")
    return whole


def _run(room: Path, file: Path, count: int) -> None:
    """The command, over both cores."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "server.cli", "claims", "run", str(file), "--data", str(room)]
    subprocess.run([*command, "--out", str(room / "out"), "--processes", "2"], check=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    written = sum(path.stat().st_size for path in (room / "out").rglob("*") if path.is_file())
    print(f"fhirwright claims run: {cpu:.1f} CPU-s, {count / cpu:.0f} claims/CPU-s, {wall:.1f} s wall, ", end="")
    print(f"peak {after.ru_maxrss // 1024} MB, {written / 1e6:.0f} MB written")


def _submit(room: Path, file: Path) -> float:
    """CPU milliseconds of one `$submit`, its storing included."""
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
            await submit.handler(Request(method="POST", path=("Claim", "$submit"), body=body, base_url="http://x/fhir"))

    asyncio.run(send(bodies[:20]))
    began = time.process_time()
    asyncio.run(send(bodies[20:]))
    milliseconds = (time.process_time() - began) / (len(bodies) - 20) * 1000
    store.close()
    print(f"$submit: {milliseconds:.1f} ms of CPU")
    return milliseconds


if __name__ == "__main__":
    sys.exit(main())
