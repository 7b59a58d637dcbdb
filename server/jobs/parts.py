"""What the time of a stage goes to, measured where it runs and handed back (https://opentelemetry.io/docs/concepts/signals/traces/)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

Part = tuple[str, int, int, float]
"""Name, begin and end in nanoseconds since 1970, seconds of processor time."""


class Parts:
    """Collects parts in a child process, which knows nothing of traces."""

    def __init__(self) -> None:
        self._found: list[Part] = []

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Measure a block."""
        began, cpu = time.time_ns(), time.process_time()
        try:
            yield
        finally:
            self._found.append((name, began, time.time_ns(), round(time.process_time() - cpu, 6)))

    def take(self) -> list[Part]:
        """What was measured since this was last asked."""
        found, self._found = self._found, []
        return found
