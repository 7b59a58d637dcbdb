"""The grammar of `_filter`, read into tests and their logic (https://hl7.org/fhir/R4/search_filter.html).

`and` and `or` bind alike, from left to right, as the page says; `not` is followed by parentheses.
"""

from __future__ import annotations

import json
import re

import msgspec

from .query import invalid, too_costly

OPERATORS = frozenset(
    ["eq", "ne", "co", "sw", "ew", "gt", "lt", "ge", "le", "ap", "sa", "eb", "pr", "po", "ss", "sb", "in", "ni", "re"]
)
MAX_DEPTH = 20


class Step(msgspec.Struct, frozen=True):
    """A name of a path, and the filter in brackets behind it."""

    name: str
    inner: Filter | None = None


class Test(msgspec.Struct, frozen=True):
    """`path operator value`."""

    path: tuple[Step, ...]
    operator: str
    value: str


class Logic(msgspec.Struct, frozen=True):
    """Parts joined with `and` or `or`, or one part behind `not`."""

    word: str
    parts: tuple[Filter, ...]


Filter = Test | Logic

_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_:\-]*")
_WORD = re.compile(r"[a-z]+")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_TOKEN = re.compile(r"[^\s)\]]+")


def parse_filter(text: str, most: int) -> Filter:
    """The filter that the text writes, of at most `most` tests; FhirError INCORRECT with the place of an error."""
    parser = _Parser(text, most)
    found = parser.filter(0)
    if parser.at < len(text):
        raise parser.wrong("the end, or and, or or")
    return found


class _Parser:
    def __init__(self, text: str, most: int) -> None:
        self.text = text
        self.at = 0
        self.left = most
        self.space()

    def wrong(self, expected: str) -> Exception:
        """The error here."""
        return invalid(f"_filter is not understood at character {self.at + 1}: {expected} was expected.")

    def space(self) -> None:
        """Go past white space."""
        self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]

    def take(self, pattern: re.Pattern[str]) -> str | None:
        """What matches here, and the space behind it."""
        found = pattern.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        self.space()
        return found[0]

    def mark(self, mark: str) -> bool:
        """Whether the mark stood here."""
        if not self.text.startswith(mark, self.at):
            return False
        self.at += len(mark)
        self.space()
        return True

    def need(self, mark: str) -> None:
        """The mark must stand here."""
        if not self.mark(mark):
            raise self.wrong(mark)

    def filter(self, depth: int) -> Filter:
        """A term, or several with words between them."""
        if depth > MAX_DEPTH:
            raise too_costly(f"_filter takes at most {MAX_DEPTH} levels of parentheses.")
        found = self.term(depth)
        while (word := _WORD.match(self.text, self.at)) and word[0] in ("and", "or"):
            self.take(_WORD)
            right = self.term(depth)
            if isinstance(found, Logic) and found.word == word[0] and found.parts:
                found = Logic(word[0], (*found.parts, right))
            else:
                found = Logic(word[0], (found, right))
        return found

    def term(self, depth: int) -> Filter:
        """A test, or a filter in parentheses, with `not` before it perhaps."""
        start = self.at
        if self.take(_WORD) == "not" and self.mark("("):
            inner = self.filter(depth + 1)
            self.need(")")
            return Logic("not", (inner,))
        self.at = start
        if self.mark("("):
            found = self.filter(depth + 1)
            self.need(")")
            return Logic("and", (found,))  # as one part, so that what follows is not joined into it
        return self.test(depth)

    def test(self, depth: int) -> Filter:
        """`path operator value`."""
        if self.left <= 0:
            raise too_costly("_filter has more tests than a search takes.")
        self.left -= 1
        path = self.path(depth)
        start, operator = self.at, self.take(_WORD)
        if operator not in OPERATORS:
            self.at = start
            raise self.wrong(f"one of {' '.join(sorted(OPERATORS))}")
        value = self.take(_STRING)
        if value is not None:
            try:
                return Test(path, operator, json.loads(value, strict=False))
            except ValueError:
                raise self.wrong("a JSON string") from None
        value = self.take(_TOKEN)
        if value is None:
            raise self.wrong("a value")
        return Test(path, operator, value)

    def path(self, depth: int) -> tuple[Step, ...]:
        """Names with dots between them, each with a filter in brackets perhaps."""
        steps: list[Step] = []
        while True:
            name = self.take(_NAME)
            if name is None:
                raise self.wrong("the name of a search parameter")
            inner = None
            if self.mark("["):
                inner = self.filter(depth + 1)
                self.need("]")
            steps.append(Step(name, inner))
            if not self.mark("."):
                return tuple(steps)
