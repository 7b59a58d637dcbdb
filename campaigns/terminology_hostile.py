"""Calls to the terminology that are made to break it, each judged, then eight at once while others ask for a code.

Each must be refused with a fitting issue or answered within its bounds: within a second of CPU and 1 GB, never with a
5xx, never with what was sent at length. A call that only asks for a code is answered throughout.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from campaigns.tx_hostility import circles, patterns, shapes, sizes
from campaigns.tx_hostility.child import Child, Said
from campaigns.tx_hostility.making import FINE, Attack
from fhir_profiles.systems import ICD10CM
from fhir_profiles.validate import check

REPORT = Path("docs/results/terminology-hostile.md")
SECONDS, MEGABYTES, ECHOED = 1.0, 1000.0, 20_000
GROUPS = {"patterns": patterns, "sizes": sizes, "circles": circles, "shapes": shapes}
ASKED = f"/fhir/CodeSystem/$validate-code?url={ICD10CM}&code=E11.9"
AT_ONCE, STORM_SECONDS = 8, 8.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one attack; `broken` says which promise it broke."""

    name: str
    said: Said
    answer: str
    broken: str = ""


def judge(attack: Attack, said: Said) -> Verdict:
    """What an answer was, and which promise it breaks."""
    try:
        resource = json.loads(said.body)
    except ValueError:
        resource = {}
    if said.status == 200:
        answer, fits = "answered", FINE in attack.fits
    else:
        codes = [
            issue.get("code") for issue in resource.get("issue", ()) if issue.get("severity") in ("error", "fatal")
        ]
        answer, fits = f"{said.status} {' '.join(dict.fromkeys(map(str, codes)))}", bool(set(codes) & attack.fits)
    invalid = [p.text for p in check(resource) if p.severity in ("error", "fatal")] if resource else ["no FHIR"]
    broken = [
        told
        for told, holds in (
            ("a fault", 200 <= said.status < 500),
            ("not the issue that fits", fits),
            ("CPU", said.cpu <= SECONDS),
            ("memory", said.peak <= MEGABYTES),
            ("no FHIR", not invalid),
            ("echo", _longest(resource) <= ECHOED),
        )
        if not holds
    ]
    return Verdict(attack.name, said, answer, ", ".join(broken))


def _longest(of: Any) -> int:
    """Letters of the longest text in a resource."""
    if isinstance(of, str):
        return len(of)
    inner = of.values() if isinstance(of, dict) else of if isinstance(of, list) else ()
    return max(map(_longest, inner), default=0)


def attacks(only: str) -> list[Attack]:
    """Every attack with a word in its name."""
    return [a for group in GROUPS.values() for a in group.attacks() if only in a.name]


def storm(child: Child, worst: Attack) -> tuple[list[float], int]:
    """Seconds that calls for a code waited while eight clients sent the worst over and over; how often they did."""
    waits: list[float] = []
    sent = 0
    end = time.monotonic() + STORM_SECONDS

    def attack() -> None:
        nonlocal sent
        while time.monotonic() < end:
            child.send(worst.method, f"/fhir/{worst.path}", worst.body, dict(worst.headers))
            sent += 1

    threads = [threading.Thread(target=attack) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    while time.monotonic() < end:
        start = time.perf_counter()
        status, _ = child.send("GET", ASKED)
        waits.append(time.perf_counter() - start if status == 200 else 60.0)
        time.sleep(0.02)
    for thread in threads:
        thread.join()
    return sorted(waits), sent


def _row(v: Verdict) -> str:
    name = v.name.replace("|", "¦")[:70]
    return f"| {name} | {v.answer} | {v.said.cpu:.2f} | {v.said.peak:,.0f} | {v.broken or 'held'} |"


def page(found: list[Verdict], told: list[str], only: str) -> str:
    """The result page: the figures, what was broken, and the dearest."""
    broken = [v for v in found if v.broken]
    dear = sorted(found, key=lambda v: -v.said.cpu)[:25]
    rows = [_row(v) for v in (*broken, *(v for v in dear if not v.broken))]
    command = "make campaign NAME=terminology_hostile" + (f' ARGS="--only {only}"' if only else "")
    return "\n".join(
        [
            "# Hostile calls to the terminology",
            "",
            f"{datetime.now(UTC):%Y-%m-%d}, `{command}`, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} then.",
            "",
            f"Each call must be refused with a fitting issue or answered within its bounds: {SECONDS:g} s of CPU,",
            f"{MEGABYTES:g} MB, no 5xx, valid FHIR, and no answer that repeats at length what was sent.",
            "",
            *told,
            "",
            "What broke a promise, and the 25 dearest of the others:",
            "",
            "| call | answer | CPU s | peak MB | |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def main() -> int:
    """Run; the exit code is 1 when a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="attacks with this in their name")
    parser.add_argument("--data", type=Path, default=Path("var"), help="data directory with ICD-10-CM")
    parser.add_argument("--report", type=Path, help=f"write the page; {REPORT} is the one that is kept")
    parser.add_argument("--all", action="store_true", help="print every attack, not only what broke")
    given = parser.parse_args()
    found: list[Verdict] = []
    with Child(given.data) as child:
        child.send("GET", ASKED)
        for attack in attacks(given.only):
            found.append(judge(attack, child.suffer(attack)))
            v = found[-1]
            if len(found) % 100 == 0:
                print(f"{len(found)} attacks", flush=True)
            if v.broken or given.all:
                print(
                    f"{v.name[:60]:60} {v.answer[:40]:40} {v.said.cpu:5.2f} {v.said.peak:6.0f}  {v.broken}", flush=True
                )
            if not child.stands:
                raise SystemExit("the server is gone")
        worst = max(found, key=lambda v: v.said.cpu)
        waits, sent = storm(child, next(a for a in attacks(given.only) if a.name == worst.name))
    broken = sum(bool(v.broken) for v in found)
    late = waits[len(waits) * 99 // 100]
    most = max(v.said.peak for v in found)
    median, longest = statistics.median(waits) * 1e3, waits[-1] * 1e3
    told = [
        f"- {len(found) - broken} of {len(found)} held",
        f"- most CPU {worst.said.cpu:.2f} s ({worst.name[:60]}), most memory {most:,.0f} MB",
        f"- {AT_ONCE} clients with the dearest call for {STORM_SECONDS:g} s, {sent} calls: meanwhile {len(waits)} "
        f"`$validate-code` answered, median {median:.0f} ms, 99 % {late * 1e3:.0f} ms, longest {longest:.0f} ms",
    ]
    print("\n".join(told))
    if given.report:
        given.report.write_text(page(found, told, given.only))
    return 1 if broken or waits[-1] >= 60 else 0


if __name__ == "__main__":
    sys.exit(main())
