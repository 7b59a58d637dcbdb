"""Deterministic ids: the same document emits the same resources, however often it is run."""

from __future__ import annotations

from collections import Counter
from typing import Final
from uuid import UUID, uuid5

SPACE: Final = UUID("7d1f2a52-6c1b-5f0e-9a6e-0c1d5b9b3a44")


_HALF: Final = 16  # hexadecimal digits
_LENGTH: Final = 36


def resource_id(document: str, kind: str, ordinal: int) -> str:
    """The id of the `ordinal`-th resource of type `kind` that `document` yields: a version 5 UUID."""
    return str(uuid5(SPACE, f"{document}|{kind}|{ordinal}"))


def coded_id(document: str, kind: str, *key: str) -> str:
    """The id of what `document` yields for what is coded (system, code, modifiers): whatever else is found, it stays.

    The first half tells document and type, the second half what is coded; both are halves of version 5 UUIDs.
    """
    document_half, key_half = uuid5(SPACE, f"{document}|{kind}").hex[:_HALF], uuid5(SPACE, "|".join(key)).hex[_HALF:]
    return str(UUID(document_half + key_half))


def is_coded_id(id: str, document: str, kind: str) -> bool:
    """True when `id` is one that `document` gives to a resource of type `kind` for what is coded."""
    return id.replace("-", "")[:_HALF] == uuid5(SPACE, f"{document}|{kind}").hex[:_HALF] and len(id) == _LENGTH


class Ids:
    """Names the resources of one document: by what they code, or else by counting those of each type."""

    def __init__(self, document: str) -> None:
        self._document = document
        self._seen: Counter[str] = Counter()

    def next(self, kind: str) -> str:
        """The id of the next resource of type `kind`."""
        ordinal = self._seen[kind]
        self._seen[kind] += 1
        return resource_id(self._document, kind, ordinal)

    def coded(self, kind: str, *key: str) -> str:
        """The id of the resource of type `kind` that codes `key`."""
        return coded_id(self._document, kind, *key)
