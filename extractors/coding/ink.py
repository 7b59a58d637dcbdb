"""How well the words under a code were read: the confidence of its least sure word."""

from __future__ import annotations

from bisect import bisect_right

from extractors.model import Document

SURE = 92.0  # an engine's figure above which a reading is as good as a text layer
FLOOR = 0.5  # what is left of the confidence where the ink says nothing


class Ink:
    """Answers `factor(start, end)`; free of cost for documents that were not read by an engine."""

    def __init__(self, document: Document) -> None:
        words = [w for page in document.pages for w in page.words if w.confidence < SURE]
        self._starts = [w.start for w in words]
        self._words = words

    def factor(self, start: int, end: int) -> float:
        """What to multiply a confidence with: 1 for sure words, less for doubtful ones."""
        i = max(bisect_right(self._starts, start) - 1, 0)
        least = SURE
        while i < len(self._words) and self._words[i].start < end:
            if self._words[i].end > start:
                least = min(least, self._words[i].confidence)
            i += 1
        return 1.0 if least >= SURE else FLOOR + (1 - FLOOR) * max(least, 0.0) / SURE
