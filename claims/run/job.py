"""What a run is asked to do, and who does it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import msgspec

from claims.run.counts import Counts
from claims.run.cut import Chunk


class Job(msgspec.Struct, frozen=True):
    """A run: the file, where its output goes, the data directory, the user's own rules, the day (YYYY-MM-DD).

    `processes` work on this machine where no others are given. Without `responses` there are findings and prices alone;
    with a `model` there are scores.
    """

    file: Path
    out: Path
    data: Path
    mine: Path | None
    on: str
    processes: int = 1
    responses: bool = True
    model: Path | None = None


class Crew(Protocol):
    """Those who work on chunks. One that is lost is replaced, and its chunk done again."""

    def told(self) -> dict[str, Any]:
        """What the work rests on: `fingerprint`, releases, rules that are not run, `sentences` of all rules."""

    def kept(self, chunks: Iterator[Chunk]) -> Iterator[tuple[Chunk, Counts]]:
        """Work on chunks, taking few in advance; each as it is done and written."""
