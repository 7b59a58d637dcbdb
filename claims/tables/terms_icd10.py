"""The rows of ICD-10-CM: what a code lacks or leaves open, and the codes that its notes name.

https://www.cdc.gov/nchs/icd/icd-10-cm/files.html
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping

import polars as pl

from fhir_profiles.systems import ICD10CM
from terminology import Terminology
from terminology.model import Concept

_OPEN = re.compile(r"\bunspecified\b", re.IGNORECASE)
_SIDE = re.compile(r"\b(right|left)\b")
_OTHER_SIDE = {"right": "left", "left": "right"}
_BOTH = re.compile(r"\bbilateral\b", re.IGNORECASE)
_EXTERNAL = tuple("VWXY")
_LENGTHS = frozenset((3, 5, 6, 7))
_IN_BRACKETS = re.compile(r"\(([^()]*)\)")
_ONE = r"[A-Z][0-9][0-9A-Z](?:\.[0-9A-Z]{1,4})?"
_NAMED = re.compile(rf"({_ONE})(?:\.?-({_ONE})?)?")
_SEVEN = 7
"""Characters of a code that says which encounter it is, without the point."""


def diagnoses(terminology: Terminology, version: str) -> pl.DataFrame:
    """Every code with what rules ask of it."""
    concepts = [c for c in terminology.concepts(ICD10CM, version) if not c.group]
    displays = {c.display for c in concepts}
    lacking = {bare for c in concepts if (bare := _before_seventh(c)) is not None}
    looser = _looser(concepts)
    rows = []
    for c in concepts:
        side, sided = _side(c.display, displays)
        rows.append(
            {
                "code": c.code,
                "billable": bool(c.billable),
                "unspecified": bool(c.billable) and c.code in looser,
                "external": c.code.startswith(_EXTERNAL),
                "side": side,
                "seventh": c.code in lacking,
                "sided": sided,
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def _before_seventh(concept: Concept) -> str | None:
    """The code without its seventh character and the placeholders before it; None where it has none."""
    if len(concept.code) != _SEVEN + 1:
        return None
    return concept.code[:-1].rstrip("X").removesuffix(".")


def _looser(concepts: list[Concept]) -> set[str]:
    """The codes that say "unspecified" more often than a sibling; a seventh character follows its stem."""
    siblings: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    extended: defaultdict[str, list[str]] = defaultdict(list)
    for c in concepts:
        if _before_seventh(c) is not None:
            extended[c.parent or ""].append(c.code)
        else:
            siblings[c.parent or ""].append((c.code, len(_OPEN.findall(c.display))))
    found: set[str] = set()
    for listed in siblings.values():
        least = min(count for _, count in listed)
        for code, count in listed:
            if count > least:
                found.update((code, *extended.get(code, ())))
    return found


def _side(display: str, displays: set[str]) -> tuple[str | None, bool]:
    """(side, whether it leaves open a side that siblings name): a word is a side where the other side is there too."""
    for word in _SIDE.finditer(display):
        if _with(display, word, _OTHER_SIDE[word[1]]) in displays:
            return word[1], False
    for word in _OPEN.finditer(display):
        if any(_with(display, word, side) in displays for side in _OTHER_SIDE):
            return "unspecified", True
    return ("both", False) if _BOTH.search(display) else (None, False)


def _with(display: str, word: re.Match[str], other: str) -> str:
    return display[: word.start()] + other + display[word.end() :]


def excluded(terminology: Terminology, version: str) -> pl.DataFrame:
    """(code, what an Excludes1 note at it or above it names, the chapter of the code)."""
    rows = _noted(terminology, version, "excludes1")
    found = {(code, other): chapter for code, other, chapter in rows if other and not code.startswith(other)}
    listed = [(code, other, chapter) for (code, other), chapter in found.items()]
    return pl.DataFrame(listed, schema=dict.fromkeys(("code", "other", "chapter"), pl.String), orient="row")


def code_first(terminology: Terminology, version: str) -> pl.DataFrame:
    """(code, what a note to code first at it or above it names); and each of these codes alone."""
    rows = {(code, other) for code, other, _ in _noted(terminology, version, "code-first") if other}
    rows |= {(code, "") for code, _ in rows}
    return pl.DataFrame(sorted(rows), schema=dict.fromkeys(("code", "other"), pl.String), orient="row")


def _noted(terminology: Terminology, version: str, kind: str) -> Iterator[tuple[str, str, str]]:
    """(billable code, a code or the beginning of codes, "" where the note names none, chapter)."""
    notes = list(terminology.notes_of_kind(ICD10CM, kind, version))
    if not notes:
        return
    concepts = list(terminology.concepts(ICD10CM, version))
    order = sorted(c.code for c in concepts if not c.group)
    at: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for code, text in notes:
        if kind == "code-first" and "if applicable" in text:
            continue
        at[code][""] = None
        at[code].update(dict.fromkeys(_named(text, order)))
    above = {c.code: c.parent for c in concepts}
    for concept in concepts:
        if not concept.billable:
            continue
        line = list(_line(concept.code, above))
        others = {other: None for code in line if code in at for other in at[code]}
        chapter = line[-1].removeprefix("chapter-")
        yield from ((concept.code, other, chapter) for other in others)


def _line(code: str, above: Mapping[str, str | None]) -> Iterator[str]:
    """A code and what stands above it, up to its chapter."""
    here: str | None = code
    while here is not None:
        yield here
        here = above.get(here)


def _named(text: str, order: list[str]) -> Iterator[str]:
    """The codes, or beginnings of codes, that a note names in brackets: `(E10.-, O24.4-)`, `(C40-C41)`."""
    for part in _IN_BRACKETS.findall(text):
        for first, last in _NAMED.findall(part):
            if not last:
                found = [first]
            else:
                between = order[bisect_left(order, first) : bisect_right(order, last)]
                found = [code for code in between if len(code) == len(first)] or [first]
            yield from (code for code in found if len(code) in _LENGTHS)
