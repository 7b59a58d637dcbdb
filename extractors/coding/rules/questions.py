"""Words that name no code until someone asks: what a coder must query (I.A.19, I.B.14, III.B)."""

from __future__ import annotations

from functools import cache

from extractors.coding.case import Case, Rule, asked
from extractors.coding.tables import table
from extractors.findings.cues import Cued


@cache
def rows() -> list[tuple[Rule, tuple[str, ...], Cued, dict[str, list[str]], str]]:
    """The questions in order: rule, cues, pattern, codes that must or must not be there, what is asked."""
    return [
        (
            Rule(r["id"], r["cites"], r["does"]),
            tuple(r["cues"]),
            asked(r["pattern"]),
            {k: r[k] for k in ("needs", "lacks") if k in r},
            r["asks"],
        )
        for r in table("questions")["rows"]
    ]


def questions(case: Case) -> None:
    """Ask what the words leave open, where the codes that would answer it are not there."""
    for rule, cues, pattern, codes, asks in rows():
        if not case.says(*cues) or ("needs" in codes and not case.has(*codes["needs"])):
            continue
        if "lacks" in codes and case.has(*codes["lacks"]):
            continue
        match = next(case.search(pattern), None)
        if match is not None:
            case.ask(rule, asks, *match.span())


RULES = (questions,)
