"""How much a confidence is worth, in three bands whose limits were measured.

The confidence of a diagnosis is calibrated (docs/adr/0013): its value is the share of such codes that coders chose too.
"""

from __future__ import annotations

from typing import NamedTuple


class Band(NamedTuple):
    """A band from confidence `least` on; `means` is for a person, `source` says where it was measured."""

    name: str
    least: float
    means: str
    source: str


BANDS = (
    Band(
        "sure",
        0.916,
        "95 of 100 such codes were right in cross-validation, 94 on documents that nothing had seen",
        "docs/results/codiesp.md",
    ),
    Band(
        "likely",
        0.4,
        "the codes from here on are put on the claim: below it, leaving them out was the better choice",
        "docs/adr/0013-confidence-is-learned-and-calibrated.md",
    ),
    Band("doubtful", 0.0, "more often wrong than right", "docs/results/evaluation.md"),
)


def band(confidence: float) -> Band:
    """The band of a confidence between 0 and 1."""
    return next(one for one in BANDS if confidence >= one.least or one.least == 0.0)
