"""What an interaction reads from: the store, or the transaction it runs in."""

from __future__ import annotations

from typing import Protocol

from server.search import view
from server.store import Version


class View(view.View, Protocol):
    """A store or a transaction: both answer the same questions."""

    def read(self, resource_type: str, resource_id: str) -> Version | None:
        """The newest version of a resource, deleted ones too."""

    def read_version(self, current: Version, version: int) -> Version | None:
        """A version of a resource, given its newest."""
