"""Read a UCUM code, case sensitive (https://ucum.org/ucum#section-Grammar-of-Units-and-Unit-Terms)."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from terminology.ucum.atoms import Atom, table
from terminology.ucum.unit import Unit

MAX_LENGTH = 200
MAX_DEPTH = 20

_TOKEN = re.compile(
    r"(?P<note>\{[!-z|~]*\})"
    r"|(?P<unit>(?:10[*^]|(?:[^\s\[\](){}./+\-0-9]|\[[!-Z\\^-z|~]*\])+))(?P<power>[+-]?[1-9][0-9]?(?![0-9]))?"
    r"|(?P<number>[0-9]{1,30}(?![0-9*^]))"
    r"|(?P<mark>[./()])"
)
Token = tuple[str, str, str]  # kind, text, power


class NotUcum(ValueError):
    """The code is not one of UCUM."""


@lru_cache(maxsize=8192)
def parse(code: str) -> Unit | None:
    """The unit that a code stands for; None when it is not UCUM."""
    try:
        return _Reader(_tokens(code)).whole()
    except NotUcum:
        return None


def _tokens(code: str) -> list[Token]:
    if not code or len(code) > MAX_LENGTH:
        raise NotUcum
    found: list[Token] = []
    at = 0
    while at < len(code):
        match = _TOKEN.match(code, at)
        if match is None or match.end() == at:
            raise NotUcum
        kind = match.lastgroup if match.lastgroup != "power" else "unit"
        found.append((str(kind), match[str(kind)], match["power"] or "1"))
        at = match.end()
    return found


class _Reader:
    """A reader by recursive descent; each rule of the grammar is one function."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = [*tokens, ("end", "", "")]
        self._at = 0

    def whole(self) -> Unit:
        unit = self._term(0)
        if self._tokens[self._at][0] != "end":
            raise NotUcum
        return unit

    def _take(self, text: str) -> bool:
        if self._tokens[self._at][:2] == ("mark", text):
            self._at += 1
            return True
        return False

    def _term(self, depth: int) -> Unit:
        """`/b`, or components joined by `.` and `/` from the left."""
        unit = Unit()
        sign = -1 if self._take("/") else 1
        while True:
            unit = unit.times(self._component(depth), sign)
            if self._take("."):
                sign = 1
            elif self._take("/"):
                sign = -1
            else:
                return unit

    def _component(self, depth: int) -> Unit:
        """A unit with its power, a number, a term in parentheses or an annotation, each with annotations behind."""
        kind, text, power = self._tokens[self._at]
        if kind == "unit":
            self._at += 1
            unit = Unit().times(_simple(text), int(power))
        elif kind == "number":
            self._at += 1
            unit = _number(text)
        elif kind == "note":
            unit = Unit()
        elif depth < MAX_DEPTH and self._take("("):
            unit = self._term(depth + 1)
            if not self._take(")"):
                raise NotUcum
        else:
            raise NotUcum
        if self._tokens[self._at][0] == "note":
            self._at += 1
        return unit


def _number(text: str) -> Unit:
    if not int(text):
        raise NotUcum
    return Unit(Fraction(int(text)))


@lru_cache(maxsize=4096)
def _simple(text: str) -> Unit:
    """An atom, or a prefix and a metric atom; an atom that reads as both is the atom."""
    known = table()
    atom = known.atoms.get(text)
    if atom is not None:
        return _meaning(atom)
    for size in (2, 1):  # `da` before `d`
        prefix, atom = known.prefixes.get(text[:size]), known.atoms.get(text[size:])
        if prefix is not None and atom is not None and atom.metric:
            return Unit(prefix[0]).times(_meaning(atom))
    raise NotUcum


def _meaning(atom: Atom) -> Unit:
    if atom.kind == "base" or (atom.arbitrary and atom.unit == "1"):
        return Unit(dimension=((atom.code, 1),))
    unit = parse(atom.unit)
    if unit is None:
        raise NotUcum
    return Unit(unit.factor * atom.value, unit.dimension, atom.function)
