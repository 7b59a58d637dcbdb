"""RTF to text (Rich Text Format 1.9.1)."""

from __future__ import annotations

import re

from striprtf import striprtf

from extractors.pages.flow import Flow
from extractors.pages.limits import Limits, Refused
from extractors.pages.wire import Opened

PICTURE = re.compile(rb"\{\\(?:\*\\)?(?:pict|objdata)\b[^{}]{1000,}\}")


def read_rtf(data: bytes, limits: Limits) -> Opened:
    """The text; a table's cells stand on one line between tabs."""
    depth = deepest = 0
    for brace in re.findall(rb"(?<!\\)[{}]", data):
        depth += 1 if brace == b"{" else -1
        deepest = max(deepest, depth)
        if deepest > limits.depth:
            raise Refused("too-costly", "The RTF is nested too deep. Save it as PDF and send that.")
    text: str = striprtf.rtf_to_text(  # type: ignore[no-untyped-call]
        PICTURE.sub(b"", data).decode("latin-1"), errors="replace"
    )
    flow = Flow(limits)
    rows: list[list[str]] = []
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if "|" in line:  # striprtf writes a cell as `text|`
            rows.append([cell.strip() for cell in line.rstrip().rstrip("|").split("|")])
            continue
        _flush(flow, rows)
        rows = []
        if line.strip():
            for index, piece in enumerate(line.split("\t")):
                flow.word((" " if index else "") + piece)
        flow.line()
    _flush(flow, rows)
    return flow.opened()


def _flush(flow: Flow, rows: list[list[str]]) -> None:
    if rows:
        wide = max(map(len, rows))
        flow.rows([row + [""] * (wide - len(row)) for row in rows], header=wide > 1)
