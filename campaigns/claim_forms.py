"""Hold the two forms of every rule against each other: `campaigns/claim_forms.py [--claims N] [--processes N]`.

Made claims of every kind with up to four defects and, mostly, a history go through the form for many claims and through
the form for one. Every fiftieth is scrubbed whole both ways: repairs, findings, prices and the answer's bytes. It ends
with exit code 0 when nothing differs.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from typing import Any

os.environ.setdefault("POLARS_MAX_THREADS", "1")

from campaigns.claiming.mixing import differences, mixed
from campaigns.claiming.tables import made_tables
from claims.answer.head import Head
from claims.answer.response import Written, response
from claims.answer.scrub import Scrub
from claims.sheet.sheet import Sheet

BATCH = 2_500
WHOLE = 50
"""One claim in so many is scrubbed whole."""


@cache
def _scrub() -> Scrub:
    return Scrub.over(made_tables())


def batch(seed: int, size: int, number: int) -> tuple[Counter[str], int, float, float]:
    """(findings by rule, differences, CPU seconds of many at a time, of one by one) of a batch of its own seed."""
    dice = random.Random(f"{seed} {number}")
    records = [mixed(dice, row) for row in range(size)]
    scrub, clock = _scrub(), [0.0, 0.0]
    both, only = differences(scrub.edits, records, clock)
    apart = len(only) + _whole(scrub, records[::WHOLE])
    names = [rule.id for rule in scrub.edits.active]
    return Counter(names[rule] for _, rule, _ in both), apart, clock[0], clock[1]


def _whole(scrub: Scrub, records: list[Any]) -> int:
    """How many answers differ."""
    for row, record in enumerate(records):
        for rows in record.values():
            for one in [rows] if isinstance(rows, dict) else rows:
                one["row"] = row
    heads = [Head() for _ in records]
    written = Written("a" * 32, "2026-11-22", scrub.stamp.brief, partial=False)
    many = [response(one, written) for one in scrub.many(Sheet.of(records), heads).results]
    apart = 0
    for record, head, other in zip(records, heads, many, strict=True):
        for rows in record.values():
            for one in [rows] if isinstance(rows, dict) else rows:
                one["row"] = 0
        apart += response(scrub.one(record, head), written) != other
    return apart


def main() -> int:
    """Compare, print, and say whether all agree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    numbers = range(-(-options.claims // BATCH))
    ask = partial(batch, options.seed, min(BATCH, options.claims))
    found: Counter[str] = Counter()
    apart, many, one, began = 0, 0.0, 0.0, time.perf_counter()
    with ProcessPoolExecutor(options.processes, get_context("spawn")) as pool:
        for number, (rules, differing, first, second) in enumerate(pool.map(ask, numbers), 1):
            found, apart, many, one = found + rules, apart + differing, many + first, one + second
            print(
                f"{number} of {len(numbers)} batches, {apart} differ, {time.perf_counter() - began:.0f} s", flush=True
            )
    count = len(numbers) * min(BATCH, options.claims)
    active = _scrub().edits.active
    print(f"{count:,} claims, {len(active)} rules, {len(found)} of them broken; ", end="")
    print(f"{found.total():,} findings, {apart:,} differ")
    print(f"many at a time {many:.1f} CPU-s, one by one {one:.1f} CPU-s")
    print("not broken:", *[rule.id for rule in active if rule.id not in found])
    return 1 if apart else 0


if __name__ == "__main__":
    raise SystemExit(main())
