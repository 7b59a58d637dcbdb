"""Notes that name codes as tables: Excludes1 (I.A.12.a), code first and use additional (I.A.13)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

Excludes = dict[str, list[tuple[str, str]]]  # code or category → (first, last) of the codes that its note names
_CODES = re.compile(
    r"\b([A-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?)(?:\.?-)?(?:-([A-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?))?(?:\.?-)?"
)
_BRACKET = re.compile(r"\(([^()]*)\)\s*$")


def excludes1(notes: Iterable[tuple[str, str]], parents: Mapping[str, str | None]) -> Excludes:
    """The table from (code, text of a note); notes of blocks and chapters stand at their categories."""
    own: dict[str, list[tuple[str, str]]] = {}
    for code, text in notes:
        bracket = _BRACKET.search(text)
        if bracket is None:
            continue
        ranges = [(m[1], m[2] or m[1]) for m in _CODES.finditer(bracket[1])]
        own.setdefault(code, []).extend(ranges)
    table: Excludes = {}
    for code in parents:
        if len(code) == 3:
            at: str | None = parents[code]
            while at is not None:
                if at in own and not at.startswith("chapter"):
                    table.setdefault(code, []).extend(own[at])
                at = parents.get(at)
        if code in own and "-" not in code[1:] and not code.startswith("chapter"):
            table.setdefault(code, []).extend(own[code])
    return table


def excluded_by(table: Excludes, code: str) -> list[tuple[str, str]]:
    """What a note at `code`, or above it, names: the first code, and what comes after the last and all below it."""
    notes = (table.get(code[:end], ()) for end in range(3, len(code) + 1))
    return [(first, f"{last}~") for ranges in notes for first, last in ranges]


def joined(ranges: Iterable[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """The firsts and the ends of the same ranges, in order and none overlapping, so that one search tells."""
    firsts: list[str] = []
    ends: list[str] = []
    for first, end in sorted(ranges):
        if ends and first <= ends[-1]:
            ends[-1] = max(ends[-1], end)
        elif first < end:
            firsts.append(first)
            ends.append(end)
    return firsts, ends
