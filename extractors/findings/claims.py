"""Which characters of a document are spoken for, so that no finder takes what another has taken."""

from __future__ import annotations

from collections.abc import Iterable

from extractors.model import Span


class Claims:
    """A mark on each character that belongs to a finding."""

    def __init__(self, size: int, spans: Iterable[Span] = ()) -> None:
        self._marks = bytearray(size)
        self.add(spans)

    def add(self, spans: Iterable[Span]) -> None:
        """Claim spans; those claimed already stay so."""
        for start, end in spans:
            self._marks[start:end] = b"\1" * (end - start)

    def taken(self, start: int, end: int) -> bool:
        """True when any character of the span is claimed."""
        return self._marks.find(1, start, end) >= 0
