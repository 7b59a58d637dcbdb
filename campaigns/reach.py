"""Nobody sees what is not theirs: random requests of every kind against an oracle that shares nothing with the server.

`make campaign NAME=reach` asks SQLite and again PostgreSQL, then two tenants of each engine over the wire, puts each
known fault into the enforcement and looks whether it is found; `--report` writes docs/results/reach.md. One leak, one
refusal of what is allowed, or one fault that is not found fails it. `--faults 0` leaves the faults out, `--wire 0` the
tenants, `--requests 0` all but those.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from campaigns.reaching.campaign import Result, Stage, run, stage
from campaigns.reaching.crossing import breach, cross
from campaigns.reaching.ground import Eyes
from campaigns.reaching.houses import houses
from campaigns.reaching.mutations import MUTATIONS, broken
from campaigns.reaching.servers import databases
from campaigns.reaching.telling import findings, line, page, wire_line

REPORT = Path("docs/results/reach.md")


def main(argv: list[str]) -> int:
    """Ask, compare, report; 0 when nothing is wrong."""
    arguments = read_arguments(argv)
    results: dict[str, tuple[Stage, Result]] = {}
    wires: dict[str, Result] = {}
    faults: dict[str, Result] = {}
    breaches: dict[str, Result] = {}
    for engine in arguments.engine.split(","):
        if arguments.requests:
            with tempfile.TemporaryDirectory(prefix="reach-") as name:
                folder = Path(name)
                with (
                    databases(engine, folder) as (url, copy),
                    stage(url, copy, folder / "data", arguments.seed) as scene,
                ):
                    result = run(scene, arguments.seed, arguments.requests)
                    results[engine] = scene, result
                    print(line(engine, scene, result), *findings(result)[: arguments.show], sep="\n")
                    if arguments.faults and not faults:
                        faults = seed(scene, arguments.faults, arguments.seed)
        if not arguments.wire:
            continue
        with (
            tempfile.TemporaryDirectory(prefix="reach-") as name,
            empty(engine, Path(name)) as urls,
            houses(urls, Path(name) / "data", arguments.seed) as several,
        ):
            wires[engine] = cross(several, Eyes(several), arguments.seed, arguments.wire)
            print(wire_line(engine, wires[engine]), *findings(wires[engine])[: arguments.show], sep="\n")
            if arguments.faults and not breaches:
                breaches = breach(several, arguments.faults, arguments.seed)
    every = {**faults, **breaches}
    missed = [name for name, result in every.items() if result.first is None]
    if arguments.report:
        arguments.report.write_text(page(arguments, results, wires, faults, breaches))
    print(f"{len(every) - len(missed)} of {len(every)} faults found", *missed, sep="\n")
    wrong = [*(result for _, result in results.values()), *wires.values()]
    return 1 if missed or any(findings(result) for result in wrong) else 0


def read_arguments(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=50_000, help="requests to each engine")
    parser.add_argument(
        "--wire", type=int, default=12_000, help="requests over the wire to two tenants, of each engine"
    )
    parser.add_argument("--engine", default="sqlite,postgresql")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=20_000, help="most requests until a fault must be found")
    parser.add_argument("--show", type=int, default=20, help="findings to print")
    parser.add_argument("--report", type=Path, default=None, help=f"write the results here, such as {REPORT}")
    return parser.parse_args(argv)


@contextmanager
def empty(engine: str, folder: Path) -> Iterator[tuple[str, ...]]:
    """Three empty databases: of two tenants, and the server's own."""
    with databases(engine, folder) as (url, copy):
        yield (copy("north"), copy("south"), url)


def seed(scene: Stage, requests: int, number: int, tell: Callable[[str], None] = print) -> dict[str, Result]:
    """Each fault by itself, until it is found."""
    found = {}
    for name in MUTATIONS:
        scene.judge.links.clear()
        with broken(name):
            began = time.process_time()
            found[name] = run(scene, number, requests, until_found=True)
        at = found[name].first
        tell(f"{name}: {'NOT FOUND' if at is None else f'request {at + 1}'}, {time.process_time() - began:.1f} CPU-s")
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
