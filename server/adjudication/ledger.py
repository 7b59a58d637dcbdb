"""What was asked, spent and refused, and the state of the breaker: a file that all processes of a data dir share.

It holds numbers and fixed words only. What is set aside for a question counts until the question is settled, so that
a killed process leaves the budget spent rather than free.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from extractors.adjudicate.breaker import Breaker
from extractors.adjudicate.budget import DOLLAR, Cost

T = TypeVar("T")
Figures = dict[str, tuple[str, str, Mapping[str, float]]]


class Book(msgspec.Struct, omit_defaults=True):
    """The page of the file: today's spending, all there ever was, and the breaker."""

    day: str = ""
    tokens: int = 0
    nanodollars: int = 0
    calls: int = 0
    all_tokens: int = 0
    all_nanodollars: int = 0
    questions: dict[str, int] = {}
    codes: dict[str, int] = {}
    breaker: Breaker = Breaker()


class Ledger:
    """The file behind a lock; safe for threads and processes. `clock` gives seconds since 1970."""

    def __init__(self, directory: Path, clock: Callable[[], float]) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = directory / "ledger"
        self._clock = clock
        self._lock = threading.Lock()

    def reserve(self, cost: Cost, most: Cost) -> str | None:
        """Set a cost aside; the day that it counts for, None when the day's budget does not have it."""

        def take(book: Book) -> str | None:
            if not (Cost(book.tokens, book.nanodollars) + cost).within(most):
                return None
            self._spend(book, cost)
            book.calls += 1
            return book.day

        return self._change(take)

    def settle(self, day: str, reserved: Cost, spent: Cost) -> None:
        """Put what was spent in the place of what was set aside."""

        def put(book: Book) -> None:
            less = Cost(spent.tokens - reserved.tokens, spent.nanodollars - reserved.nanodollars)
            if book.day == day:
                self._spend(book, less)
            else:
                book.all_tokens += less.tokens
                book.all_nanodollars += less.nanodollars

        self._change(put)

    def tell_question(self, outcome: str) -> None:
        """Count how a question ended."""
        self._change(lambda book: _count(book.questions, {outcome: 1}))

    def tell(self, outcomes: Mapping[str, int]) -> None:
        """Count what became of the codes that were asked about."""
        self._change(lambda book: _count(book.codes, outcomes))

    def enter(self, trial_seconds: float) -> bool:
        """Whether the breaker lets a question out."""

        def ask(book: Book) -> bool:
            entered = book.breaker.enter(self._clock(), trial_seconds)
            book.breaker = entered or book.breaker
            return entered is not None

        return self._change(ask)

    def ended(self, *, well: bool, most: int, seconds: float) -> None:
        """Tell the breaker how a question ended."""

        def put(book: Book) -> None:
            book.breaker = (
                Breaker.succeeded() if well else book.breaker.failed(self._clock(), most=most, seconds=seconds)
            )

        self._change(put)

    def read(self) -> Book:
        """What stands in the file now."""
        return self._change(lambda book: book)

    def figures(self) -> Figures:
        """What the metrics tell: name → (what it is, label, values)."""
        book = self.read()
        state = book.breaker.state(self._clock())
        ours = "fhirwright_adjudication"
        return {
            f"{ours}_calls": ("Requests that were sent to the language model.", "", {"": book.calls}),
            f"{ours}_tokens": ("Tokens that were charged.", "", {"": book.all_tokens}),
            f"{ours}_dollars": ("Dollars that were charged.", "", {"": book.all_nanodollars / DOLLAR}),
            f"{ours}_day_tokens": ("Tokens of today's budget that are spent.", "", {"": book.tokens}),
            f"{ours}_day_dollars": ("Dollars of today's budget that are spent.", "", {"": book.nanodollars / DOLLAR}),
            f"{ours}_questions": ("Questions by how they ended.", "outcome", dict(book.questions)),
            f"{ours}_codes": ("Codes that were asked about, by what became of them.", "outcome", dict(book.codes)),
            f"{ours}_breaker": (
                "The state of the circuit breaker: 1 is the one it is in.",
                "state",
                {name: int(name == state) for name in ("closed", "open", "half-open")},
            ),
        }

    def _spend(self, book: Book, cost: Cost) -> None:
        book.tokens += cost.tokens
        book.nanodollars += cost.nanodollars
        book.all_tokens += cost.tokens
        book.all_nanodollars += cost.nanodollars

    def _change(self, change: Callable[[Book], T]) -> T:
        """Apply a change to the file, alone; a reader and a crash see the file before it or after it."""
        with self._lock, self._path.with_suffix(".lock").open("a+b") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX)
            before = self._path.read_bytes() if self._path.exists() else b""
            book = _decoded(before)
            today = datetime.fromtimestamp(self._clock(), UTC).date().isoformat()
            if book.day != today:
                book.day, book.tokens, book.nanodollars = today, 0, 0
            value = change(book)
            after = msgspec.json.encode(book)
            if after != before:
                draft = self._path.with_suffix(".draft")
                draft.write_bytes(after)
                draft.replace(self._path)
        return value


def _count(counts: dict[str, int], more: Mapping[str, int]) -> None:
    for name, number in more.items():
        counts[name] = counts.get(name, 0) + number


def _decoded(data: bytes) -> Book:
    """The book; one that cannot be read begins anew."""
    try:
        return msgspec.json.decode(data, type=Book) if data else Book()
    except msgspec.MsgspecError:
        return Book()
