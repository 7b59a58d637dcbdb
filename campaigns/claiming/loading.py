"""Write the made tables of claims into a data directory, with as many pairs of codes as are asked."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from campaigns.claiming.tables import framed, made_rows
from claims.tables.store import Release, TableSource, save


def load(room: Path, pairs: int = 0) -> None:
    """The made tables, and random pairs for NCCI, as releases in a data directory."""
    for name, rows in made_rows().items():
        frame = framed(name, rows)
        if name == "ptp" and pairs:
            frame = pl.concat([frame, framed(name, _pairs(pairs))])
        release = Release(name, "made", None, None, "made", "none", f"made-{len(frame)}")
        save(room, TableSource(release, lambda frame=frame: frame))  # type: ignore[misc]


def _pairs(count: int) -> Iterator[dict[str, Any]]:
    dice = random.Random(7)
    codes = [f"{n:05d}" for n in range(10_000, 24_000)]
    found = {(dice.choice(codes), dice.choice(codes)) for _ in range(count)}
    for one, other in sorted(found):
        yield {"column1": one, "column2": other, "setting": "practitioner", "indicator": dice.choice("019")}
