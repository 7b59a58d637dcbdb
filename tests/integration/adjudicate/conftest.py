"""Adjudicators over real sockets, with clocks and chance of the test."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extractors.adjudicate.model import Question
from server.adjudication.adjudicator import Adjudicator, Terms
from server.adjudication.endpoint import Endpoint as Client
from server.adjudication.ledger import Ledger
from server.jobs.cache import ContentCache

SCHEMA = {"type": "object"}


class Clock:
    """Seconds since 1970, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class House:
    """An adjudicator, and what the test may look at."""

    def __init__(self, directory: Path, url: str | None, key: str | None, terms: Terms, at_once: int) -> None:
        self.clock = Clock()
        self.slept: list[float] = []
        self.cache = ContentCache(directory / "answers", 10**8)
        self.ledger = Ledger(directory, self.clock)
        client = None if url is None else Client(url, key)
        self.adjudicator = Adjudicator(
            terms,
            self.cache,
            self.ledger,
            None if client is None else lambda: client,
            at_once=at_once,
            sleep=self.slept.append,
            drawn=lambda: 0.5,
        )
        self._numbers = itertools.count()

    def ask(self, user: str | None = None) -> Any:
        """Ask; each time something new unless the test says what."""
        text = user if user is not None else f"question {next(self._numbers)}"
        return self.adjudicator.ask(Question("adjudicate-1", "system", text, SCHEMA))


@pytest.fixture
def house(tmp_path: Path) -> Callable[..., House]:
    """A function that builds an adjudicator for an address; further arguments are its terms."""

    def build(url: str | None, *, key: str | None = None, at_once: int = 4, **terms: Any) -> House:
        made = Terms("m", **{"seconds": 5.0, "attempt_seconds": 2.0, **terms})
        return House(tmp_path / "adjudication", url, key, made, at_once)

    return build
