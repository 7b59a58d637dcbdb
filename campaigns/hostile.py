"""Make hostile files and read each, in the library and, with `--server`, through a whole server.

Each must be refused or capped within 5 s and 1 GB, with a reason that a person can act on; the server answers
throughout, and server and worker are the same processes in the end; nothing may be left running.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from datetime import UTC, datetime
from pathlib import Path

import psutil

from campaigns.hostility.files import Made, files
from campaigns.hostility.measure import Outcome, measure
from campaigns.hostility.server import Server, requests
from extractors.pages import Limits, children, read

REPORT = Path("docs/results/hostile.md")
SECONDS, MEGABYTES = 5.0, 1000.0
ADVICE = ("Send", "Scan", "Print", "Export", "Save", "Encode")
BY_BINARY = ("png: bomb", "pdf: form loop", "random bytes", "jpeg: noise")  # sent as a Binary too
HEAD = "| file | KB | verdict | seconds | peak MB | reason | held |"


class Table:
    """Rows of one half, and how many broke their promise."""

    def __init__(self) -> None:
        self.rows: list[str] = []
        self.broken = 0

    def add(self, name: str, size: int, outcome: Outcome, *, sound: bool) -> None:
        """Judge one outcome and tell it."""
        held = sound and outcome.seconds <= SECONDS and outcome.peak <= MEGABYTES
        self.broken += not held
        row = f"{size / 1e3:,.0f} | {outcome.answer} | {outcome.seconds:.2f} | {outcome.peak:,.0f} | {outcome.reason}"
        self.rows.append(f"| {name} | {row} | {'yes' if held else '**no**'} |")
        print(self.rows[-1], flush=True)

    def told(self) -> str:
        """How many held."""
        return f"{len(self.rows) - self.broken} of {len(self.rows)} held"


def fits(outcome: Outcome, expected: str) -> bool:
    """Whether the answer is the expected one, and a refusal says what to do."""
    if outcome.answer == "refused" and not any(word in outcome.reason for word in ADVICE):
        return False
    return outcome.answer == expected or (expected == "either" and outcome.answer in ("refused", "read"))


def library(made: list[Made]) -> tuple[Table, int]:
    """Each file through `read`; the table, and the processes that were left."""
    table = Table()
    read(b"<html><body>warm</body></html>")
    for name, data, expected in made:
        outcome = measure(data, Limits())
        table.add(name, len(data), outcome, sound=fits(outcome, expected))
    children.close()
    return table, len(psutil.Process().children(recursive=True))


def served(made: list[Made], data: Path) -> tuple[Table, list[str], bool]:
    """Each file through a server; the table, what is said of the server, and whether it stood."""
    table = Table()
    with Server(data) as server:
        for name, content, expected in made:
            ways = (False, True) if name.startswith(BY_BINARY) else (False,)
            for binary in ways:
                outcome = server.code(content, binary=binary)
                sound = fits(outcome, expected) or (not content and outcome.reason.startswith("400: "))
                table.add(name + " (Binary)" * binary, len(content), outcome, sound=sound)
        for name, body, status in requests():
            outcome = server.send(body)
            table.add(name, len(body) if isinstance(body, bytes) else 0, outcome, sound=outcome.reason[:3] == status)
        same, waits = server.lasting() == server.started, sorted(server.waits)
        stood = same and not server.unanswered and server.largest <= MEGABYTES
        said = [
            f"- probes of `/healthz` and `/fhir/metadata`: {len(waits)} answered, {server.unanswered} not; "
            f"median {statistics.median(waits) * 1e3:.0f} ms, 99 % {waits[len(waits) * 99 // 100] * 1e3:.0f} ms, "
            f"longest {waits[-1] * 1e3:.0f} ms",
            f"- server and worker are the same processes at the end: {'yes' if same else '**no**'}",
            f"- largest process at any time: {server.largest:,.0f} MB resident",
        ]
    return table, said, stood


def page(command: str, load: float, parts: list[str]) -> str:
    """The result page."""
    return "\n".join(
        [
            "# Hostile files",
            "",
            f"{datetime.now(UTC):%Y-%m-%d}, `{command}`, {os.cpu_count()} cores, load {load:.1f} at the start, "
            f"{os.getloadavg()[0]:.1f} at the end",
            "",
            "Files made to break a reader. Each must end as expected, with a reason that says what to do, within",
            f"{SECONDS:g} s of wall time and {MEGABYTES:g} MB. Processor time is bounded by the settings, so that on a",
            "machine with more load than cores the wall time is that much longer.",
            "A peak of 0: over before the first look.",
            "",
            *parts,
            "",
        ]
    )


def main() -> int:
    """Run; the exit code is 1 when a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--only", default="", help="files with this word in their name")
    parser.add_argument("--server", action="store_true", help="also through a server")
    parser.add_argument("--data", type=Path, default=Path("var"), help="data directory with a terminology")
    parser.add_argument("--report", type=Path, help=f"write the page; {REPORT} is the one that is kept")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    made = [each for each in files(given.scale) if given.only in each[0]]
    table, left = library(made)
    rule = "|---|---|---|---|---|---|---|"
    parts = [
        f"## Library\n\n{table.told()}; {left} processes left. Peak is of all processes.\n",
        HEAD,
        rule,
        *table.rows,
    ]
    broken = table.broken + left
    if given.server:
        table, said, stood = served(made, given.data)
        told = (
            f"{table.told()}. Seconds are from the answer 201 to the end of the Task; peak is of the largest process,"
        )
        parts += [f"\n## Server and worker\n\n{told}\nterminology included.\n", *said, "", HEAD, rule, *table.rows]
        broken += table.broken + (not stood)
        print("\n".join(said))
    if given.report:
        command = "make campaign NAME=hostile" + (' ARGS="--server"' if given.server else "")
        given.report.write_text(page(command, load, parts))
    print("held" if not broken else f"{broken} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
