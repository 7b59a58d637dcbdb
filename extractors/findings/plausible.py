"""When a printed value should be doubted: a person must look before anything rests on it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal

from extractors.findings.analytes import Analyte
from extractors.model import Document, Span, Word

SURE = 70.0  # engine confidence (0–100) from which a digit is believed
FAR = 8  # times the reference limit: no such integer where the range has decimals


def in_unit(value: Decimal, unit: str | None, wanted: str | None) -> Decimal | None:
    """`value` in the unit of the plausible range; None when the two units have nothing in common here."""
    if unit is None or unit == wanted:
        return value
    if (unit, wanted) == ("[degF]", "Cel"):
        return (value - 32) * 5 / 9
    factor = _FACTORS.get((unit, wanted or ""))
    return value * factor if factor is not None else None


_FACTORS = {
    ("[lb_av]", "kg"): Decimal("0.45359237"),
    ("g", "kg"): Decimal("0.001"),
    ("[in_i]", "cm"): Decimal("2.54"),
    ("[ft_i]", "cm"): Decimal("30.48"),
    ("m", "cm"): Decimal(100),
    ("mL", "L"): Decimal("0.001"),
    ("meq/L", "mmol/L"): Decimal(1),
    ("/uL", "10*3/uL"): Decimal("0.001"),
    ("mg/dL", "mg/L"): Decimal(10),
    ("g/L", "g/dL"): Decimal("0.1"),
    ("m[IU]/L", "u[IU]/mL"): Decimal(1),
}


def doubts(
    analyte: Analyte | None,
    value: Decimal,
    unit: str | None,
    limits: tuple[Decimal | None, Decimal | None] = (None, None),
    printed: str = "",
) -> str | None:
    """Why the value cannot be taken as read, or None."""
    low, high = limits
    if low is not None and high is not None and low > high:
        return "the printed range begins above its end: one of its numbers may be misread"
    if high is not None and "." not in printed and _decimals(low, high) and value > high * FAR:
        return "the decimal point may be missing: far beyond the printed range"
    if analyte is None:
        return None
    known = in_unit(value, unit, analyte.unit)
    if known is None:
        return None
    if (analyte.low is not None and known < analyte.low) or (analyte.high is not None and known > analyte.high):
        return "outside what is possible for this measurement"
    return None


def _decimals(*limits: Decimal | None) -> bool:
    return any(x is not None and "." in str(x) for x in limits)


class Ink:
    """How surely each character of a document was read."""

    def __init__(self, document: Document) -> None:
        self._words: Sequence[Word] = [w for page in document.pages for w in page.words]
        self._starts = [w.start for w in self._words]

    def doubt(self, span: Span) -> str | None:
        """Why the words of `span` cannot be trusted, or None."""
        if not self._words:
            return None
        i = max(bisect_left(self._starts, span[0] + 1) - 1, 0)
        while i < len(self._words) and self._words[i].start < span[1]:
            word = self._words[i]
            if word.end > span[0]:
                if word.other is not None:
                    return f"two readers differ: {word.text} or {word.other or 'nothing'}"
                if word.confidence < SURE:
                    return "read with low confidence"
                if word.raw is not None and _digits(word.raw) != _digits(word.text):
                    return "digits were repaired"
            i += 1
        return None


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit() or c == ".")
