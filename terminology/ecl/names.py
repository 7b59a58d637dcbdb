"""Which concepts have a name that passes a filter: its words, its language, its kind."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import numpy as np

from terminology.ecl.filters import DEFINITION, FSN
from terminology.ecl.substrate import Mask, Substrate
from terminology.ecl.tree import Concept, Test, Text
from terminology.folding import fold

_COST = 400
"""Cells of a column that reading a name is worth."""

_BATCH = 20_000
_DISPLAYS = "SELECT id, display, 'synonym', 'en' FROM concept WHERE id IN (SELECT value FROM json_each(?))"
_NAMES = "SELECT concept, text, kind, language FROM name WHERE concept IN (SELECT value FROM json_each(?))"
_NOTES = "SELECT concept, text, 'definition', 'en' FROM note WHERE concept IN (SELECT value FROM json_each(?))"

Row = tuple[int, str, str, str]


def named(substrate: Substrate, of: Mask, test: Test, spend: Callable[[int], None]) -> Mask:
    """Those of a set that have a name that passes a test; for `!=`, one that does not pass it."""
    passes = _passing(test)
    wanted = test.operator == "="
    found = substrate.none()
    ids = np.flatnonzero(of)
    spend(2 * _COST * len(ids))
    for start in range(0, len(ids), _BATCH):
        for row in _rows(substrate, ids[start : start + _BATCH].tolist()):
            if passes(row) is wanted:
                found[row[0]] = True
    return found


def _rows(substrate: Substrate, ids: list[int]) -> Iterator[Row]:
    given = (json.dumps(ids),)
    for sql in (_DISPLAYS, _NAMES, _NOTES):
        yield from substrate.file.db.execute(sql, given)


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
