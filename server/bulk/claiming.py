"""Claims scrubbed and priced in bulk: a ClaimResponse for each, findings and prices as rows (docs/claims.md)."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import orjson
import polars as pl

from claims.answer.scrub import Scrub
from claims.run.chunk import made
from claims.run.cut import Chunk as Lines
from claims.run.repeats import MARK
from server.bulk.work import Item, Rows

AT_ONCE = 2_000
PRICES = (
    "line", "claim", "seq", "allowed", "unit", "fee", "why", "method", "units", "carrier", "locality", "factor",
    "assumed",
)  # fmt: skip
"""What is told of the price of a line; money is in cents, `factor` in ten-thousandths of a dollar."""


class Claiming(msgspec.Struct, frozen=True):
    """Scrub by what is loaded in `data` and the user's own rules; `on` is the day the claims came, YYYY-MM-DD."""

    data: str
    on: str
    mine: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Answers, findings, prices of lines."""
        return ("responses", "findings", "prices")

    @property
    def at_once(self) -> int:
        """Claims of a chunk."""
        return AT_ONCE

    def shared(self) -> Any:
        """Rules and tables: nodes need none of their own."""
        edits = self._scrub().edits
        return list(edits.rules), dict(edits.tables)

    def open(self, shared: Any = None) -> Scrubber:
        """Rules and tables, open."""
        return Scrubber(self._scrub() if shared is None else Scrub.over(shared[1], shared[0]), self.on)

    def _scrub(self) -> Scrub:
        return Scrub.open(Path(self.data), Path(self.mine) if self.mine else None)


class Scrubber:
    """Rules and tables."""

    def __init__(self, scrub: Scrub, on: str) -> None:
        self._scrub, self._on = scrub, on

    def told(self) -> dict[str, Any]:
        """Rules, tables and releases, and the day."""
        told = self._scrub.stamp.told()
        return {**told, "fingerprint": f"{self._scrub.stamp.fingerprint}-{self._on}", "on": self._on}

    def close(self) -> None:
        """Nothing is to be let go of."""

    def rows(self, items: Sequence[Item]) -> Rows:
        """What is found of claims; the numbers of lines that the engine tells are places among the items, from 1."""
        body = b"\n".join(item.body for item in items)
        lines = Lines(0, 1, len(items), 0, len(body))
        found = made(self._scrub, body, lines, self._on)
        numbers = [number for _, number in MARK.iter_unpack(found.marks)]
        answers = found.files["responses"].splitlines()
        said = {
            number - 1: items[number - 1].row("response", answer)
            for number, answer in zip(numbers, answers, strict=True)
        }
        for line in found.files["rejected"].splitlines():
            told = orjson.loads(line)
            said[told["line"] - 1] = items[told["line"] - 1].refusal("invalid", told["error"])
        for at, item in enumerate(items):
            if item.refused or at not in said:
                said[at] = item.refusal("structure", item.refused or _NO_CLAIM)
        return {
            "responses": sorted(said.items()),
            "findings": _flat(pl.read_parquet(BytesIO(found.files["findings"])), items),
            "prices": _flat(pl.read_parquet(BytesIO(found.files["prices"]), columns=list(PRICES)), items),
        }


_NO_CLAIM = "A line is a Claim, or a Bundle that begins with one"


def _flat(frame: pl.DataFrame, items: Sequence[Item]) -> list[tuple[int, bytes]]:
    """Rows of a table as lines, in the order of the items."""
    rows = []
    for row in frame.sort("line", maintain_order=True).iter_rows(named=True):
        at = row.pop("line") - 1
        rows.append((at, orjson.dumps({"input": items[at].input, "line": items[at].line, **row})))
    return rows
