"""Sections: headers found by a table in medspaCy's sectionizer rule format.

https://github.com/medspacy/sectionizer: a rule has `category`, `literal` and an optional `pattern`.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Container, Iterator, Sequence
from functools import cache
from importlib.resources import files

import msgspec

from extractors.findings.lines import Line

_INLINE = re.compile(r"[A-Z][A-Z]+(?:[ /&]+[A-Z]+){0,4}(?:\((?:ES|S)\))?:")
_ALLERGIES = re.compile(
    r"(?:[.;]\s+|\s{2,}|\t)((?:(?:drug|medication|food|known) )?all(?:erg(?:ies|y)(?:[/ ][a-z]{1,15})?)?:"
    r"|allergies(?=[ \t]{2}))"
)
_COLUMN = re.compile(r"\s+(?:reactions?|severity|dos(?:e|age)|sig|directions|instructions|status|type|freq\w*|qty)\b")
_CAPITAL_COLON = re.compile(r":(?<=[A-Z)]:)")
_LONGEST = 50
_BRIEF = frozenset(("labs", "vitals", "allergies"))


class Section(msgspec.Struct, frozen=True, gc=False):
    """A header and what stands under it: the body runs from `end` of the header to the next section."""

    category: str
    start: int
    end: int


@cache
def headers() -> dict[str, str]:
    """Header text in lower case → category."""
    rules = json.loads(files("extractors.findings").joinpath("section_rules.json").read_text("utf-8"))["section_rules"]
    return {" ".join(rule["literal"].lower().split()): rule["category"] for rule in rules}


@cache
def _beginnings() -> frozenset[str]:
    """The first three letters of all headers: what begins otherwise is none."""
    return frozenset(header[:3] for header in headers())


def split_sections(text: str, folded: str, lines: Sequence[Line]) -> list[Section]:
    """The sections in order. Text before the first header belongs to none.

    What stands on the line of a header of values or allergies ends with its paragraph.

    A header on a bullet's line ("• Plan: …") rules its bullets only: the next plain line is in the outer section again,
    and so is the next number, "2. Gout.", after a bullet without one.
    """
    table, beginnings = headers(), _beginnings()
    found: list[Section] = []
    outer, nested, numbered, brief = "", False, False, False
    for line in lines:
        if brief and (line.blank_before or (outer == "allergies" and _goes_not_on(text, line))):
            outer, brief = "", False
            found.append(Section("", line.start, line.start))
        if nested and (not line.bullet or (text[line.start].isdigit() and not numbered)):
            found.append(Section(outer, line.start, line.start))
            nested = False
        first = folded[line.body : line.body + 3]
        header = None if first.isalpha() and first not in beginnings else _header(text, folded, line, table)
        if header is not None:
            found.append(header)
            if line.bullet:
                nested, numbered = True, text[line.start].isdigit()
            else:
                outer = header.category
                brief = outer in _BRIEF and header.end < line.end
    if "allerg" in folded or "all:" in folded:
        found += [part for line in lines for part in _allergies(folded, line, found)]
    inline = [section for m in _capitals(text) if (section := _inline(text, m.start(), m.end(), table))]
    return sorted(found + inline, key=lambda s: s.start)


def _goes_not_on(text: str, line: Line) -> bool:
    """True of a line that a list broken at the end of the line before would not begin with."""
    before = text[max(0, line.start - 40) : line.start].rstrip()
    return not line.bullet and text[line.start].isupper() and not before.endswith((",", ";", "/", " and", " or", "-"))


def _allergies(folded: str, line: Line, found: Sequence[Section]) -> Iterator[Section]:
    """Allergies told later on a line, "Meds: none. Allergies: latex": a section up to where the line ends."""
    if folded.find("allerg", line.start, line.end) < 0 and folded.find("all:", line.start, line.end) < 0:
        return
    match = _ALLERGIES.search(folded, line.start, line.end)
    if match is None:
        return
    outer = next((s.category for s in reversed(found) if s.start <= line.start), "")
    yield Section("allergies", match.start(1), match.end(1))
    yield Section(outer, line.end, line.end)


def _capitals(text: str) -> Iterator[re.Match[str]]:
    """Runs of capitals before a colon, looked for only on lines that have such a colon."""
    at = 0
    for colon in _CAPITAL_COLON.finditer(text):
        for match in _INLINE.finditer(text, max(at, text.rfind("\n", 0, colon.start()) + 1), colon.end()):
            yield match
            at = colon.end()


def _inline(text: str, start: int, end: int, table: dict[str, str]) -> Section | None:
    """The longest known header that a run of capitals ends with: "1710 HOURS CLINICAL HISTORY:"."""
    while start and start < end:
        if text[start - 1].isspace() and (category := table.get(text[start : end - 1].lower().partition("(")[0])):
            return Section(category, start, end)
        start = text.find(" ", start, end) + 1
    return None


def _header(text: str, folded: str, line: Line, table: dict[str, str]) -> Section | None:
    """The header that a line begins with, if it does."""
    reach = min(line.end, line.body + _LONGEST)
    for mark in (":", "\t", "  ", " - "):
        end = folded.find(mark, line.body, reach)
        if end > 0:
            category = table.get(" ".join(folded[line.body : end].split()).strip(" .-*"))
            if category and not (mark.isspace() and _COLUMN.match(folded, end, line.end)):
                return Section(category, line.body, end + len(mark))
    if line.end - line.body <= _LONGEST:
        category = table.get(" ".join(folded[line.body : line.end].split()).strip(" .-*:"))
        if category and _stands_out(text, line):
            return Section(category, line.body, line.end)
    return None


def _stands_out(text: str, line: Line) -> bool:
    """A header without a colon is in capitals or title case, alone on its line."""
    words = text[line.body : line.end].split()
    return all(
        w[:1].isupper() or w.lower() in {"of", "and", "the", "for", "on", "to", "at", "/", "&", "-"} for w in words
    )


_NONE = Section("", 0, 0)


class SectionMap:
    """Which section an offset is in."""

    def __init__(self, sections: Sequence[Section]) -> None:
        self._starts = [s.start for s in sections]
        self._sections = sections

    @property
    def starts(self) -> list[int]:
        """Where each section begins."""
        return self._starts

    def begins(self) -> tuple[tuple[int, str], ...]:
        """Where each section begins, with its category."""
        return tuple([(s.start, s.category) for s in self._sections])

    def holds(self, categories: Container[str]) -> bool:
        """True when there is a section of one of these categories."""
        return any(s.category in categories for s in self._sections)

    def of(self, offset: int) -> Section:
        """The section that an offset is in; before the first header one without a category, from 0 to 0."""
        i = bisect_right(self._starts, offset) - 1
        return self._sections[i] if i >= 0 else _NONE

    def at(self, offset: int) -> str:
        """The category, "" before the first header."""
        i = bisect_right(self._starts, offset) - 1
        return self._sections[i].category if i >= 0 else ""

    def bodies(self, category: str, end: int) -> Iterator[tuple[int, int]]:
        """What stands under each header of a category, up to the next header; `end` is that of the text."""
        for i, section in enumerate(self._sections):
            if section.category == category and section.end > section.start:
                yield section.end, self._starts[i + 1] if i + 1 < len(self._starts) else end

    def span(self, offset: int) -> tuple[int, int]:
        """The header of the section that an offset is in, (0, 0) before the first."""
        i = bisect_right(self._starts, offset) - 1
        return (self._sections[i].start, self._sections[i].end) if i >= 0 else (0, 0)
