"""Audit the audit: do events equal interactions, also across kill -9, and is every tampering found where it was done?

`make campaign NAME=audit` sends 10,000 mixed calls to a server that is killed again and again, and then meddles 1,000
times with the database that is left, on SQLite and on PostgreSQL. It writes docs/results/audit.md, a part for each.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.http import postgres
from campaigns.auditing.balp import problems
from campaigns.auditing.calls import KINDS, Client, Expected, Gone, call, setup
from campaigns.auditing.tampering import KINDS as TAMPERINGS
from campaigns.auditing.tampering import OnPostgres, tamper
from campaigns.furnishing import furnish
from server.audit.chain import events_of
from server.audit.checkpoints import FILE
from server.audit.event import decode
from server.audit.place import directory
from server.audit.render import render
from server.audit.verify import verify
from server.settings import Settings
from server.store import open_store

REPORT = Path("docs/results/audit.md")


@dataclass
class Result:
    """What a run came to."""

    calls: int = 0
    unanswered: int = 0
    kills: int = 0
    events: int = 0
    resources: int = 0
    wrong: int = 0
    invalid: int = 0
    whole: bool = False
    tampered: int = 0
    missed: int = 0
    exact: int = 0
    seconds: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)


class Server:
    """A server process that can be killed and started again."""

    def __init__(self, port: int, data: Path, url: str) -> None:
        self._port, self._data, self._url = port, data, url
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "server.cli", "serve", "--open", "--no-worker", "--port", str(self._port)]
        self._process = subprocess.Popen(
            [*command, "--data", str(self._data), "--database", self._url],
            env={**os.environ, "FHIRWRIGHT_CODING": "off"},
            stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self._port}/healthz", timeout=5).close()
                return
            except OSError:
                time.sleep(0.1)
        raise TimeoutError("the server does not start")

    def end(self, sign: int) -> None:
        """End it by a signal."""
        if self._process is not None:
            self._process.send_signal(sign)
            self._process.wait(60)


def run(calls: int, kills: int, tamperings: int, seed: int, port: int, data: Path, url: str) -> Result:
    """The whole campaign over one database."""
    dice, result, began = random.Random(seed), Result(), time.monotonic()
    expected = _load(calls, kills, dice, Server(port, data, url), Client(port), result)
    store = open_store(url, create=False)
    text = (directory(store, Settings(data=data, database=url)) / FILE).read_text()
    _compare(store, expected, result)
    report = verify(store, text)
    result.whole = report.whole and report.signed == report.events
    store.close()
    (_meddle if url.startswith("sqlite") else _meddle_postgres)(url, text, tamperings, dice, result)
    result.seconds = time.monotonic() - began
    return result


def _load(
    calls: int, kills: int, dice: random.Random, server: Server, client: Client, result: Result
) -> dict[str, Expected]:
    """Make the calls while the server is killed; what each that was answered must have left."""
    expected = dict[str, Expected]()
    server.start()
    setup(client)
    when = sorted(dice.sample(range(1, calls), kills))
    try:
        while result.calls < calls:
            kind = dice.choice(KINDS)
            if when and result.calls >= when[0]:
                when.pop(0)
                server.end(signal.SIGKILL)
                result.kills += 1
                server.start()
            try:
                name, wanted = call(client, kind, dice)
            except Gone:
                result.unanswered += 1
                continue
            expected[name] = wanted
            result.kinds[kind] += 1
            result.calls += 1
    finally:
        server.end(signal.SIGTERM)
    return expected


def _compare(store: object, expected: dict[str, Expected], result: Result) -> None:
    """Hold the events against what the calls must have left, and each AuditEvent against BALP."""
    found: dict[str, Expected] = defaultdict(Counter)
    for seq, data in events_of(store):  # type: ignore[arg-type]
        event = decode(data)
        result.events += 1
        for told in render(seq, event):
            result.resources += 1
            result.invalid += bool(problems(told))
        outcome = int(next(iter(render(seq, event)))["outcome"])
        found[event.request][(event.code, outcome, tuple(sorted(event.patients)))] += 1
    for name, wanted in expected.items():
        if found[name] != wanted:
            result.wrong += 1
            print("wrong:", wanted, found[name])


def _meddle(url: str, text: str, tamperings: int, dice: random.Random, result: Result) -> None:
    """Tamper with copies of a database, each in one way."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.db"
        for number in range(tamperings):
            shutil.copy(url.removeprefix("sqlite:///"), copy)
            kind = TAMPERINGS[number % len(TAMPERINGS)]
            place = tamper(copy, kind, dice, again=number % 2 == 1)
            _look(f"sqlite:///{copy}", text, kind, place, result)
            for name in ("copy.db-wal", "copy.db-shm"):
                (Path(folder) / name).unlink(missing_ok=True)


