"""Rows of a code list of X12: from the saved page, CSV, tab-separated text or a workbook."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

from terminology.importers.given import Member, refuse
from terminology.importers.rows import Row, table, under_header
from terminology.importers.workbook import sheet

REQUIRED = ("Code", "Description")
MAX_PAGE = 32 * 2**20
"""Bytes of a page."""

MAX_ROWS = 20_000


def rows(member: Member) -> Iterator[Row]:
    """Rows with the fields Code and Description, and whatever other columns the list has."""
    kind = member.short.rpartition(".")[2].lower()
    if kind in ("html", "htm"):
        return _page(member)
    if kind == "xlsx":
        return under_header(member, sheet(member), REQUIRED, _is_header, ragged=True)
    return table(member, REQUIRED, delimiter="," if kind == "csv" else "\t", is_header=_is_header)


def _is_header(fields: list[str]) -> bool:
    return {"code", "description"} <= {f.strip().lower() for f in fields}


def _page(member: Member) -> Iterator[Row]:
    try:
        text = member.read(MAX_PAGE).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        refuse(member, line, error.start - error.object.rfind(b"\n", 0, error.start), "this is not utf-8 text")
    page = _Page(member)
    page.feed(text)
    page.close()
    page.finish()
    yield from page.rows


class _Page(HTMLParser):
    """Gathers the cells of class `code` and `description`; line ends stand for breaks."""

    def __init__(self, member: Member) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self._member = member
        self._cell: str | None = None
        self._cells: dict[str, list[str]] = {}
        self._places: dict[str, tuple[int, int]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = (dict(attrs).get("class") or "").split()
        if tag == "tr":
            self._finish_row()
        elif tag == "td":
            self._cell = next((n.title() for n in names if n in ("code", "description")), None)
            if self._cell is not None:
                if self._cell in self._cells:
                    refuse(self._member, *self._at(), f"the row has a second cell of class {self._cell.lower()}")
                self._cells[self._cell], self._places[self._cell] = [], self._at()
        elif tag == "br" and self._cell:
            self._cells[self._cell].append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "tr", "table"):
            self._cell = None
        if tag in ("tr", "table"):
            self._finish_row()

    def handle_data(self, data: str) -> None:
        if self._cell:
            self._cells[self._cell].append(data)

    def finish(self) -> None:
        """Refuse a page that ends within a row."""
        if self._cells:
            refuse(self._member, *self._at(), "the page ends within a row")

    def _at(self) -> tuple[int, int]:
        line, offset = self.getpos()
        return line, offset + 1

    def _finish_row(self) -> None:
        cells, places = self._cells, self._places
        self._cells, self._places = {}, {}
        if not cells:
            return
        if len(cells) < len(REQUIRED):
            refuse(self._member, *next(iter(places.values())), "the row lacks its code or its description")
        if len(self.rows) >= MAX_ROWS:
            refuse(self._member, *places["Code"], f"the page has more than {MAX_ROWS} rows")
        values = {name: "".join(parts) for name, parts in cells.items()}
        line = places["Code"][0]
        self.rows.append(Row(self._member, line, values, places.__getitem__))
