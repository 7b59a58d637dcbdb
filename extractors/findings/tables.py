"""Values in tables: a header of vital signs over a row of numbers, and rows of test, result, flag, units, reference.

Tables come from `Document.tables`; a line of nothing but names of vital signs over a line of as many words is one too.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any

from extractors.findings.analytes import HEIGHT, PRESSURE, Analyte, Analytes, find_names, units
from extractors.findings.flowsheet import flowsheet_cells
from extractors.findings.grammar import COMPARATOR, NUMBER, comparator, decimal
from extractors.findings.lines import Line
from extractors.findings.measured import Value, pressure, value_of
from extractors.findings.values import range_of
from extractors.model import Span, Table

_CELL = re.compile(rf"\s*(?P<cmp>{COMPARATOR})?\s*(?P<v>{NUMBER})\s*(?P<rest>.*?)\s*$")
_BP = re.compile(r"\s*(?P<cmp>)(?P<s1>\d{2,3})\s?/\s?(?P<d1>\d{2,3})(?P<s2>)(?P<d2>)\s*(?:mm\s?hg)?\s*$")
_LIMITS = re.compile(
    rf"[(\[]?\s*(?:(?P<lo>{NUMBER})\s?(?:-|to)\s?(?P<hi>{NUMBER})|(?P<cmp><=?|>=?|≤|≥)\s?(?P<one>{NUMBER}))"
)
_FLAG = re.compile(r"\b(hh?|ll?|high|low|abn|a|crit|critical|n|normal)\b|\*")
_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"\S+")
_PARTS = re.compile(r"[a-z%/.]+")
COLUMNS = {
    "name": {
        "test",
        "analyte",
        "component",
        "lab",
        "name",
        "test name",
        "exam",
        "parameter",
        "measurement",
        "vital",
        "labs",
    },
    "value": {"result", "value", "results", "your value", "reading", "latest", "today"},
    "flag": {"flag", "flags", "abnormal", "status", "abn"},
    "unit": {"units", "unit", "uom"},
    "limits": {
        "reference",
        "reference range",
        "ref range",
        "range",
        "normal range",
        "normal",
        "ref",
        "reference interval",
    },
}


def find_table_values(
    folded: str, text: str, tables: Sequence[Table], lines: Sequence[Line], analytes: Analytes
) -> list[Value]:
    """The values of all tables, in reading order."""
    found: list[Value] = []
    for table in tables:
        rows = [list(row) for row in table.rows]
        if len(rows) > 1:
            found += _read_rows(folded, text, rows, analytes)
    covered = [(t.rows[0][0][0], t.rows[-1][-1][1]) for t in tables if t.rows and t.rows[0]]
    for analyte, name, cell in flowsheet_cells(folded, lines, analytes):
        if not any(a <= cell[0] < b for a, b in covered) and (value := read_cell(folded, text, cell, analyte)):
            found.append(Value(name[0], value.end, value.at, value.kind, value.attributes))
    for header, row in itertools.pairwise(lines):
        if not _DIGIT.search(folded, row.start, row.start + 12):  # before all else, for few lines begin with a figure
            continue
        if not any(a <= header.start < b for a, b in covered):
            found += _read_lines(folded, text, header, row, analytes)
    return sorted(found, key=lambda v: v.start)


def _read_rows(folded: str, text: str, rows: list[list[Span]], analytes: Analytes) -> Iterator[Value]:
    head = [_words(folded[a:b]) for a, b in rows[0]]
    columns = {kind: i for kind, names in COLUMNS.items() for i, cell in enumerate(head) if cell in names}
    if "value" in columns:
        name = columns.setdefault("name", 0)
        for row in rows[1:]:
            if len(row) > max(columns.values()):
                analyte = _analyte(folded[slice(*row[name])], analytes)
                if analyte and (value := _result(folded, text, row, columns, analyte)):
                    yield value
        return
    named = [(i, analyte) for i, cell in enumerate(head) if (analyte := _analyte(cell, analytes))]
    if len(named) >= 2:
        for row in rows[1:]:
            for i, analyte in named:
                if i < len(row) and (value := read_cell(folded, text, row[i], analyte, head[i])):
                    yield value
        return
    for row in rows:  # name in one cell, value in the next
        for (a, b), cell in itertools.pairwise(row):
            analyte = _analyte(folded[a:b], analytes)
            if analyte and (value := read_cell(folded, text, cell, analyte, _words(folded[a:b]))):
                yield value


def _words(cell: str) -> str:
    return " ".join(cell.split()).strip(" :.*")


def _analyte(cell: str, analytes: Analytes) -> Analyte | None:
    """The analyte that a cell names; a unit in it ("Weight kg", "Temp (F)") does not hide it."""
    name = _words(cell)
    if name in analytes.by_name:
        return analytes.by_name[name]
    bare = re.sub(r"\s*\(.*?\)\s*", " ", name).strip()
    if bare in analytes.by_name:
        return analytes.by_name[bare]
    first, _, last = bare.rpartition(" ")
    return analytes.by_name.get(first) if last in units() else None


def read_cell(folded: str, text: str, cell: Span, analyte: Analyte, name: str = "") -> Value | None:
    """The value that a cell holds, when the analyte of its column or row is known."""
    content = folded[cell[0] : cell[1]]
    if analyte.loinc == PRESSURE:
        match = _BP.match(content)
        return pressure(cell[0], cell[1], cell, match) if match else None
    match = _CELL.match(content)
    if match is None or (analyte.loinc == HEIGHT and "'" in content):
        return None
    at = (cell[0] + match.start("v"), cell[0] + match.end("v"))
    numbers: dict[str, Any] = {"value": decimal(match["v"])}
    if sign := comparator(match["cmp"]):
        numbers["comparator"] = sign
    rest = match["rest"].strip("() ")
    flag = _FLAG.fullmatch(rest.rpartition(" ")[2]) if rest else None
    if flag:
        numbers["flag"] = flag[0].upper()
        rest = rest.rpartition(" ")[0]
    if rest and rest not in units():
        return None
    unit = units().get(rest) if rest else units().get(_PARTS.findall(name)[-1]) if " " in name else None
    return value_of(text, cell[0], cell[1], at, analyte, numbers, unit, rest or None, name)


def _result(folded: str, text: str, row: list[Span], columns: dict[str, int], analyte: Analyte) -> Value | None:
    """The value of a row of test, result, flag, units, reference."""
    printed = folded[slice(*row[columns["unit"]])].strip() if "unit" in columns else ""
    extra: dict[str, Any] = {}
    if "limits" in columns and (limits := _LIMITS.match(folded[slice(*row[columns["limits"]])].strip())):
        extra = range_of(limits)
    if "flag" in columns and (flag := _FLAG.fullmatch(folded[slice(*row[columns["flag"]])].strip())):
        extra["flag"] = flag[0].upper()
    value = read_cell(folded, text, row[columns["value"]], analyte)
    start, end = row[columns["name"]][0], max(b for a, b in row if b > a)
    if value is None:
        words = text[slice(*row[columns["value"]])].strip()
        if not words or len(words) > 40:
            return None
        attributes = {"name": analyte.display, "loinc": analyte.loinc, "value_text": words, **extra}
        return Value(start, end, row[columns["value"]], "lab", attributes)
    if analyte.loinc == PRESSURE:
        return value
    numbers = {k: v for k, v in value.attributes.items() if k in ("value", "comparator", "flag")} | extra
    unit = units().get(printed) or value.attributes.get("unit") if not printed or printed in units() else None
    shown = text[slice(*row[columns["unit"]])].strip() if printed else None
    return value_of(text, start, end, value.at, analyte, numbers, unit, shown)


def _read_lines(folded: str, text: str, header: Line, row: Line, analytes: Analytes) -> Iterator[Value]:
    """A header line of names only over a line of as many words."""
    if max(row.end - row.start, header.end - header.body) > 120:
        return
    head = folded[header.body : header.end]
    if _DIGIT.search(head.replace("spo2", "").replace("o2", "")):
        return
    named: list[tuple[Analyte, str]] = []
    at = 0
    for start, end, analyte in find_names(head, analytes):
        if end < len(head) and head[end].isalnum():
            return
        gap = head[at:start].split()
        if gap and not (named and all(w.strip("()") in units() for w in gap)):
            return
        if gap:
            named[-1] = (named[-1][0], f"{named[-1][1]} {gap[0]}")
        named.append((analyte, head[start:end]))
        at = end
    tail = head[at:].split()
    cells = [(m.start(), m.end()) for m in _WORD.finditer(folded, row.body, row.end)]
    if len(named) < 2 or len(cells) != len(named) or not all(w.strip("()") in units() for w in tail):
        return
    if tail:
        named[-1] = (named[-1][0], f"{named[-1][1]} {tail[0]}")
    for (analyte, name), cell in zip(named, cells, strict=True):
        if value := read_cell(folded, text, cell, analyte, name):
            yield value
