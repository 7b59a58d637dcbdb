"""A word before it has its place in the text: box in an upright space, where lines run level."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Token:
    """A word with its box; `block` and `row` are the engine's idea of order, -1 when it has none."""

    text: str
    confidence: float
    x0: float
    y0: float
    x1: float
    y1: float
    block: int = -1
    row: int = -1
    raw: str | None = None
    repair: str | None = None
    other: str | None = None  # what a second reader read, and how sure it was
    other_sure: float = 0.0

    @property
    def middle(self) -> float:
        """The height at which the word stands."""
        return (self.y0 + self.y1) / 2

    @property
    def height(self) -> float:
        """The height of its box."""
        return self.y1 - self.y0
