"""The tokens of an expression (http://hl7.org/fhirpath/N1/#lexical-elements)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from fhir_profiles.fhirpath.errors import PathError

Kind = Literal["name", "quoted", "text", "number", "date", "time", "variable", "this", "operator", "end"]

_TOKENS = re.compile(
    r"""
    (?P<space>\s+|//[^\n]*|/\*.*?\*/)
    | (?P<time>@T\d\d(:\d\d(:\d\d(\.\d+)?)?)?)
    | (?P<date>@\d{4}(-\d\d(-\d\d)?)?(T(\d\d(:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d:\d\d)?)?)?)
    | (?P<number>\d+(\.\d+)?)
    | (?P<text>'([^'\\]|\\.)*')
    | (?P<quoted>`([^`\\]|\\.)*`)
    | (?P<variable>%([A-Za-z_][A-Za-z0-9_-]*|`([^`\\]|\\.)*`|'([^'\\]|\\.)*'))
    | (?P<this>\$(this|index|total)\b)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<operator><=|>=|!=|!~|[-+*/&|=~<>()\[\]{}.,])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"'": "'", '"': '"', "`": "`", "\\": "\\", "/": "/", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class Token(NamedTuple):
    """A token, its text without quotes and escapes, and where it starts."""

    kind: Kind
    text: str
    at: int


def tokens(expression: str) -> Iterator[Token]:
    """Every token but white space and comments, then one of kind `end`."""
    at = 0
    while at < len(expression):
        found = _TOKENS.match(expression, at)
        if found is None or expression.startswith("/*", at) is not (found[0].startswith("/*")):
            raise PathError(f"nothing that can be read stands at position {at}.")
        kind = found.lastgroup
        if kind != "space":
            yield _token(kind, found[0], at)
        at = found.end()
    yield Token("end", "", at)


def _token(kind: str | None, raw: str, at: int) -> Token:
    if kind in ("text", "quoted"):
        return Token(kind, _unescaped(raw[1:-1], at), at)  # type: ignore[arg-type]
    if kind == "variable":
        name = raw[1:]
        return Token("variable", _unescaped(name[1:-1], at) if name[0] in "`'" else name, at)
    return Token(kind, raw, at)  # type: ignore[arg-type]


def _unescaped(raw: str, at: int) -> str:
    def one(found: re.Match[str]) -> str:
        code = found[1]
        if len(code) == 5:
            return chr(int(code[1:], 16))
        if code not in _ESCAPES:
            raise PathError(f"the text at position {at} holds an escape that FHIRPath does not have.")
        return _ESCAPES[code]

    return _ESCAPE.sub(one, raw) if "\\" in raw else raw
