"""Hold the prices of random claims against plain Decimals: `campaigns/claim_prices.py [--lines N] [--seed N]`.

Every seed invents a fee schedule of its own with every indicator value. It ends with exit code 0 when no line differs
in price, payment basis, limiting charge or reason.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter

from campaigns.claiming.price_line import Book
from campaigns.claiming.price_making import claims, schedule
from campaigns.claiming.price_reference import prices
from campaigns.claiming.tables import table
from claims.price.price import Prices
from claims.sheet.frames import frames

BATCH = 5_000


def main() -> int:
    """Compare, print, and say whether all agree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    why: Counter[str] = Counter()
    done = differing = 0
    kernel = plain = 0.0
    seed = options.seed
    while done < options.lines:
        rows = schedule(random.Random(seed))
        records = claims(BATCH, seed, rows)
        tables = {name: table(name, listed) for name, listed in rows.items()}
        sheet, book = frames(records), Book(rows)
        start = time.process_time()
        found = Prices(tables).of_frames(sheet).select("why", "allowed", "payable", "limit").rows()
        middle = time.process_time()
        wanted = [answer for record in records for answer in prices(record, book)]
        kernel, plain = kernel + middle - start, plain + time.process_time() - middle
        for one, other in zip(found, wanted, strict=True):
            why[other.why] += 1
            if one != tuple(other):
                differing += 1
                print(f"seed {seed}: {one} instead of {tuple(other)}")
        done, seed = done + len(found), seed + 1
    print(f"{done:,} lines, {why['']:,} priced, {differing:,} differ; kernel {kernel:.1f} s, Decimals {plain:.1f} s")
    for reason, count in sorted(why.items()):
        print(f"  {reason or 'priced':24}{count:>9,}")
    return 1 if differing else 0


if __name__ == "__main__":
    raise SystemExit(main())
