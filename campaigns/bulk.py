"""Claims and notes in bulk, by one process, two, Ray on two nodes and Spark: every byte must be the same.

`make campaign NAME=bulk` needs the extras `bulk`, `ray` and `spark`, and Java. It kills a node in the middle of a run,
and the one that began a run (SIGKILL), which is run again. It writes docs/results/bulk.md.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from benchmarks.findings import notes
from campaigns.claim_kills import ENDED, make
from campaigns.claiming.loading import load
from campaigns.claiming.nodes import nodes

REPORT = Path("docs/results/bulk.md")
DAY = "2026-09-01"
RUN = [sys.executable, "-c", "import sys; from server.cli.main import main; main(sys.argv[1:])", "bulk"]
KINDS = {"claims": ("responses", "findings", "prices"), "code": ("coded",)}


@dataclass
class Ran:
    """One run: what it worked on, by whom, seconds of wall and CPU (None where others worked), hashes of its files."""

    what: str
    who: str
    wall: float
    cpu: float | None
    hashes: dict[str, str]
    kept: int = 0  # chunks that were done when something was killed


@dataclass
class Room:
    """Where it happens."""

    path: Path
    counts: dict[str, int]
    report: Path
    ran: list[Ran] = field(default_factory=list)

    def input(self, what: str) -> Path:
        """The file that a command works on."""
        return self.path / f"{what}.ndjson"

    @property
    def sound(self) -> bool:
        """Whether all runs came to the same."""
        return all(
            len({str(sorted(ran.hashes.items())) for ran in self.ran if ran.what == what}) <= 1 for what in KINDS
        )

    def note(self, ran: Ran) -> None:
        """Keep a run and tell it; the report holds what ran so far."""
        self.ran.append(ran)
        self.report.write_text(page(self))
        same = ran.hashes == next(one for one in self.ran if one.what == ran.what).hashes
        print(f"{ran.what}, {ran.who}: {ran.wall:.1f} s, {'same bytes' if same else 'DIFFERENT'}", flush=True)


def make_notes(file: Path, count: int) -> None:
    """Notes of the corpus, or one of ours, each with a visit of its own before it; some lines are none."""
    dice, texts = random.Random(1), notes()
    with file.open("wb") as target:
        for number in range(count):
            upper, lower, pulse = dice.randint(95, 190), dice.randint(55, 110), dice.randint(48, 120)
            visit = f"VISIT {number}\nBP {upper}/{lower}, pulse {pulse}, weight {dice.randint(45, 140)} kg.\n\n"
            note = {"id": f"note-{number}", "text": visit + texts[number % len(texts)]}
            target.write(b"no note\n" if dice.random() < 0.002 else orjson.dumps(note) + b"\n")


def begin(room: Room, what: str, out: Path, *more: str) -> subprocess.Popen[bytes]:
    """The command, as a process."""
    day = ["--on", DAY] if what == "claims" else []
    arguments = [what, str(room.input(what)), "--output", str(out), "--data", str(room.path / "data"), *day, *more]
    return subprocess.Popen([*RUN, *arguments], stderr=subprocess.PIPE, start_new_session=True)


def ended(process: subprocess.Popen[bytes]) -> float:
    """CPU seconds of a process and its own once it came to its end."""
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in ENDED:
        raise SystemExit(f"A run ended with {process.returncode}\n{said.decode()[-2000:]}")
    return used.ru_utime + used.ru_stime


def hashes(out: Path) -> dict[str, str]:
    """Name → SHA-256 of the files of an output, as read here, beside its own summary."""
    found = {path.name: sha256(path.read_bytes()).hexdigest() for path in sorted(out.glob("*.ndjson"))}
    if orjson.loads((out / "summary.json").read_bytes())["files"] != found:
        raise SystemExit(f"The summary of {out.name} tells other hashes than its files have")
    return found


def one(room: Room, what: str, who: str, *more: str, ray: bool = False) -> None:
    """A run that is let alone."""
    out, began = room.path / f"{what} {who}", time.monotonic()
    cpu = ended(begin(room, what, out, *more))
    room.note(Ran(what, who, time.monotonic() - began, None if ray else cpu, hashes(out)))


def until(process: subprocess.Popen[bytes], out: Path, share: float, room: Room, what: str) -> int:
    """Wait until a share of the work is done; how many chunks are."""
    size = {"claims": 2_000, "code": 128}[what]
    wanted = max(1, int(share * room.counts[what] / size))
    while process.poll() is None and len(list(out.glob(".chunks/*.json"))) < wanted:
        time.sleep(0.02)
    if process.poll() is not None:
        raise SystemExit("The run ended before it could be killed")
    return len(list(out.glob(".chunks/*.json")))


def lose_node(room: Room, what: str) -> None:
    """A node of two is lost in the middle."""
    with nodes(2) as cluster:
        out, began = room.path / f"{what} node lost", time.monotonic()
        process = begin(room, what, out, "--ray", cluster.address)
        done = until(process, out, 0.4, room, what)
        cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
        ended(process)
        wall = time.monotonic() - began
    room.note(Ran(what, "Ray, a node killed in the middle", wall, None, hashes(out), done))


def lose_driver(room: Room, what: str) -> None:
    """The one that began the run is ended in the middle, and begins again."""
    with nodes(2) as cluster:
        out, began = room.path / f"{what} driver lost", time.monotonic()
        process = begin(room, what, out, "--ray", cluster.address)
        done = until(process, out, 0.4, room, what)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        ended(begin(room, what, out, "--ray", cluster.address))
        wall = time.monotonic() - began
    room.note(Ran(what, "Ray, driver killed -9 and run again", wall, None, hashes(out), done))


@contextmanager
def session(room: Path) -> Iterator[Any]:
    """Spark on this machine, two tasks at a time."""
    os.environ |= {
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").appName("bulk").config("spark.ui.enabled", "false")
    builder = builder.config("spark.local.dir", str(room / "spark")).config("spark.sql.shuffle.partitions", "8")
    builder = builder.config("spark.driver.memory", "3g").config("spark.driver.maxResultSize", "3g")
    builder = builder.config("spark.sql.execution.arrow.maxRecordsPerBatch", "2000")
    builder = builder.config("spark.sql.warehouse.dir", str(room / "warehouse"))
    spark = builder.getOrCreate()
    try:
        yield spark
    finally:
        spark.stop()


def on_spark(room: Room, spark: Any, what: str) -> None:
    """The same work by Spark."""
    from server.bulk import spark as adapter
    from server.bulk.claiming import Claiming
    from server.bulk.coding import Coding
    from server.jobs.bounds import bounds_of
    from server.settings import read_settings

    settings = read_settings(data=room.path / "data")
    work = Claiming(str(settings.data), DAY) if what == "claims" else Coding(bounds_of(settings))
    out, began = room.path / f"{what} spark", time.monotonic()
    items = adapter.items(spark, str(room.input(what)), work, str(out / "items"))
    found = adapter.results(items, work).persist()
    told = {}
    for kind in KINDS[what]:
        digest = sha256()
        for line in adapter.lines(found, kind):
            digest.update(line)
        told[f"{kind}.ndjson"] = digest.hexdigest()
    found.unpersist()
    room.note(Ran(what, "Spark local[2]", time.monotonic() - began, None, told))


def warm(room: Room) -> None:
    """Let the terminology be built, which the first run would wait for."""
    (few := room.path / "few.ndjson").write_bytes(b"no note\n")
    arguments = ["code", str(few), "--output", str(room.path / "few"), "--data", str(room.path / "data")]
    ended(subprocess.Popen([*RUN, *arguments, "--processes", "1"], stderr=subprocess.PIPE))


def campaign(room: Room, *, spark: bool = True) -> bool:
    """All runs; whether every one came to the same."""
    make(room.input("claims"), room.counts["claims"], 1)
    make_notes(room.input("code"), room.counts["code"])
    load(room.path / "data", 100_000)
    warm(room)
    for what in KINDS:
        one(room, what, "one process", "--processes", "1")
    with nodes(2) as cluster:
        for what in KINDS:
            one(room, what, "Ray, two nodes", "--ray", cluster.address, ray=True)
    for what in KINDS:
        lose_node(room, what)
    if spark:
        with session(room.path) as running:
            for what in KINDS:
                on_spark(room, running, what)
    for what in KINDS:
        lose_driver(room, what)
    for what in KINDS:
        one(room, what, "two processes", "--processes", "2")
    return room.sound


def page(room: Room) -> str:
    """What is kept of it."""
    rows, text = [], " ".join(["python -m campaigns.bulk", *sys.argv[1:]])
    for ran in room.ran:
        count, cpu = room.counts[ran.what], "" if ran.cpu is None else f"{ran.cpu:.1f}"
        digest = sha256(str(sorted(ran.hashes.items())).encode()).hexdigest()[:16]
        unit = "claims" if ran.what == "claims" else "notes"
        rows.append(
            f"| {count:,} {unit} | {ran.who} | {ran.wall:.1f} | {cpu} | {count / ran.wall:,.0f} "
            f"| {ran.kept or ''} | `{digest}` |"
        )
    return "\n".join(
        [
            "# Bulk runs",
            "",
            f"{datetime.now(UTC):%Y-%m-%d}, `{text}`, {os.cpu_count()} cores shared with other work",
            "",
            "`fhirwright bulk claims` over invented claims, every fifth with a defect, and `fhirwright bulk code`",
            "over notes (those of the corpus where it is there, each with a visit of its own), some lines being",
            "neither. The Ray cluster has two nodes of one core. The hash is that of the hashes of all files of the",
            "output. Seconds of wall time hold the start of the command; those of CPU are of the command and its",
            "processes on this machine.",
            "",
            "| input | by | wall s | CPU s | per second | chunks done at the kill | output |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
            "Every output is the same to the byte." if room.sound else "**Outputs differ.**",
            "",
        ]
    )  # fmt: skip


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--claims", type=int, default=100_000)
    parser.add_argument("--notes", type=int, default=5_000)
    parser.add_argument("--no-spark", action="store_true", help="leave Spark out, and say so")
    parser.add_argument("--report", type=Path, default=REPORT)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fhirwright-bulk-") as path:
        room = Room(Path(path), {"claims": given.claims, "code": given.notes}, given.report)
        sound = campaign(room, spark=not given.no_spark)
    print(page(room))
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
