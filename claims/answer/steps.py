"""How the price of each line came about, in sentences, as extensions of an answer."""

from __future__ import annotations

from typing import Any

from claims.price.explain import explain
from claims.price.price import Prices
from claims.sheet.frames import frames
from fhir_profiles.systems import PRICE_STEPS

Json = dict[str, Any]
Record = dict[str, Any]


def steps(record: Record, prices: Prices) -> list[Json]:
    """For each line that has a number the way to its price; the record is that of a claim which was put right."""
    rows = prices.of_frames(frames([record])).iter_rows(named=True)
    return [
        {
            "url": PRICE_STEPS,
            "extension": [
                {"url": "item", "valuePositiveInt": line["seq"]},
                *({"url": "step", "valueString": sentence} for sentence in explain(row)),
            ],
        }
        for line, row in zip(record["lines"], rows, strict=True)
        if line["seq"] > 0
    ]
