"""Rules that read words: what a patient came for, what he lives with, what a phrase excludes; rows of a table."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, NamedTuple

from extractors.coding.case import Case, Rule, around
from extractors.coding.clauses import bounds
from extractors.coding.shorthand import spelled
from extractors.coding.tables import table
from extractors.findings.cues import Cued


class Row(NamedTuple):
    """A row of the table, ready to run."""

    rule: Rule
    pattern: Cued
    unless: re.Pattern[str] | None
    only_drops: bool
    data: dict[str, Any]


@cache
def rows() -> tuple[Row, ...]:
    """The rows in order."""
    return tuple(
        Row(
            Rule(row["id"], row["cites"], row["does"]),
            around(row["pattern"], row["cues"]),
            re.compile(row["unless"]) if "unless" in row else None,
            row.get("code", "") is None and "drop" in row and "codes" not in row,
            row,
        )
        for row in table("worded")["rows"]
    )


def worded(case: Case) -> None:
    """Try each row one of whose cues the text has."""
    for row in rows():
        if case.seen.may(row.pattern):
            _try(case, row)


def _try(case: Case, row: Row) -> None:
    data = row.data
    if not case.has(*data.get("needs", ("",))) and "needs" in data:
        return
    if data.get("setting", case.setting) != case.setting:
        return
    if "lacks" in data and case.has(*data["lacks"]):
        return
    if row.only_drops and not case.has(*data["drop"]):
        return
    for match in case.near(row.pattern):
        if data.get("shouted") and not _in_capitals(case, match):
            continue
        low, high = bounds(case.text, *match.span())
        if row.unless and row.unless.search(case.text, low, high):
            continue
        code = _code(match, data)
        if code is not None and code[0] != "Z" and case.section_at(match.start()) == "allergies":
            continue  # what a drug once did is the allergy's, not today's
        if code is not None and data.get("sided") and (side := _SIDE.search(spelled(match[0]))):
            code = case.lexicon.sided(code, _BOTH.get(side[1], side[1])) or code
        if code is None and data.get("code", "") is not None:
            continue
        where = (0, len(case.text)) if data.get("everywhere") else (low, high)
        for candidate in case.accepted(*data["drop"]) if data.get("drop") else ():
            if candidate.code != code and where[0] <= candidate.start < where[1]:
                case.reject(candidate, row.rule, row.rule.does)
        if code is None:
            continue
        new = case.add(code, *match.span(), row.rule, row.rule.does)
        if "also" in data and (beside := case.add(data["also"], *match.span(), row.rule, row.rule.does)) is not None:
            beside.rank = max(beside.rank, 0)
        rank = data.get("rank", 0)
        if new is not None and rank:
            new.rank = min(new.rank, rank) if rank < 0 else max(new.rank, rank)


def _in_capitals(case: Case, match: re.Match[str]) -> bool:
    """True of AIDS and of SKs, not of aids; a text without any capital cannot tell the two apart."""
    text = case.document.text
    return text[match.start() : match.end()].strip().removesuffix("s").isupper() or text.islower()


_SIDE = re.compile(r"\b(right|left|bilateral|double)\b")
_BOTH = {"double": "bilateral"}


def _code(match: re.Match[str], data: dict[str, Any]) -> str | None:
    groups = match.groupdict()
    what = next((value for name, value in groups.items() if name.startswith("what") and value), "")
    if "tens" in data:
        return f"{data['tens']}.{int(what) // 10}" if int(what) < 10 else f"{data['tens']}.{int(what) // 10}0"
    if "numbered" in data:
        return str(data["numbered"]).format(int(what))
    if "codes" in data:
        return next((code for words, code in data["codes"].items() if words == what), None)
    code: str | None = data["code"]
    return code


RULES = (worded,)
