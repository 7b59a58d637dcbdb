"""The first sheet of an Excel workbook, read with limits (ECMA-376, part 1, SpreadsheetML).

https://ecma-international.org/publications-and-standards/standards/ecma-376/
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from xml.parsers import expat

from terminology.importers.given import MAX_RATIO, Member, refuse
from terminology.importers.rows import Record

MAX_FILE = 64 * 2**20
"""Bytes of the workbook."""

MAX_PART = 512 * 2**20
"""Bytes of one part of it, unpacked."""

MAX_ROWS = 1_000_000
MAX_COLUMNS = 500
MAX_TEXT = 32_767
"""Letters of one cell, which is also Excel's own limit."""

_REFERENCE = re.compile(r"([A-Z]{1,3})\d+")
_EPOCH = date(1899, 12, 30)  # day 0, as Excel counts after February 1900


def sheet(member: Member) -> Iterator[Record]:
    """The rows of the first sheet that are not empty; `place` gives the number of the row and of the column.

    Numbers come as their digits, days as the number that Excel keeps (`day_of` turns it into a date).
    """
    if member.read(MAX_FILE)[:4] != b"PK\x03\x04":
        refuse(member, 0, 0, "this is no workbook of the kind .xlsx; save it as one, or give the text file")
    try:
        with zipfile.ZipFile(io.BytesIO(member.read(MAX_FILE))) as archive:
            names = archive.namelist()
            strings = _strings(member, archive) if "xl/sharedStrings.xml" in names else []
            first = min((n for n in names if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", n)), key=_number, default="")
            if not first:
                refuse(member, 0, 0, "the workbook has no sheet")
            yield from _rows(member, archive, first, strings)
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        refuse(member, 0, 0, f"the workbook is damaged ({type(error).__name__})")


def day_of(text: str) -> date | None:
    """The date of a cell that Excel keeps as a number of days; None when it is none."""
    if not re.fullmatch(r"\d{1,5}(\.0+)?", text):
        return None
    return _EPOCH + timedelta(days=int(text.split(".")[0]))


def _number(name: str) -> int:
    return int(re.sub(r"\D", "", name))


def _strings(member: Member, archive: zipfile.ZipFile) -> list[str]:
    found: list[str] = []
    parts: list[str] = []
    open_in: list[str] = []

    def start(tag: str, _: dict[str, str]) -> None:
        open_in.append(tag)
        if tag == "si":
            parts.clear()

    def text(data: str) -> None:
        if open_in and open_in[-1] == "t" and "rPh" not in open_in:
            parts.append(data)

    def end(tag: str) -> None:
        open_in.pop()
        if tag == "si":
            found.append("".join(parts))

    _parse(member, archive, "xl/sharedStrings.xml", start, end, text)
    return found


def _rows(member: Member, archive: zipfile.ZipFile, name: str, strings: list[str]) -> Iterator[Record]:
    reader = _Sheet(member, strings)
    for _ in _steps(member, archive, name, reader.start, reader.end, reader.text):
        yield from reader.ready
        reader.ready.clear()
    yield from reader.ready


class _Sheet:
    """Gathers the cells of rows while the part is parsed."""

    def __init__(self, member: Member, strings: list[str]) -> None:
        self.ready: list[Record] = []
        self._member = member
        self._strings = strings
        self._row = 0
        self._cells: list[str] = []
        self._kind = ""
        self._column = 0
        self._text: list[str] = []
        self._reading = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "row":
            self._row = int(attributes["r"]) if attributes.get("r", "").isdigit() else self._row + 1
            self._cells = []
            if self._row > MAX_ROWS:
                refuse(self._member, self._row, 0, f"the sheet has more than {MAX_ROWS} rows")
        elif tag == "c":
            match = _REFERENCE.fullmatch(attributes.get("r", ""))
            self._column = _column(match[1]) if match else len(self._cells) + 1
            self._kind, self._text = attributes.get("t", "n"), []
            if self._column > MAX_COLUMNS:
                refuse(self._member, self._row, self._column, f"the sheet has more than {MAX_COLUMNS} columns")
        self._reading = tag in ("v", "t")

    def text(self, data: str) -> None:
        if self._reading:
            self._text.append(data)

    def end(self, tag: str) -> None:
        self._reading = False
        if tag == "c":
            self._cells.extend("" for _ in range(self._column - len(self._cells) - 1))
            self._cells.append(self._value())
        elif tag == "row" and any(cell.strip() for cell in self._cells):
            row = self._row
            self.ready.append(Record(self._member, row, self._cells, lambda index: (row, index + 1)))

    def _value(self) -> str:
        text = "".join(self._text)
        if self._kind == "s":
            if not text.isdigit() or int(text) >= len(self._strings):
                refuse(self._member, self._row, self._column, "the cell names a text that the workbook does not hold")
            text = self._strings[int(text)]
        elif self._kind == "n" and text.endswith(".0"):
            text = text[:-2]
        elif self._kind == "e":
            refuse(self._member, self._row, self._column, "the cell holds an error of the sheet")
        if len(text) > MAX_TEXT:
            refuse(self._member, self._row, self._column, f"the cell holds more than {MAX_TEXT} letters")
        return text


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


Start = Callable[[str, dict[str, str]], None]
Text = Callable[[str], None]


def _parse(member: Member, archive: zipfile.ZipFile, name: str, start: Start, end: Text, text: Text) -> None:
    for _ in _steps(member, archive, name, start, end, text):
        pass


def _steps(member: Member, archive: zipfile.ZipFile, name: str, start: Start, end: Text, text: Text) -> Iterator[None]:
    info = archive.getinfo(name)
    if info.file_size > MAX_PART or info.file_size > MAX_RATIO * max(info.compress_size, 1000):
        refuse(member, 0, 0, f"{name} is too large when unpacked")
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda tag, attributes: start(tag.rpartition(":")[2], attributes)
    parser.EndElementHandler = lambda tag: end(tag.rpartition(":")[2])
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = lambda *_: refuse(member, 0, 0, f"{name} declares a document type")
    with archive.open(name) as part:
        try:
            while block := part.read(1 << 16):
                parser.Parse(block, False)
                yield
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            refuse(member, 0, 0, f"{name} is not well formed at line {error.lineno}, column {error.offset + 1}")
    yield
