"""What a release of the fee schedule looks like: how many rows have each status and indicator.

https://www.cms.gov/medicare/payment/fee-schedules/physician/pfs-relative-value-files

The counts are those of October 2025. Releases differ by hundreds of rows; a file that was cut, or whose columns moved,
differs by more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

USUAL: Mapping[str, Mapping[str, int]] = {
    "status": {
        "A": 9021, "X": 2548, "E": 1569, "I": 1486, "C": 1347, "M": 1216, "R": 1058, "N": 336, "J": 276, "P": 142,
        "B": 83, "T": 8,
    },
    "multiple": {"0": 4146, "2": 5344, "3": 370, "4": 477, "5": 52, "6": 382, "7": 101, "9": 8218},
    "bilateral": {"0": 8001, "1": 2227, "2": 388, "3": 240, "9": 8234},
    "assistant": {"0": 5781, "1": 2243, "2": 2787, "9": 8279},
    "cosurgeon": {"0": 8080, "1": 2482, "2": 301, "9": 8227},
    "team": {"0": 10679, "1": 133, "2": 51, "9": 8227},
    "family": {"88": 477},
    "global_days": {"000": 1371, "010": 471, "090": 3767, "ZZZ": 775, "MMM": 17, "YYY": 967, "XXX": 11722},
}  # fmt: skip
ROWS = 19_090
_LEAST = 50
"""Below as many rows a count says nothing."""


def counted(rows: pl.DataFrame) -> dict[str, dict[str, int]]:
    """Rows by each value of status and indicators."""
    found = {}
    for name in USUAL:
        counts = rows[name].drop_nulls().value_counts().sort(name)
        found[name] = dict(zip(counts[name].to_list(), counts["count"].to_list(), strict=True))
    return found


def unlike(counts: Mapping[str, Mapping[str, int]], rows: int) -> Iterator[str]:
    """What is not as in other releases: more than twice or less than half as many rows."""
    if not _near(rows, ROWS):
        yield f"The fee schedule has {rows} rows, where its releases have about {ROWS}: is the file whole?"
        return
    for name, usual in USUAL.items():
        found = counts.get(name, {})
        for value, expected in usual.items():
            if expected >= _LEAST and not _near(found.get(value, 0), expected):
                yield f"{name} {value} stands in {found.get(value, 0)} rows, where releases have about {expected}"
        if name != "family":  # its other value means that there is none
            for value, count in found.items():
                if value not in usual and count >= _LEAST:
                    yield f"{name} {value} stands in {count} rows, and in no release before"


def _near(count: int, expected: int) -> bool:
    return expected <= 2 * count and count <= 2 * expected
