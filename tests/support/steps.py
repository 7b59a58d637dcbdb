"""Steps of a durable job without an engine: each is run at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class AtOnce:
    """What a job asks of its engine; `write` runs an operation in a transaction."""

    def __init__(self, write: Callable[[Any], Any]) -> None:
        self._write = write

    def step(self, _name: str, function: Callable[[], Any]) -> Any:
        """The value of a step."""
        return function()

    def tx_step(self, _name: str, operation: Callable[[Any], Any]) -> Any:
        """The value of a step that writes."""
        return self._write(operation)
