"""Full text: `_text` for the narrative, `_content` for the whole resource (https://hl7.org/fhir/R4/search.html#text).

A value is words with `and`, `or`, `not`, parentheses, `"a phrase"` and `begin*`; words without anything between them
must all be there. Both engines index the same words: `fhir_profiles.extract.words` makes them of resources and values.
"""

from __future__ import annotations

import re

import msgspec

from fhir_profiles.extract.words import split

from .query import Condition, invalid, too_costly, unescape
from .sql import Sql

MAX_WORDS = 200
_TOKEN = re.compile(r'\s*(?:([()])|"([^"]*)"|([^\s()"]+))')


class Phrase(msgspec.Struct, frozen=True):
    """Words that follow each other; `begins` when the last is only the beginning of a word."""

    words: tuple[str, ...]
    begins: bool = False


class Both(msgspec.Struct, frozen=True):
    """All of some parts and none of others."""

    parts: tuple[Term, ...]
    without: tuple[Term, ...] = ()


class Either(msgspec.Struct, frozen=True):
    """One of some parts."""

    parts: tuple[Term, ...]


Term = Phrase | Both | Either


def full_text(dialect: str, condition: Condition) -> Sql:
    """Rows of `idx_text` whose words satisfy one of the values."""
    terms = tuple(parse(unescape(value)) for value in condition.values)
    term = terms[0] if len(terms) == 1 else Either(terms)
    narrative = condition.param.code == "_text"
    if dialect == "sqlite":
        return Sql("t.words MATCH ?", (f"narrative : ({fts5(term)})" if narrative else fts5(term),))
    if narrative:
        return Sql("(to_tsvector('simple', t.narrative) @@ ?::tsquery AND t.narrative <> '')", (tsquery(term),))
    return Sql("to_tsvector('simple', t.narrative || ' ' || t.content) @@ ?::tsquery", (tsquery(term),))


def parse(text: str) -> Term:
    """What a value says; FhirError INCORRECT when that is nothing."""
    tokens = [found.groups() for found in _TOKEN.finditer(text) if found[0].strip()]
    if len(tokens) > MAX_WORDS:
        raise too_costly(f"A text to search for has at most {MAX_WORDS} words.")
    reader = _Reader(tokens)
    term = reader.either()
    if reader.at < len(tokens):
        raise _wrong()
    return term


class _Reader:
    """Reads terms by precedence: or, and, not."""

    def __init__(self, tokens: list[tuple[str | None, ...]]) -> None:
        self.tokens = tokens
        self.at = 0

    def either(self) -> Term:
        """Parts with `or` between them."""
        parts = [self.both()]
        while self._take("or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def both(self) -> Term:
        """Parts with `and` or nothing between them, some of them after `not`."""
        parts: list[Term] = []
        without: list[Term] = []
        while self.at < len(self.tokens) and not self._is("or") and self.tokens[self.at][0] != ")":
            if parts or without:
                self._take("and")
            (without if self._take("not") else parts).extend(self._one())
        if not parts:
            raise _wrong()
        return parts[0] if len(parts) == 1 and not without else Both(tuple(parts), tuple(without))

    def _one(self) -> list[Term]:
        if self.at >= len(self.tokens):
            raise _wrong()
        bracket, phrase, word = self.tokens[self.at]
        self.at += 1
        if bracket == "(":
            inner = self.either()
            if self.at >= len(self.tokens) or self.tokens[self.at][0] != ")":
                raise _wrong()
            self.at += 1
            return [inner]
        written = phrase if phrase is not None else word or ""
        words = tuple(split(written).split())
        return [Phrase(words, bool(word and word.endswith("*")))] if words else []

    def _is(self, name: str) -> bool:
        word = self.tokens[self.at][2]
        return word is not None and word.lower() == name

    def _take(self, name: str) -> bool:
        if self.at < len(self.tokens) and self._is(name):
            self.at += 1
            return True
        return False


def fts5(term: Term) -> str:
    """The term in the language of SQLite (https://sqlite.org/fts5.html#full_text_query_syntax)."""
    match term:
        case Phrase(words, begins):
            return f'"{" ".join(words)}"' + ("*" if begins else "")
        case Either(parts):
            return "(" + " OR ".join(map(fts5, parts)) + ")"
        case Both(parts, without):
            wanted = "(" + " AND ".join(map(fts5, parts)) + ")"
            return f"({wanted} NOT ({' OR '.join(map(fts5, without))}))" if without else wanted


def tsquery(term: Term) -> str:
    """The term in the language of PostgreSQL (https://www.postgresql.org/docs/current/datatype-textsearch.html)."""
    match term:
        case Phrase(words, begins):
            text = " <-> ".join(f"'{word}'" for word in words)
            return f"({text}:*)" if begins else f"({text})"
        case Either(parts):
            return "(" + " | ".join(map(tsquery, parts)) + ")"
        case Both(parts, without):
            return "(" + " & ".join([*map(tsquery, parts), *(f"!{tsquery(part)}" for part in without)]) + ")"


def _wrong() -> Exception:
    return invalid(
        'A text to search for has words, "phrases", and, or, not and pairs of parentheses; not only what to leave out.'
    )
