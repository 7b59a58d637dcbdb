"""Flow sheets: a line of dates over lines of a name and one number under each date."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from extractors.findings.analytes import Analyte, Analytes
from extractors.findings.grammar import CLOCK, DATE, NUMBER
from extractors.findings.lines import Line
from extractors.model import Span

_HEAD = re.compile(rf"(?:[a-z][a-z /]{{1,20}}[ \t|:]+)?(?:{DATE}|{CLOCK})(?:[ \t|]+(?:{DATE}|{CLOCK}))+[ \t|]*$")
_MOMENT = re.compile(rf"{DATE}|{CLOCK}")
_ROW = re.compile(rf"(?P<name>[a-z][a-z0-9 ()%+/.-]{{0,28}}?)[ \t|:]+(?P<cells>{NUMBER}(?:[ \t|]+{NUMBER})+)[ \t|]*$")
_CELL = re.compile(NUMBER)


def flowsheet_cells(folded: str, lines: Sequence[Line], analytes: Analytes) -> Iterator[tuple[Analyte, Span, Span]]:
    """What is measured, the span of its name and that of each number; rows must have a number for each date."""
    moments = 0
    last = -1
    for line in lines:
        if line.start - last > 2 and moments and folded.count("\n", max(last, 0), line.start) > 1:
            moments = 0
        last = line.end
        if _HEAD.match(folded, line.start, line.end):
            moments = len(_MOMENT.findall(folded, line.start, line.end))
            continue
        row = _ROW.match(folded, line.start, line.end) if moments else None
        if row is None:
            moments = 0
            continue
        cells = [m.span() for m in _CELL.finditer(folded, *row.span("cells"))]
        analyte = analytes.by_name.get(row["name"].strip())
        if analyte and len(cells) == moments:
            yield from ((analyte, row.span("name"), cell) for cell in cells)
