"""Claims with several defects at once, and whether both forms of every rule say the same of them.

`python -m campaigns.claiming.mixing 100000` prints how many findings the forms share and how many they do not.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from typing import Any

import orjson

from campaigns.claiming.defects import DEFECTS
from campaigns.claiming.institutional import inpatient, outpatient
from campaigns.claiming.making import claim
from campaigns.claiming.tables import made_tables
from claims.edit import Edits
from claims.price.beside import COLUMNS, beside, put
from claims.price.price import Prices
from claims.rules.rule import own_rules
from claims.sheet.frames import frames
from claims.sheet.read import Record, read_claim

BASES = {"professional": claim, "inpatient": inpatient, "outpatient": outpatient}
BATCH = 5_000
Found = tuple[int, int, int]


def mixed(dice: random.Random, row: int, most: int = 4) -> Record:
    """The record of a claim with up to `most` defects of its kind; one that does not fit the others is passed over."""
    base = dice.choice(tuple(BASES))
    resource = BASES[base](dice, row)
    history: list[dict[str, Any]] = []
    for defect in dice.sample([one for one in DEFECTS.values() if one.base == base], dice.randrange(most + 1)):
        before = orjson.dumps(resource)
        try:
            history += defect.change(resource) or []
        except (KeyError, IndexError, ValueError, StopIteration):
            resource = orjson.loads(before)
    return read_claim(orjson.dumps(resource), row, history=history if dice.random() < 0.8 else None)


def differences(edits: Edits, records: list[Record], clock: list[float] | None = None) -> tuple[set[Found], set[Found]]:
    """(what both forms find, what only one finds) as claim, rule and place; `clock` takes the CPU seconds of each."""
    sheet = frames(records)
    prices = Prices(edits.tables).of_frames(sheet)
    put(records, prices.select(COLUMNS).iter_rows())
    sheet, began = beside(sheet, prices), time.process_time()
    many = set(edits.of_frames(sheet).iter_rows())
    middle = time.process_time()
    findings = [edits.of_record(record) for record in records]
    if clock is not None:
        clock[0], clock[1] = clock[0] + middle - began, clock[1] + time.process_time() - middle
    numbers = {rule.id: number for number, rule in enumerate(edits.active)}
    one = {
        (row, numbers[finding.rule.id], -1 if finding.place is None else finding.place)
        for row, mine in enumerate(findings)
        for finding in mine
    }
    return many & one, many ^ one


def batches(count: int, seed: int = 1) -> Iterator[list[Record]]:
    """Records in batches, each numbered from 0."""
    dice = random.Random(seed)
    for start in range(0, count, BATCH):
        yield [mixed(dice, row) for row in range(min(BATCH, count - start))]


def main(count: int) -> int:
    """Compare the forms; the number of differences."""
    edits = Edits(own_rules(), made_tables())
    shared = apart = 0
    rules: set[int] = set()
    for records in batches(count):
        both, only = differences(edits, records)
        shared, apart, rules = shared + len(both), apart + len(only), rules | {rule for _, rule, _ in both}
    sys.stdout.write(
        f"{count} claims, {len(edits.active)} rules, {len(rules)} of them broken, {shared} findings shared, "
    )
    sys.stdout.write(f"{apart} found by one form alone\n")
    return apart


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1])) else 0)
