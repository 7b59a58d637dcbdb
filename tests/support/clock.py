"""The only clocks of the tests: bounds far beyond what is measured, and waits that end as soon as they can.

A machine that tests may have two slow cores and much else to do. So nothing here tells how fast something is (that is
what `make bench` is for); it only tells that something did not run away, or that what must happen did happen.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

LEAST = 10.0
"""Seconds: no bound and no wait of a test is shorter."""
PAUSE = 0.02
T = TypeVar("T")


@contextmanager
def within(cpu_seconds: float = LEAST) -> Iterator[None]:
    """What is done in it did not run away: it took this process less CPU, which is ten times what it takes or more."""
    yield from _bounded(time.process_time, cpu_seconds)


@contextmanager
def not_waiting(seconds: float = 60) -> Iterator[None]:
    """What is done in it did not wait for ever: it took less time than what it must not wait for."""
    yield from _bounded(time.monotonic, seconds)


def moment() -> float:
    """Now, as what is tested counts time; for what is told the time."""
    return time.monotonic()


def tick() -> None:
    """Wait for the next millisecond: what is written after it is later than what was written before."""
    before = time.time_ns() // 1_000_000
    while time.time_ns() // 1_000_000 <= before:
        time.sleep(0.0002)


def _bounded(clock: Callable[[], float], seconds: float) -> Iterator[None]:
    assert seconds >= LEAST, "a bound that a slow machine could break tells nothing"
    began = clock()
    yield
    spent = clock() - began
    assert spent < seconds, f"it ran away: {spent:.1f} s"


def until(happened: Callable[[], T], seconds: float = 300) -> T:
    """Wait for something and give what it gave; AssertionError after so long."""
    assert seconds >= 6 * LEAST, "a slow machine may take that long"
    deadline = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(PAUSE)
    return found


async def eventually(happened: Callable[[], T], seconds: float = 300) -> T:
    """Wait for what others do meanwhile in this loop, as `until` does."""
    assert seconds >= 6 * LEAST, "a slow machine may take that long"
    async with asyncio.timeout(seconds):
        while not (found := happened()):
            await asyncio.sleep(PAUSE)
    return found
