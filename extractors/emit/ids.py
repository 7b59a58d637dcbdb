"""Deterministic ids: the same document emits the same resources, however often it is run."""

from __future__ import annotations

from collections import Counter
from typing import Final
from uuid import UUID, uuid5

SPACE: Final = UUID("7d1f2a52-6c1b-5f0e-9a6e-0c1d5b9b3a44")


def resource_id(document: str, kind: str, ordinal: int) -> str:
    """The id of the `ordinal`-th resource of type `kind` that `document` yields: a version 5 UUID."""
    return str(uuid5(SPACE, f"{document}|{kind}|{ordinal}"))


class Ids:
    """Counts resources of each type of one document and names them."""

    def __init__(self, document: str) -> None:
        self._document = document
        self._seen: Counter[str] = Counter()

    def next(self, kind: str) -> str:
        """The id of the next resource of type `kind`."""
        ordinal = self._seen[kind]
        self._seen[kind] += 1
        return resource_id(self._document, kind, ordinal)
