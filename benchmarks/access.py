"""What authorization and audit cost: the same server with and without them (`python -m benchmarks.access`).

CPU of the whole server process, threads too, for each request over HTTP, until the last event is chained. Servers of
all stages run at once and are asked in turn, round after round, so that what else the machine does meets all alike; the
first and the last stage, which are held against each other, come one right after the other.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks._access_stages import EACH, PATIENTS, STAGES, TOKENS, fill, token_of
from benchmarks._http_load import Load, Sent, drive, tool
from benchmarks.http import serving

MOST = 0.35
"""What authorization and audit may be of the CPU that a read takes."""

UNSIGNED = 1000
"""Events that a checkpoint may leave to the next."""

BEFORE_CONSENTS = ("open, no audit", "identify", "scopes")
"""Stages at which nobody asks for Consents."""

FIRST, LAST = next(iter(STAGES)), list(STAGES)[-1]


def loads() -> dict[str, dict[str, Load]]:
    """By shape and stage what is asked: the same paths, with the token of the one they are about."""
    dice = random.Random(3)
    owners = [n % TOKENS for n in range(200)]
    shapes = {
        "read Patient": [f"Patient/p{n}" for n in owners],
        "read Observation": [f"Observation/o{n}-{dice.randrange(EACH)}" for n in owners],
        "search of 20": [f"Observation?patient=Patient/p{n}&_count={EACH}" for n in owners],
    }
    return {
        shape: {
            stage: Load(tuple(_sent(path, n, stage) for path, n in zip(paths, owners, strict=True))) for stage in STAGES
        }
        for shape, paths in shapes.items()
    }


def _sent(path: str, owner: int, stage: str) -> Sent:
    token = "" if stage == FIRST else token_of(owner, service=stage == "identify")
    return Sent("GET", f"/fhir/{path}", token=token)


def cpu_of(pid: int) -> float:
    """CPU seconds of the threads of a process, to the nanosecond."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def chained(database: Path) -> tuple[int, int]:
    """How many events are chained, and up to which they are signed."""
    reader = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        tables = ("audit_event", "audit_checkpoint")
        events, signed = (reader.execute(f"SELECT coalesce(max(seq), 0) FROM {name}").fetchone()[0] for name in tables)
        return events, signed
    finally:
        reader.close()


def settle(database: Path, wanted: int) -> None:
    """Wait until so many events are chained, and all but a few of them signed."""
    deadline = time.monotonic() + 60
    while True:
        events, signed = chained(database)
        if events >= wanted and events - signed < UNSIGNED:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{wanted - events} events are not chained, {events - signed} not signed")
        time.sleep(0.1)


Servers = dict[str, tuple[str, int, Path]]
"""By stage: where a server listens, its process, its database."""


def measure(servers: Servers, options: argparse.Namespace) -> dict[str, dict[str, list[float]]]:
    """Microseconds of CPU for each request, by shape and stage, of each round."""
    found: dict[str, dict[str, list[float]]] = {}
    for shape, by_stage in loads().items():
        if options.shape and shape not in options.shape:
            continue
        found[shape] = {stage: [] for stage in servers}
        for number in range(options.rounds + 1):
            ends = (FIRST, LAST) if number % 2 else (LAST, FIRST)
            for stage in (*ends, *(one for one in servers if one not in ends)):
                base, pid, database = servers[stage]
                before, events = cpu_of(pid), chained(database)[0]
                result = drive(base, by_stage[stage], options.seconds, options.connections)
                if stage == LAST:
                    settle(database, events + result.requests)
                if result.failed or not result.requests:
                    raise RuntimeError(f"{result.failed} of {result.requests} requests were not answered with 2xx")
                if number:  # the first warms up
                    found[shape][stage].append((cpu_of(pid) - before) / result.requests * 1e6)
    return found


def ratio(of: list[float], to: list[float]) -> float:
    """The cheapest round by the cheapest: what else the machine does only ever adds."""
    return min(of) / min(to)


def paired(of: list[float], to: list[float]) -> float:
    """The median of the ratios of rounds."""
    return statistics.median(a / b for a, b in zip(of, to, strict=True))


def table(found: dict[str, dict[str, list[float]]], options: argparse.Namespace) -> None:
    """Print the cheapest round and the median, what each stage adds, and the ratios to the first."""
    print(
        f"us of CPU a request, {options.rounds} rounds of {options.seconds:g} s in turn; SQLite, {PATIENTS} patients "
        f"with {EACH} Observations, {TOKENS} tokens; load by {tool()}, {options.connections} connections"
    )
    for shape, by_stage in found.items():
        print(f"{shape}\n  {'':16}{'best':>8}{'adds':>8}{'ratio':>8}{'median':>10}{'ratio':>8}")
        before = None
        for stage, rounds in by_stage.items():
            now = min(rounds)
            adds = "" if before is None else f"{now - before:+.1f}"
            figures = f"{now:8.1f}{adds:>8}{ratio(rounds, by_stage[FIRST]):8.2f}"
            print(f"  {stage:16}{figures}{statistics.median(rounds):10.1f}{paired(rounds, by_stage[FIRST]):8.2f}")
            before = now
    for stage, text in STAGES.items():
        print(f"{stage}: {text}")


def main() -> int:
    """Measure and print; the exit code is 1 when a read costs more than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1, help="length of each measurement")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--shape", action="append", help="a kind of request by its name; default: all")
    parser.add_argument("--stage", action="append", help="a stage by its name, beside the first and the last")
    parser.add_argument("--consents", type=int, default=0, help="active Consents that are stored")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fhirwright-bench-")))
        fill(f"sqlite:///{folder / 'first.db'}", folder, options.consents)
        servers: Servers = {}
        wanted = [stage for stage in STAGES if options.stage is None or stage in (FIRST, LAST, *options.stage)]
        for number, stage in enumerate(wanted):
            (own := folder / str(number)).mkdir()
            shutil.copy(folder / "first.db", own / "access.db")
            environment = {
                "FHIRWRIGHT_DATABASE": f"sqlite:///{own / 'access.db'}", "FHIRWRIGHT_DATA": str(own),
                "FHIRWRIGHT_LOG_FORMAT": "json", "FHIRWRIGHT_WORKER": "false", "FHIRWRIGHT_CODING": "off",
                "FHIRWRIGHT_OPEN": str(stage == FIRST).lower(), "ACCESS_STAGE": stage,
                "FHIRWRIGHT_CONSENT": "ignore" if stage in BEFORE_CONSENTS else "honour",
                "FHIRWRIGHT_FHIR_BURST": "100000000",  # the pace is kept and never too fast
            }  # fmt: skip
            server = serving("benchmarks._access_stages:app", environment, factory=True)
            servers[stage] = (*stack.enter_context(server), own / "access.db")
        found = measure(servers, options)
    if options.json:
        print(json.dumps(found))
    else:
        table(found, options)
    worst = 0.0
    for shape, rounds in found.items():
        times = paired(rounds[LAST], rounds[FIRST])
        share, cheapest = 1 - 1 / times, 1 - 1 / ratio(rounds[LAST], rounds[FIRST])
        print(
            f"{shape}: authorization and audit are {share:.0%} of the CPU of a closed request (by its cheapest round "
            f"{cheapest:.0%}; of a read at most {MOST:.0%}), and {times - 1:.0%} of an open one",
            file=sys.stderr,
        )
        worst = max(worst, share) if shape.startswith("read") else worst
    return int(worst > MOST)


if __name__ == "__main__":
    sys.exit(main())
