"""Kill runs of claims at random; gone on with, each must end with every byte of a run that was let alone.

`make campaign NAME=claim_kills` kills 60 times (SIGKILL): the whole group of processes, the one that began the run
alone, or a single one that works, which must be replaced meanwhile. It writes docs/results/claim-kills.md.
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
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import orjson

from campaigns.claiming.defects import DEFECTS
from campaigns.claiming.loading import load
from campaigns.claiming.making import claim
from campaigns.claiming.processes import below, children, command

REPORT = Path("docs/results/claim-kills.md")
ENDED = (0, 5)
"""Exit codes of a run that came to its end; 5 says that lines were rejected."""
NAMES = {"all": "all processes", "first": "the first", "worker": "one that works"}
SMALL = (
    "import sys; from claims.run import cut; cut.MOST_BYTES = cut.LEAST_BYTES = {}; "
    "from server.cli.main import main; main(sys.argv[1:])"
)
"""The command with small chunks, so that there are many moments at which to be killed."""


@dataclass
class Result:
    """What came of it."""

    claims: int = 0
    runs: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    different: int = 0
    failed: int = 0
    left: int = 0
    seconds: float = 0.0
    calm: float = 0.0

    @property
    def sound(self) -> bool:
        """Whether every promise was kept."""
        return self.different + self.failed + self.left == 0


def make(file: Path, count: int, seed: int) -> None:
    """Claims, every fifth with a defect, some lines that are none, and some that stand twice."""
    dice = random.Random(seed)
    some = [one for one in DEFECTS.values() if one.base == "professional"]
    with file.open("wb") as target:
        line = b""
        for number in range(count):
            if dice.random() < 0.01:
                target.write(dice.choice((b"no JSON\n", b"\n", b'{"resourceType":"Patient"}\n', line)))
            resource = claim(dice, number)
            if number % 5 == 0:
                try:
                    dice.choice(some).change(resource)
                except (KeyError, IndexError, ValueError, StopIteration):
                    continue  # the defect asks for another claim
            line = orjson.dumps(resource) + b"\n"
            target.write(line)


def begin(file: Path, out: Path, data: Path, chunk: int) -> subprocess.Popen[bytes]:
    """The command in a group of processes of its own."""
    arguments = ["claims", "run", str(file), "--out", str(out), "--data", str(data), "--on", "2026-09-01"]
    return subprocess.Popen(
        [sys.executable, "-c", SMALL.format(chunk), *arguments, "--processes", "2"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def tree(out: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def campaign(room: Path, count: int, kills: int, seed: int, chunk: int) -> Result:
    """One run that is let alone, then as many as it takes for the kills."""
    file, data, dice = room / "claims.ndjson", room / "data", random.Random(seed)
    make(file, count, seed)
    load(data)
    result, began = Result(claims=count), time.monotonic()
    result.failed += begin(file, room / "calm", data, chunk).wait() not in ENDED
    result.calm = time.monotonic() - began
    expected = tree(room / "calm")
    began = time.monotonic()
    while result.kills.total() < kills and not result.failed:
        result.runs += 1
        out = room / f"run{result.runs}"
        _one(result, partial(begin, file, out, data, chunk), kills, dice)
        result.different += tree(out) != expected
        shutil.rmtree(out)
    result.seconds = time.monotonic() - began
    return result


def _one(result: Result, start: Callable[[], subprocess.Popen[bytes]], kills: int, dice: random.Random) -> None:
    """Begin a run again and again until it ends by itself."""
    while True:
        process = start()
        while process.poll() is None and result.kills.total() < kills:
            time.sleep(dice.uniform(0.0, result.calm * 0.6))
            which = dice.choice(("all", "first", "worker", "worker"))
            begun = below(process.pid)
            working = sorted(set(begun) - set(children(process.pid)))  # not the server of processes itself
            if process.poll() is None and (which != "worker" or working):
                _kill(process, which, working, dice)
                result.kills[which] += 1
                if which != "worker":
                    process.wait()
                    result.left += not _gone(begun)
        if process.wait() >= 0:
            result.failed += process.returncode not in ENDED
            return


def _kill(process: subprocess.Popen[bytes], which: str, working: list[int], dice: random.Random) -> None:
    try:
        if which == "all":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            os.kill(process.pid if which == "first" else dice.choice(working), signal.SIGKILL)
    except ProcessLookupError:
        return  # it ended a moment before


def _gone(pids: list[int], patience: float = 10.0) -> bool:
    """Whether processes end by themselves."""
    until = time.monotonic() + patience
    while any("claims" in command(pid) or "forkserver" in command(pid) for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def page(text: str, result: Result) -> str:
    """What is kept of it."""
    kills = ", ".join(f"{NAMES[which]} {number}" for which, number in sorted(result.kills.items()))
    return "\n".join(
        [
            "# Runs of claims, killed",
            "",
            f"{datetime.now(UTC):%Y-%m-%d}, `{text}`",
            "",
            "`fhirwright claims run` over invented claims, some with defects, some lines that are none or stand",
            "twice, is killed at random with SIGKILL and run again. A single process that works is replaced while the",
            "run goes on. Each output must be that of a run that was let alone, file by file and byte by byte.",
            "",
            "| claims | kills | runs to the end | different | failed | processes left over | took |",
            "|---|---|---|---|---|---|---|",
            f"| {result.claims} | {result.kills.total()} ({kills}) | {result.runs} | {result.different} "
            f"| {result.failed} | {result.left} | {result.seconds:.0f} s; let alone {result.calm:.1f} s |",
            "",
        ]
    )


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--claims", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--chunk", type=int, default=4 << 20, help="bytes of a chunk")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, default=REPORT)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fhirwright-claims-") as room:
        result = campaign(Path(room), given.claims, given.kills, given.seed, given.chunk)
    text = page(" ".join(["python -m campaigns.claim_kills", *sys.argv[1:]]), result)
    print(text)
    given.report.write_text(text)
    return 0 if result.sound else 1


if __name__ == "__main__":
    sys.exit(main())