def _meddle_postgres(url: str, text: str, tamperings: int, dice: random.Random, result: Result) -> None:
    """The same with the one database, whose chain is put back each time."""
    meddler = OnPostgres(url)
    for number in range(tamperings):
        kind = TAMPERINGS[number % len(TAMPERINGS)]
        _look(url, text, kind, meddler.tamper(kind, dice, again=number % 2 == 1), result)
    meddler.close()


def _look(url: str, text: str, kind: str, place: tuple[int, int], result: Result) -> None:
    """Verify what was tampered with, and count whether it was told, at its place."""
    first, last = place
    store = open_store(url, create=False)
    findings = verify(store, text).findings
    store.close()
    result.tampered += 1
    near = [one for one in findings if one.seq <= last + 1 and one.to >= first - 1]
    result.missed += not near
    result.exact += any(one.seq in (first, last) for one in near)
    if not near:
        print("missed:", kind, first, last, findings[:3])


def part(engine: str, command: str, r: Result, small: Result) -> str:
    """The part of the result page about one engine."""
    lines = [
        f"## {engine}",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, `{command}`",
        "",
        f"{r.calls} mixed calls of {len(r.kinds)} kinds to a server that was killed with SIGKILL {r.kills} times; "
        f"{r.unanswered} calls were not answered.",
        "",
        "| calls | kills | events | AuditEvents | calls whose events differ | against BALP | chain whole, signed |",
        "|---|---|---|---|---|---|---|",
        f"| {r.calls} | {r.kills} | {r.events} | {r.resources} | {r.wrong} | {r.invalid} "
        f"| {'yes' if r.whole else 'no'} |",
        "",
        f"Then {small.tampered} times one thing was done to a chain of {small.events} events (delete, edit, "
        "insert, reorder, truncate, an event within its row or a whole row of one; half of them with all numbers and "
        "hashes made to agree again):",
        "",
        "| tamperings | located | to the event | not found |",
        "|---|---|---|---|",
        f"| {small.tampered} | {small.tampered - small.missed} | {small.exact} | {small.missed} |",
        "",
        f"Took {r.seconds + small.seconds:.0f} s.",
        "",
    ]
    return "\n".join(lines)


HEAD = """# Audit

Each answered call must have left exactly the events that its question and its answer ask for, told by code
apart from the server's: their interaction, outcome and patients.

"""


def write(report: Path, parts: dict[str, str]) -> None:
    """Put parts into the page in place of those of the same engines."""
    before = report.read_text() if report.exists() else ""
    known = {text.partition("\n")[0]: f"## {text}" for text in before.split("\n## ")[1:]}
    known |= parts
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(HEAD + "\n".join(known[name].rstrip("\n") + "\n" for name in sorted(known, reverse=True)))


@contextmanager
def database(engine: str, data: Path) -> Iterator[str]:
    """The URL of a new database."""
    if engine == "sqlite":
        yield f"sqlite:///{data / 'fhirwright.db'}"
    else:
        with postgres() as (url, _):
            yield url


def measure(engine: str, given: argparse.Namespace) -> list[Result]:
    """The calls with kills over one database; the tamperings over a smaller one."""
    results = []
    for calls, kills, tamperings in ((given.calls, given.kills, 0), (300, 0, given.tamperings)):
        with tempfile.TemporaryDirectory(prefix="fhirwright-audit-") as folder:
            data = furnish(Path(folder), given.data)
            with database(engine, data) as url:
                results.append(run(calls, kills, tamperings, given.seed, given.port, data, url))
            print(engine, results[-1], flush=True)
    return results


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--tamperings", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=19501)
    parser.add_argument("--engine", choices=["sqlite", "postgresql"], action="append", help="default: both")
    parser.add_argument("--data", type=Path, default=Path("var"), help="data directory with a terminology")
    parser.add_argument("--report", type=Path, default=REPORT)
    given = parser.parse_args()
    command = "python -m campaigns.audit " + " ".join(sys.argv[1:])
    sound = True
    for engine in given.engine or ["sqlite", "postgresql"]:
        results = measure(engine, given)
        name = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[engine]
        write(given.report, {name: part(name, command.strip(), *results)})
        sound &= all(one.whole and not one.wrong and not one.invalid and not one.missed for one in results)
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
