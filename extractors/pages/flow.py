"""Text that grows block by block, with tables as spans: the common ground of HTML, RTF and C-CDA."""

from __future__ import annotations

from extractors.pages.limits import Limits, Refused
from extractors.pages.wire import Opened, Span


class Flow:
    """Collects text: spaces are folded, blocks end lines, cells of a row stand on one line between tabs."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parts: list[str] = []
        self._at = 0
        self._space = False
        self.tables: list[list[list[Span]]] = []

    def word(self, text: str | None) -> None:
        """Inline text; runs of white space become one space, none at the start of a line."""
        if not text:
            return
        words = text.split()
        lead = text[0].isspace()
        if words:
            if (lead or self._space) and not self._at_edge():
                self._add(" ")
            self._add(" ".join(words))
            self._space = text[-1].isspace()
        else:
            self._space = True

    def line(self) -> None:
        """End the line, if it has begun."""
        self._space = False
        if self._parts and not self._parts[-1].endswith("\n"):
            self._add("\n")

    def blank(self) -> None:
        """End the paragraph."""
        self.line()
        if self._at and not (self._parts[-1] == "\n" and len(self._parts) > 1 and self._parts[-2].endswith("\n")):
            self._add("\n")

    def rows(self, rows: list[list[str]], header: bool) -> None:
        """A table: a line a row, a tab between cells."""
        table: list[list[Span]] = []
        for cells in rows:
            self.line()
            spans: list[Span] = []
            for index, cell in enumerate(cells):
                if index:
                    self._add("\t")
                start = self._at
                self._add(" ".join(cell.split()))
                spans.append((start, self._at))
            self._add("\n")
            table.append(spans)
        if header and len(table) > 1:
            self.tables.append(table)

    def opened(self, title: str | None = None) -> Opened:
        """What was collected, as the answer to `Open`."""
        text = "".join(self._parts)
        if not text.strip():
            raise Refused("required", "The attachment holds no text. Send the document itself.")
        return Opened(0, text=text, tables=self.tables, title=title or None)

    def _at_edge(self) -> bool:
        return not self._parts or self._parts[-1].endswith(("\n", "\t"))

    def _add(self, text: str) -> None:
        if not text:
            return
        self._parts.append(text)
        self._at += len(text)
        if self._at > self._limits.characters:
            raise Refused("too-long", f"The text has over {self._limits.characters:,} characters. Send it in parts.")
