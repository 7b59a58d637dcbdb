"""What an interaction reads from: the store, or the transaction it runs in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from server.search import view
from server.store import Version


class View(view.View, Protocol):
    """A store or a transaction: both answer the same questions."""

    def read(self, resource_type: str, resource_id: str, where: str = "", params: Sequence[Any] = ()) -> Version | None:
        """The newest version of a resource, deleted ones too; with a condition on `v.rid` only where that holds."""

    def versions(self, rows: Sequence[Sequence[Any]]) -> list[Version]:
        """Versions from rows in the order of their columns; their bodies are opened."""

    def read_version(self, current: Version, version: int) -> Version | None:
        """A version of a resource, given its newest."""
