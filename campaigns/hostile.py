"""Make hostile files and read each: `campaigns/hostile.py [--scale N] [--only WORD]`.

Each must be refused or capped within 5 s and 1 GB, with a reason that a person can act on; nothing may be left running.
"""

from __future__ import annotations

import argparse
import sys

import psutil
from hostility.files import files
from hostility.measure import measure

from extractors.pages import Limits, children, read

SECONDS, MEGABYTES = 5.0, 1000.0


def main() -> int:
    """Run; the exit code is 1 when a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    read(b"<html><body>warm</body></html>")
    broken = total = 0
    for name, data, expected in files(options.scale):
        if options.only not in name:
            continue
        outcome = measure(data, Limits())
        held = outcome.seconds <= SECONDS and outcome.peak <= MEGABYTES and expected in (outcome.answer, "either")
        total, broken = total + 1, broken + (not held)
        print(
            f"{'ok ' if held else 'BAD'} {name:28} {len(data) / 1e3:9,.0f} KB {outcome.seconds:5.2f} s",
            f"{outcome.peak:6,.0f} MB  {outcome.answer}: {outcome.reason}",
            flush=True,
        )
    children.close()
    left = psutil.Process().children(recursive=True)
    print(f"{total - broken} of {total} held; {len(left)} processes left")
    return 1 if broken or left else 0


if __name__ == "__main__":
    sys.exit(main())
