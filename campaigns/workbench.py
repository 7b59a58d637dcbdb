"""How fast is the review page: a decision, a page, a document of 200 pages? `make campaign NAME=workbench`.

A headless Chromium at a closed server with its worker: opening cold and warm, decisions by keyboard on 60 suggestions
of 10 pages, and the same on 1,500 findings of 200 pages. It writes docs/results/workbench.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from campaigns.reviewing.house import House
from campaigns.reviewing.papers import paper, titles
from campaigns.reviewing.watching import Decisions, Opening, decided, opened, turned, window

REPORT = Path("docs/results/workbench.md")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
TURNS, AGAIN = 20, 5


@dataclass
class Seen:
    """What a document came to; `load` are processes that waited for a core, before and after."""

    name: str
    pages: int
    findings: int
    first: Opening
    again: list[Opening]
    turns: list[float]
    turn_cpu: float
    decisions: Decisions
    load: tuple[float, float]


def look(browser: Any, house: House, id: str, name: str, pages: int, rounds: int, codes: Sequence[str]) -> Seen:
    """One document: opened cold and again, turned over, decided."""
    before = os.getloadavg()[0]
    with window(browser, house) as page:
        first = opened(page, house, id)
        again = [opened(page, house, id) for _ in range(AGAIN)]
        findings = int(page.get_attribute("#head progress", "max"))
        turns, cpu = turned(page, house, min(TURNS, pages - 1))
        page.goto(f"{house.root}/work/review/{id}")
        page.wait_for_selector(".s.on")
        decisions = decided(page, house, rounds, codes)
    after = os.getloadavg()[0]
    return Seen(name, pages, findings, first, again, turns, cpu / len(turns), decisions, (before, after))


def run(given: argparse.Namespace, data: Path) -> list[Seen]:
    """Both documents on one server."""
    from playwright.sync_api import sync_playwright

    found = titles(given.data, given.findings + 2 * given.rounds, given.seed)
    lines, spare = [title for _, title in found[: given.findings]], [code for code, _ in found[given.findings :]]
    house = House(data, given.data, given.port)
    try:
        small = house.hand_in(paper(lines[:58], 10), "Ten pages")
        large = house.hand_in(paper(lines, 200), "Two hundred pages")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            few = given.rounds // 3
            return [
                look(browser, house, small, "ten pages", 10, given.rounds, spare),
                look(browser, house, large, "200 pages", 200, few, spare[given.rounds :]),
            ]
    finally:
        house.stop()


def at(values: Sequence[float], share: float) -> float:
    """The value below which a share of the values lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def report(seen: Sequence[Seen], command: str) -> str:
    """The page of results."""
    rows = [
        ("pages, suggestions", *(f"{one.pages}, {one.findings}" for one in seen)),
        ("decisions", *(str(len(one.decisions.every)) for one in seen)),
        ("decision, key to claim placed, p50 / p95, ms", *(_both(one.decisions.every) for one in seen)),
        *(
            (f"… {kind}, p50 / p95, ms", *(_both(one.decisions.taken[kind]) for one in seen))
            for kind in seen[0].decisions.taken
        ),
        ("CPU of the server for a decision, ms", *(_ms(one.decisions.cpu / len(one.decisions.every)) for one in seen)),
        ("first opening ever: page drawn, ms", *(f"{one.first.drawn:.0f}" for one in seen)),
        ("again: page drawn, middle, ms", *(f"{at([o.drawn for o in one.again], 0.5):.0f}" for one in seen)),
        ("… of which until the HTML is there, ms", *(f"{at([o.html for o in one.again], 0.5):.0f}" for one in seen)),
        ("CPU of the server for opening, ms", *(_ms(at([o.cpu for o in one.again], 0.5)) for one in seen)),
        ("turning a page until its image is drawn, p50 / p95, ms", *(_both(one.turns) for one in seen)),
        ("CPU of the server for turning a page, ms", *(_ms(one.turn_cpu) for one in seen)),
        ("transfer without the page's image, KB", *(f"{one.first.transfer / 1000:.0f}" for one in seen)),
        ("… of which HTML, KB", *(f"{one.first.page / 1000:.0f}" for one in seen)),
        ("nodes in the document", *(str(one.first.nodes) for one in seen)),
        ("longest task of the browser while deciding, ms", *(f"{one.decisions.longest:.0f}" for one in seen)),
        ("load of the machine before / after", *(f"{one.load[0]:.1f} / {one.load[1]:.1f}" for one in seen)),
    ]
    table = ["| | " + " | ".join(one.name for one in seen) + " |", "|---" * (len(seen) + 1) + "|"]
    table += ["| " + " | ".join(row) + " |" for row in rows]
    told = HEAD.format(date=f"{datetime.now(UTC):%Y-%m-%d}", command=command, cores=os.cpu_count())
    return told + "\n".join(table) + TAIL


HEAD = """# Speed of the review page

{date}, `{command}`

Headless Chromium and server on one machine with {cores} cores that others used too: read wall time together with the
load (processes that wait for a core) and the CPU of the server.

A decision is measured in the browser, from the key to the moment when the answer, with the claim scrubbed and priced
again, stands on the page. A quarter each are accepted, rejected, undone and replaced. A page is drawn in the second
frame after its image and all else it names have come, counted from the navigation. Asked were: a decision p95 ≤ 150 ms
and a page drawn within 300 ms on ten pages, transfer ≤ 150 KB, and for 200 pages a decision and a turned page within
500 ms and no task of the browser over 200 ms.

"""

TAIL = """

The first opening ever pays for opening the tables and rules of `Claim/$submit`, once in the life of a server process.
In the long document most of the CPU goes to reading every finding anew over FHIR, in one batch, at each decision and
each turned page: no copy of a review is kept between requests.
"""


def _both(values: Sequence[float]) -> str:
    return f"{at(values, 0.5):.0f} / {at(values, 0.95):.0f}"


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f}"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=25, help="each is four decisions")
    parser.add_argument("--findings", type=int, default=1550, help="titles in the long document")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--port", type=int, default=19560)
    parser.add_argument("--data", type=Path, default=Path("var"), help="data directory with a terminology")
    parser.add_argument("--report", type=Path, default=REPORT)
    given = parser.parse_args()
    asked = f' ARGS="{" ".join(sys.argv[1:])}"' if sys.argv[1:] else ""
    with tempfile.TemporaryDirectory(prefix="fhirwright-workbench-") as folder:
        seen = run(given, Path(folder))
    text = report(seen, f"make campaign NAME=workbench{asked}")
    given.report.write_text(text)
    print(text)
    small, large = seen
    sound = small.first.transfer <= 150_000 and large.first.transfer <= 150_000
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
