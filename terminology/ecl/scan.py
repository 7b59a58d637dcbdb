"""Part an expression constraint into tokens, each with its place; comments and the terms of concepts fall away."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from fhir_profiles.errors import Category, FhirError

MAX_LENGTH = 100_000
"""Characters of an expression."""

MAX_TOKENS = 40_000

_TOKEN = re.compile(
    r"(?P<blank>[ \t\r\n]+)"
    r"|(?P<comment>/\*(?:[^*]|\*(?!/))*\*/)"
    r"|(?P<term>\|[^|]*\|)"
    r'|(?P<text>"(?:[^"\\]|\\.)*")'
    r"|(?P<number>\#[+-]?[0-9]+(?:\.[0-9]+)?)"
    r"|(?P<digits>[0-9]+)"
    r"|(?P<word>[A-Za-z][A-Za-z0-9_-]*)"
    r"|(?P<sign>\{\{|\}\}|<<!|>>!|!!<|!!>|<<|>>|<!|>!|<=|>=|!=|<>|\.\.|[<>=:.,^*(){}\[\]+])",
    re.DOTALL,
)

SIGNS = {
    "descendantof": "<", "descendantorselfof": "<<", "childof": "<!", "childorselfof": "<<!",
    "ancestorof": ">", "ancestororselfof": ">>", "parentof": ">!", "parentorselfof": ">>!",
    "memberof": "^", "any": "*",
}  # fmt: skip
"""The long syntax of operators."""


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is sign, word, digits, number, text or end; `at` counts from 1."""

    kind: str
    text: str
    at: int


def scan(expression: str) -> list[Token]:
    """The tokens, with one of kind `end`; FhirError with the place of what is none."""
    if len(expression) > MAX_LENGTH:
        refuse(MAX_LENGTH, f"an expression has at most {MAX_LENGTH} characters")
    found: list[Token] = []
    place, end = 0, len(expression)
    while place < end:
        match = _TOKEN.match(expression, place)
        if match is None:
            refuse(place + 1, _UNENDED.get(expression[place], "this begins nothing that the language knows"))
        kind = match.lastgroup or ""
        if kind not in ("blank", "comment", "term"):
            found.append(_token(kind, match.group(), place + 1))
        elif kind == "term" and (not found or found[-1].kind != "digits"):
            refuse(place + 1, "a term between | follows the identifier of a concept")
        if len(found) > MAX_TOKENS:
            refuse(place + 1, f"an expression has at most {MAX_TOKENS} parts")
        place = match.end()
    found.append(Token("end", "", end + 1))
    return found


_UNENDED = {
    "|": "a term between | has no end",
    '"': "a text in quotes has no end",
    "/": "a comment begins with /* and ends with */",
    "#": "a number is expected after #",
}


def _token(kind: str, text: str, at: int) -> Token:
    if kind == "word" and (sign := SIGNS.get(text.lower())) is not None:
        return Token("sign", sign, at)
    return Token(kind, "!=" if text == "<>" else text, at)


def refuse(at: int, why: str) -> NoReturn:
    """Refuse an expression for what stands at a place, counted from 1."""
    raise FhirError.of(Category.INCORRECT, "invalid", f"The ECL expression is wrong at character {at}: {why}")
