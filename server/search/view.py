"""Where a search reads: the store, or the transaction it runs in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class View(Protocol):
    """A store or a transaction."""

    @property
    def dialect(self) -> str:
        """The name of the engine."""

    @property
    def engine(self) -> object:
        """The database behind it, the same for a store and its transactions."""

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""

    def body(self, kind: str, name: str, version: int, data: bytes) -> bytes:
        """The body of a version as it was before it was sealed."""
