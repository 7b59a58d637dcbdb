"""A cursor over the tokens of an expression, which keeps count of its depth."""

from __future__ import annotations

import re

from terminology.ecl.scan import Token, refuse, scan

MAX_DEPTH = 40
"""Parentheses and braces within each other."""


class Tokens:
    """The tokens of one expression; every method that finds another token than it needs is a FhirError."""

    def __init__(self, expression: str) -> None:
        self._tokens = scan(expression)
        self._place = 0
        self._open: list[Token] = []
        self._pairs = _pairs(self._tokens)

    @property
    def now(self) -> Token:
        """The token that comes next."""
        return self._tokens[self._place]

    @property
    def before(self) -> Token:
        """The token that was taken last."""
        return self._tokens[self._place - 1]

    def take(self) -> Token:
        """The next token, and go on."""
        found = self.now
        if found.kind != "end":
            self._place += 1
        return found

    def sees(self, sign: str) -> bool:
        """Whether a sign comes next."""
        return self.now.kind == "sign" and self.now.text == sign

    def took(self, sign: str) -> bool:
        """Take a sign where it comes next."""
        found = self.sees(sign)
        self._place += found
        return found

    def expect(self, sign: str, why: str | None = None) -> Token:
        """Take a sign that must come next."""
        if not self.sees(sign):
            refuse(self.now.at, why or f"{sign} is expected")
        return self.take()

    def enter(self, opening: str = "(") -> None:
        """Take an opening parenthesis or brace."""
        self._open.append(self.expect(opening))
        if len(self._open) > MAX_DEPTH:
            refuse(self.before.at, f"more than {MAX_DEPTH} parentheses stand within each other")

    def leave(self, why: str | None = None, closing: str = ")") -> None:
        """Take the one that closes what was entered last."""
        opened = self._open.pop()
        if self.now.kind == "end":
            refuse(self.now.at, f"{closing} is expected: what opens at character {opened.at} has no end")
        self.expect(closing, why)

    def junction(self, *, minus: bool = True) -> str | None:
        """Take AND (or a comma), OR, MINUS where one comes next."""
        if self.took(","):
            return "AND"
        word = self.now.text.upper()
        if self.now.kind == "word" and (word in ("AND", "OR") or (minus and word == "MINUS")):
            self.take()
            return word
        return None

    def concept(self) -> str:
        """Take the identifier of a concept."""
        token = self.take()
        if token.kind != "digits" or not 6 <= len(token.text) <= 18 or token.text[0] == "0":
            refuse(token.at, "the identifier of a concept has 6 to 18 digits")
        return token.text

    def whole(self) -> int:
        """Take a whole number."""
        token = self.take()
        if token.kind != "digits" or len(token.text) > 9:
            refuse(token.at, "a whole number is expected")
        return int(token.text)

    def text(self) -> str:
        """Take a text in quotes, and read what is escaped in it."""
        token = self.take()
        if token.kind != "text":
            refuse(token.at, "a text in quotes is expected")
        return re.sub(r"\\(.)", r"\1", token.text[1:-1], flags=re.DOTALL)

    def names_an_attribute(self, comparisons: frozenset[str]) -> bool:
        """Whether the parenthesis that comes next holds the name of an attribute: a comparison follows its end."""
        end = self._pairs.get(self._place)
        if end is None:
            return False
        after = self._tokens[end + 1]
        return after.kind == "sign" and after.text in comparisons


def _pairs(tokens: list[Token]) -> dict[int, int]:
    """Where each opening parenthesis is closed."""
    found: dict[int, int] = {}
    waiting: list[int] = []
    for place, token in enumerate(tokens):
        if token.kind == "sign" and token.text == "(":
            waiting.append(place)
        elif token.kind == "sign" and token.text == ")" and waiting:
            found[waiting.pop()] = place
    return found
