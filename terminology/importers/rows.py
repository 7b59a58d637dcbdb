"""Rows of official tables: separated values by RFC 4180 and fixed columns, each knowing where its fields stand.

https://www.rfc-editor.org/rfc/rfc4180
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NoReturn

from terminology.importers.given import Member, refuse

MAX_RECORD_LINES = 200
"""Lines that one quoted record may run over: a quote that is never closed is refused there."""

MAX_FIELDS = 1000
"""Fields of one record."""

Layout = Mapping[str, tuple[int, int]]
"""First and last column of each field, counted from 1."""


class Row:
    """One record: `row["NAME"]` is a field without blanks at its ends; `refuse` says where the field stands."""

    __slots__ = ("_place", "member", "number", "values")

    def __init__(
        self, member: Member, number: int, values: dict[str, str], place: Callable[[str], tuple[int, int]]
    ) -> None:
        self.member = member
        self.number = number  # of its first line, from 1
        self.values = values
        self._place = place

    def __getitem__(self, name: str) -> str:
        return self.values[name].strip()

    def get(self, name: str) -> str:
        """The field, empty where the file has no such column."""
        return self.values.get(name, "").strip()

    def column_of(self, name: str) -> int:
        """The column, from 1, at which a field begins."""
        return self._place(name)[1]

    def refuse(self, name: str, why: str) -> NoReturn:
        """Refuse the file at this field."""
        line, column = self._place(name)
        refuse(self.member, line, column, why)


def fixed(
    member: Member,
    layout: Layout,
    *,
    encoding: str = "utf-8",
    shortest: int = 1,
    longest: int = 10_000,
    skip: Callable[[int, str], bool] = lambda _, line: not line.strip(),
) -> Iterator[Row]:
    """The rows of a file of fixed columns. Lines for which `skip(number, line)` is true are left out.

    A line below `shortest` or above `longest` characters is refused; fields behind the end of a line are empty.
    """
    cuts = [(name, slice(first - 1, last)) for name, (first, last) in layout.items()]

    def place(number: int, name: str) -> tuple[int, int]:
        return number, layout[name][0]

    for number, line in member.lines(encoding):
        if skip(number, line):
            continue
        if len(line) < shortest:
            refuse(member, number, len(line) + 1, f"the line ends here; at least {shortest} columns are expected")
        if len(line) > longest:
            refuse(member, number, longest + 1, f"the line has more than {longest} columns")
        yield Row(member, number, {name: line[cut] for name, cut in cuts}, partial(place, number))


def table(
    member: Member,
    required: Sequence[str],
    *,
    delimiter: str = ",",
    encoding: str = "utf-8",
    quoted: bool = True,
    is_header: Callable[[list[str]], bool] | None = None,
) -> Iterator[Row]:
    """The rows under a header that must hold the `required` columns, in any order and whatever the case of letters.

    Blanks in names are underscores. Fields are called as in `required`, else as the header spells them. Records before
    the first for which `is_header` is true are left out. A row whose number of fields is not the header's is refused.
    `quoted` is False for files in which a quotation mark is a character like any other.
    """
    return under_header(
        member, records(member, delimiter=delimiter, encoding=encoding, quoted=quoted), required, is_header
    )


class Record:
    """The fields of one record; `place(index)` is the line and the column, from 1, at which a field begins."""

    __slots__ = ("fields", "member", "number", "place")

    def __init__(self, member: Member, number: int, fields: list[str], place: Callable[[int], tuple[int, int]]) -> None:
        self.member = member
        self.number = number  # of its first line, from 1
        self.fields = fields
        self.place = place

    def row(self, names: Sequence[str]) -> Row:
        """The record with its fields named in order."""
        return Row(
            self.member, self.number, dict(zip(names, self.fields, strict=False)), lambda n: self.place(names.index(n))
        )

    def refuse(self, index: int, why: str) -> NoReturn:
        """Refuse the file at a field."""
        line, column = self.place(index)
        refuse(self.member, line, column, why)


def under_header(
    member: Member,
    found: Iterable[Record],
    required: Sequence[str],
    is_header: Callable[[list[str]], bool] | None = None,
    *,
    ragged: bool = False,
) -> Iterator[Row]:
    """The records that follow a header, as rows: see `table`. `ragged`: empty fields at the end may be left out."""
    names: list[str] | None = None
    for record in found:
        if names is None:
            if is_header is None or is_header(record.fields):
                names = _names(record, required)
            continue
        if ragged and len(record.fields) < len(names):
            record.fields.extend([""] * (len(names) - len(record.fields)))
        if len(record.fields) != len(names):
            at = min(len(record.fields), len(names) + 1) - 1
            record.refuse(at, f"{len(names)} fields are expected, this row has {len(record.fields)}")
        yield record.row(names)
    if names is None:
        named = f" with the columns {', '.join(required[:6])}" if required else " of the table"
        refuse(member, 1, 1, f"the header{named} is missing")


def records(member: Member, *, delimiter: str = ",", encoding: str = "utf-8", quoted: bool = True) -> Iterator[Record]:
    """Every record that is not empty; refused where quotes are not as RFC 4180 has them."""
    text: list[str] = []
    first, last = 1, 0

    def fed() -> Iterator[str]:
        nonlocal last
        for number, line in member.lines(encoding):
            last = number
            text.append(line)
            if len(text) > MAX_RECORD_LINES:
                refuse(member, first, 1, f"a quotation mark opens a field that {MAX_RECORD_LINES} lines do not close")
            yield f"{line}\n"

    reader = csv.reader(
        fed(), delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE, strict=True
    )
    while True:
        first = last + 1
        text.clear()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            refuse(member, first, 1, f"the record is damaged ({error})")
        if len(fields) > MAX_FIELDS:
            refuse(member, first, 1, f"the record has more than {MAX_FIELDS} fields")
        if any(field.strip() for field in fields):
            yield Record(member, first, fields, partial(_place, "\n".join(text), first, delimiter, quoted))


def _place(text: str, line: int, delimiter: str, quoted: bool, index: int) -> tuple[int, int]:
    column, seen, inside = 0, 0, False
    for character in text:
        if seen == index and not inside:
            break
        column += 1
        if character == '"' and quoted:
            inside = not inside
        elif character == delimiter and not inside:
            seen += 1
        elif character == "\n":
            line, column = line + 1, 0
    return line, column + 1


def _names(header: Record, required: Iterable[str]) -> list[str]:
    spelled = [field.strip() for field in header.fields]
    folded = [_fold(field) for field in spelled]
    for name in required:
        count = folded.count(_fold(name))
        if count == 0:
            refuse(header.member, header.number, 0, f"the column {name} is missing")
        at = folded.index(_fold(name))
        if count > 1:
            header.refuse(folded.index(_fold(name), at + 1), f"the column {name} stands twice")
        spelled[at] = name
    return spelled


def _fold(name: str) -> str:
    return "_".join(name.casefold().replace("_", " ").split())
