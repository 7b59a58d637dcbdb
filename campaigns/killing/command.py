"""The command line that campaigns with kill -9 share."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path


def asked(
    doc: str, kills: int, report: Path, more: dict[str, int], data: Path | None = Path("var")
) -> argparse.Namespace:
    """What the campaign is called with; `more` are numbers of its own. From here on SIGTERM ends it in order."""
    parser = argparse.ArgumentParser(description=doc.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=kills, help="kills for each engine")
    for name, number in more.items():
        parser.add_argument(f"--{name}", type=int, default=number)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, default=data, help="data directory with a terminology")
    parser.add_argument("--report", type=Path, default=report)
    given = parser.parse_args()
    given.engine = given.engine or ["sqlite", "postgresql"]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the processes end with the campaign
    return given


def called(name: str) -> str:
    """The command, as the page of results tells it."""
    return f"python -m campaigns.{name} {' '.join(sys.argv[1:])}".strip()
