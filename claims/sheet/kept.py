"""What is found once for what many claims say in the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import msgspec

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")
_MOST_BYTES = 2_048
"""Of what is kept; what is longer is found each time."""


class Kept(dict[Key, Found]):
    """Key → what `find` gives for it. When `most` are kept all are dropped: what is common is soon there again."""

    __slots__ = ("_find", "_most")

    def __init__(self, find: Callable[[Key], Found], most: int = 8_192) -> None:
        super().__init__()
        self._find, self._most = find, most

    def __missing__(self, key: Key) -> Found:
        return self.keep(key, self._find(key))

    def keep(self, key: Key, found: Found) -> Found:
        """Keep what was found, and give it."""
        if not isinstance(key, bytes) or len(key) <= _MOST_BYTES:
            if len(self) >= self._most:
                self.clear()
            self[key] = found
        return found


def kept(shape: Any, find: Callable[[Any], Found], most: int = 8_192) -> Kept[bytes, Found]:
    """JSON of a shape → what `find` gives for that; of no bytes what it gives for None.

    msgspec.ValidationError where the JSON has another shape.
    """
    decode = msgspec.json.Decoder(shape).decode
    return Kept(lambda raw: find(decode(raw) if raw else None), most)
