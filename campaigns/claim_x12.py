"""Hold made claims against two validators of X12: `campaigns/claim_x12.py [--claims N] [--seed N]`.

Of each kind N claims are written as 837, given to pyx12 and x12sdk, and read back. It ends with exit code 0 when both
take every file and each claim comes back as it was.
"""

from __future__ import annotations

import argparse
import time

from campaigns.claiming.fuller import drug, fuller, second_by_line
from campaigns.claiming.x12_cases import KINDS, known, pyx12_accepts, written, x12sdk_accepts
from claims.x12.read837 import read_837

BATCH = 500


def main() -> int:
    """Write, ask, read back, print, and say whether all is well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    bad = 0
    for kind in KINDS:
        counts = dict.fromkeys(("written", "pyx12", "x12sdk", "back"), 0)
        writing = reading = 0.0
        for seed in range(options.seed, options.seed + options.claims // BATCH):
            claims = list(fuller(kind, BATCH, seed))
            start = time.process_time()
            text = written(claims, kind)
            middle = time.process_time()
            back = list(read_837(text.encode()))
            writing, reading = writing + middle - start, reading + time.process_time() - middle
            counts["written"] += len(claims)
            counts["back"] += sum(_same(one, copy) for one, copy in zip(claims, back, strict=True))
            counts["pyx12"] += BATCH * pyx12_accepts(text)[0]
            leave = (drug, second_by_line) if kind == "institutional" else ()
            plainer = written(fuller(kind, BATCH, seed, leave), kind) if leave else text
            counts["x12sdk"] += BATCH * x12sdk_accepts(plainer)
        count = counts["written"]
        bad += sum(count - value for value in counts.values())
        print(f"{kind}: {', '.join(f'{name} {value:,}' for name, value in counts.items())}")
        print(f"  {count / writing:,.0f} written and {count / reading:,.0f} read in a second of CPU, with JSON")
    return 1 if bad else 0


def _same(one: dict[str, object], copy: dict[str, object]) -> bool:
    """Whether nothing that is mapped got lost."""
    first, second = known(one), known(copy)
    return all(
        len(rows) == len(second[name]) and all(_holds(a, b) for a, b in zip(rows, second[name], strict=True))
        for name, rows in first.items()
    )


def _holds(row: dict[str, object], other: dict[str, object]) -> bool:
    return all(other.get(name) == value for name, value in row.items() if name != "unit")


if __name__ == "__main__":
    raise SystemExit(main())
