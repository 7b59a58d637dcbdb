"""Several processes write the same resources at the same moment, thousands of times; every round has one right outcome.

`make campaign NAME=races` runs 1,000 rounds of each kind on SQLite and on PostgreSQL and writes docs/results/races.md.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.http import postgres
from campaigns.racing.processes import Race
from campaigns.racing.rounds import ACTS
from server.jobs.schema import prepare
from server.store.migrate import migrate

REPORT = Path("docs/results/races.md")
TITLES = {
    "create": "the same conditional create: one resource",
    "update": "the same conditional update with other content: one resource, every version",
    "mixed": "conditional creates, updates and transactions for one identifier: one resource",
    "count": "read, add one, write with If-Match, again on 412: nothing lost",
    "cross": "Bundles over the same resources in other orders, then a read: whole, and read back",
    "end": "updates and deletes of one resource: a history without a gap",
}


@contextmanager
def database(engine: str) -> Iterator[str]:
    """An empty database of the engine."""
    folder = Path(tempfile.mkdtemp(prefix="fhirwright-races-"))
    try:
        if engine == "sqlite":
            yield f"sqlite:///{folder / 'races.db'}"
        else:
            with postgres() as (url, _):
                yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(engine: str, kinds: list[str], rounds: int, processes: int) -> tuple[list[str], list[str]]:
    """The lines of one engine's table, and what was wrong."""
    with database(engine) as url:
        migrate(url)
        prepare(url)
        began = time.monotonic()
        with Race(url, processes) as race:
            race.run(kinds, rounds)
        seconds = time.monotonic() - began
    lines = []
    for kind in kinds:
        wrong = sum(text.startswith(kind) for text in race.wrong)
        cells = (engine, TITLES[kind], race.rounds[kind], race.requests[kind], race.turned_away[kind], wrong)
        took = f"{race.seconds[kind] / race.rounds[kind] * 1000:.0f} ms"
        lines.append(f"| {' | '.join(map(str, cells))} | {took} |")
    print("\n".join(lines), f"\n{engine}: {seconds:.0f} s", *race.wrong[:20], sep="\n", flush=True)
    return lines, race.wrong


def page(command: str, processes: int, lines: list[str]) -> str:
    """The result page."""
    return "\n".join(
        [
            "# Races",
            "",
            f"{datetime.now(UTC):%Y-%m-%d}, `{command}`",
            "",
            f"{processes} processes over one database start each round at the same moment, each with three requests at",
            "once. `turned away` counts answers that ask the client to come again (409, 412, 503); any other 5xx, a",
            "second resource, a lost update, a Bundle done in part or a read that does not see the write is `wrong`.",
            "",
            "| database | race | rounds | requests | turned away | wrong | a round |",
            "|---|---|---|---|---|---|---|",
            *lines,
            "",
        ]
    )


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=1000, help="rounds of each kind on each engine")
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--kind", choices=tuple(ACTS), action="append")
    parser.add_argument("--report", type=Path, default=REPORT)
    given = parser.parse_args()
    lines: list[str] = []
    wrong: list[str] = []
    for engine in given.engine or ["sqlite", "postgresql"]:
        found, bad = run(engine, given.kind or list(ACTS), given.rounds, given.processes)
        lines += found
        wrong += bad
    given.report.parent.mkdir(parents=True, exist_ok=True)
    command = "python -m campaigns.races " + " ".join(sys.argv[1:])
    given.report.write_text(page(command.strip(), given.processes, lines))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
