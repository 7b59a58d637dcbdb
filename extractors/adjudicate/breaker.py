"""A circuit breaker: after failures in a row nobody is asked for a while, then one question tries.

Times are seconds on any clock that all who share the state agree on.
"""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["closed", "open", "half-open"]


class Breaker(msgspec.Struct, frozen=True):
    """Failures in a row, until when nobody asks, and until when one trial runs."""

    failures: int = 0
    open_until: float = 0.0
    trial_until: float = 0.0

    def state(self, now: float) -> State:
        """Closed: ask; open: do not; half-open: one may try."""
        if self.open_until == 0.0:
            return "closed"
        return "open" if now < self.open_until else "half-open"

    def enter(self, now: float, trial_seconds: float) -> Breaker | None:
        """The state when a question goes out, None when none may; of those that try only one does."""
        state = self.state(now)
        if state == "closed":
            return self
        if state == "open" or now < self.trial_until:
            return None
        return msgspec.structs.replace(self, trial_until=now + trial_seconds)

    def failed(self, now: float, *, most: int, seconds: float) -> Breaker:
        """The state after a failure: open after `most` in a row, or when the trial failed."""
        failures = self.failures + 1
        if failures >= most or self.open_until:
            return Breaker(failures, now + seconds)
        return Breaker(failures)

    @staticmethod
    def succeeded() -> Breaker:
        """The state after an answer."""
        return Breaker()
