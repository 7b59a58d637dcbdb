"""How fast clients may call the endpoints: a bucket for each client at each address, and one for each address.

https://datatracker.ietf.org/doc/html/rfc6585#section-4
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict

from .attempts import network_of
from .secrets import digest

FULL, PER_SECOND = 1000, 10.0
"""What a bucket holds unless the settings say otherwise, and what comes back each second; a call takes 1."""

BEGUN = 10
"""What a request for authorization takes, which is kept until somebody answers it."""

REFUSED = 10
"""What a call takes in addition that was refused: guessing is slower than asking."""

CROWD = 10
"""How many times as much the bucket of an address holds: many apps may stand behind one."""

MOST = 20_000
"""Buckets that are remembered; those that were not used for longest are forgotten first."""


class Pace:
    """The buckets of one process, for one thread: with several processes each lets as much through."""

    def __init__(self, full: float = FULL, per_second: float = PER_SECOND) -> None:
        self._full = full
        self._per_second = per_second
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def keys(self, client: str, address: str) -> tuple[tuple[str, int], ...]:
        """The buckets of a call by whoever says to be this client, with how many times as much each holds."""
        place = network_of(address)
        return ((digest(f"{client}|{place}"), 1), (place, CROWD))

    def wait(self, keys: tuple[tuple[str, int], ...], cost: float = 1) -> int:
        """0 when the call may go on, which it is counted for; else the seconds to wait."""
        now = time.monotonic()
        missing = [(1 - self._level(key, crowd, now)) / (self._per_second * crowd) for key, crowd in keys]
        if max(missing) > 0:
            return max(math.ceil(max(missing)), 1)
        self._take(keys, cost, now)
        return 0

    def wait_one(self, key: str) -> int:
        """The same for one bucket, which every request for resources asks."""
        now, levels = time.monotonic(), self._levels
        known = levels.get(key)
        level = self._full if known is None else known[0] + (now - known[1]) * self._per_second
        if level > self._full:
            level = self._full
        if level < 1:
            return max(math.ceil((1 - level) / self._per_second), 1)
        levels[key] = (level - 1, now)
        levels.move_to_end(key)
        if len(levels) > MOST:
            levels.popitem(last=False)
        return 0

    def refused(self, keys: tuple[tuple[str, int], ...]) -> None:
        """The call was refused."""
        self._take(keys, REFUSED, time.monotonic())

    def _level(self, key: str, crowd: int, now: float) -> float:
        level, last = self._levels.get(key, (self._full * crowd, now))
        return min(self._full * crowd, level + (now - last) * self._per_second * crowd)

    def _take(self, keys: tuple[tuple[str, int], ...], amount: float, now: float) -> None:
        for key, crowd in keys:
            self._levels[key] = (self._level(key, crowd, now) - amount, now)
            self._levels.move_to_end(key)
        while len(self._levels) > MOST:
            self._levels.popitem(last=False)
