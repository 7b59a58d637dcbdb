"""Which concepts have a name that passes a filter: its words, its language, its kind."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import numpy as np

from terminology.ecl.filters import DEFINITION, FSN
from terminology.ecl.substrate import Mask, Substrate
from terminology.ecl.tree import Concept, Test, Text
from terminology.folding import fold

_COST = 3_500
"""Nanoseconds for the names of a concept of which SQLite finds none likely."""

_BATCH = 20_000
_ROWS = (
    "SELECT id, display, 'synonym', 'en' FROM concept WHERE id IN (SELECT value FROM json_each(:ids)) AND {}",
    "SELECT concept, text, kind, language FROM name WHERE concept IN (SELECT value FROM json_each(:ids)) AND {}",
    "SELECT concept, text, 'definition', 'en' FROM note WHERE concept IN (SELECT value FROM json_each(:ids)) AND {}",
)

Row = tuple[int, str, str, str]


def named(substrate: Substrate, of: Mask, test: Test, spend: Callable[[int], None]) -> Mask:
    """Those of a set that have a name that passes a test; for `!=`, one that does not pass it."""
    passes = _passing(test)
    wanted = test.operator == "="
    likely = _likely(test) if wanted else ""
    found = substrate.none()
    ids = np.flatnonzero(of)
    spend((_COST if likely else 8 * _COST) * len(ids))
    for start in range(0, len(ids), _BATCH):
        given = {"ids": json.dumps(ids[start : start + _BATCH].tolist()), "likely": likely}
        for sql in _ROWS:
            column = "display" if "display" in sql else "text"
            for row in substrate.file.db.execute(sql.format(f"{column} LIKE :likely" if likely else "1"), given):
                if passes(row) is wanted:
                    found[row[0]] = True
    return found


def _likely(test: Test) -> str:
    """A pattern that every name has which passes, for SQLite to choose them by; empty where there is none.

    Letters that folding changes are left open: those with accents, and what ends a plural.
    """
    if test.field != "term" or len(test.values) != 1 or not isinstance(test.values[0], Text) or test.values[0].wild:
        return ""
    longest = max(fold(test.values[0].text).split(), key=len, default="")
    pattern = re.sub("[aeiounc]", "_", longest.removesuffix("y"))
    return f"%{pattern}%" if longest.isascii() and longest.isalnum() else ""


def _passing(test: Test) -> Callable[[Row], bool]:
    if test.field == "active":  # only active names are loaded
        return lambda _: True in test.values
    if test.field == "language":
        languages = {v.text for v in test.values if isinstance(v, Text)}
        return lambda row: row[3].partition("-")[0] in languages
    if test.field == "type":
        kinds = {_KINDS.get(v.code, "synonym") for v in test.values if isinstance(v, Concept)}
        return lambda row: row[2] in kinds
    tests = [_term(v) for v in test.values if isinstance(v, Text)]
    return lambda row: row[2] != "definition" and any(passes(row[1]) for passes in tests)


_KINDS = {FSN: "fsn", DEFINITION: "definition"}


def _term(wanted: Text) -> Callable[[str], bool]:
    """Every word begins a word of the name; or with stars the whole name matches, whatever its case."""
    if wanted.wild:
        parts = map(re.escape, wanted.text.casefold().split("*"))
        pattern = re.compile(".*".join(parts), re.DOTALL)
        return lambda text: pattern.fullmatch(text.casefold()) is not None
    words = fold(wanted.text).split()

    def passes(text: str) -> bool:
        have = fold(text).split()
        return all(any(h.startswith(w) for h in have) for w in words)

    return passes
