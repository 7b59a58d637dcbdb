"""How many claims a second of CPU writes as 837, and reads back: `campaigns/claim_x12_speed.py [--claims N]`.

Made claims: professional ones of three lines, and of hospitals; once from twenty who bill, treat and pay, once from as
many as the maker invents. Writing includes the reading of the JSON. The best of nine rounds is told.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from campaigns.claiming.institutional import inpatient, outpatient
from campaigns.claiming.making import claim
from campaigns.claiming.x12_cases import ENVELOPE, KINDS
from claims.x12.codes import Kind
from claims.x12.read837 import read_837
from claims.x12.write837 import interchange

Json = dict[str, Any]
RECUR = 20
ROUNDS = 9


def main() -> None:
    """Make claims, write and read them, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=4_000)
    count = parser.parse_args().claims
    for kind in KINDS:
        for name, many in (("twenty providers", practice), ("many providers", iter)):
            bodies = [orjson.dumps(one) for one in many(made(kind, count))]
            text = "".join(interchange(bodies, kind, ENVELOPE))
            writing = best(lambda bodies=bodies, kind=kind: "".join(interchange(bodies, kind, ENVELOPE)))  # type: ignore[misc]
            reading = best(lambda text=text: sum(1 for _ in read_837(text.encode())))  # type: ignore[misc]
            size = sum(map(len, bodies)) // count
            print(
                f"{kind}, {name}, {size:,} bytes of JSON: {writing / count * 1e6:.0f} µs a claim written "
                f"({count / writing:,.0f}/s), {reading / count * 1e6:.0f} µs read ({count / reading:,.0f}/s)"
            )


def made(kind: Kind, count: int) -> Iterator[Json]:
    """Plain claims."""
    dice = random.Random(1)
    for number in range(count):
        if kind == "professional":
            yield claim(dice, number, 3)
        else:
            yield dice.choice((inpatient, outpatient))(dice, number)


def practice(claims: Iterator[Json]) -> Iterator[Json]:
    """The same with few who bill, treat and pay."""
    dice = random.Random(3)
    known: dict[tuple[str, str], list[Json]] = {}
    for one in claims:
        for n, resource in enumerate(one["contained"]):
            if resource["resourceType"] in ("Organization", "Practitioner"):
                same = known.setdefault((resource["resourceType"], resource["id"]), [])
                if len(same) < RECUR:
                    same.append(resource)
                else:
                    one["contained"][n] = dice.choice(same)
        yield one


def best(work: Callable[[], object]) -> float:
    """Seconds of CPU of the quickest round."""
    took = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        took.append(time.process_time() - start)
    return min(took)


if __name__ == "__main__":
    main()
