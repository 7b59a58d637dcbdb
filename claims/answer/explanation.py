"""One claim told to a person: its findings with where and what to do, and how the price of each line came about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from claims.answer.head import Head
from claims.answer.scrub import Scrub
from claims.edit import Finding
from claims.price.explain import dollars, explain
from claims.rules.advice import of_reason, of_rule
from claims.rules.page import CATEGORIES
from claims.sheet.frames import frames

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """A rule that the claim breaks: what is wrong, where (FHIRPath), on which line, and what to do."""

    rule: str
    severity: str
    about: str
    says: str
    where: str
    line: int | None
    do: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line: amounts in dollars, None where they are not known; the steps to its price, or why there is none."""

    line: int
    code: str | None
    modifiers: tuple[str, ...]
    units: float | None
    charged: str | None
    allowed: str | None
    steps: tuple[str, ...]
    do: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is told of one claim. `rests` names the release of each table that prices rest on."""

    findings: tuple[Found, ...]
    repairs: tuple[str, ...]
    lines: tuple[Line, ...]
    expected: str | None
    not_run: int
    lacking: tuple[str, ...]
    rests: dict[str, str]


def explanation(scrub: Scrub, record: Record, head: Head) -> Explanation:
    """Scrub one claim, whose rows are put right in place, and tell what was found."""
    result = scrub.one(record, head)
    rows = scrub.prices.of_frames(frames([record])).iter_rows(named=True)
    lines = tuple(_line(line, row) for line, row in zip(record["lines"], rows, strict=True))
    known = [price.allowed for price in result.prices if price.allowed is not None]
    return Explanation(
        findings=tuple(_ordered([_found(finding) for finding in result.findings])),
        repairs=tuple(f"{path}: {text}" for path, text in result.repairs),
        lines=lines,
        expected=dollars(sum(known)) if known else None,
        not_run=len(scrub.edits.not_run),
        lacking=tuple(sorted({table for tables in scrub.edits.not_run.values() for table in tables})),
        rests=dict(scrub.prices.releases) if known else {},
    )


def _found(finding: Finding) -> Found:
    rule = finding.rule
    line = finding.sequence if rule.scope == "line" else None
    about = CATEGORIES.get(rule.category, rule.category)
    return Found(rule.id, rule.severity, about, rule.sentence, rule.where(finding.sequence), line, of_rule(rule))


def _ordered(found: Sequence[Found]) -> list[Found]:
    """Errors first, the claim's own before those of its lines."""
    ranks = {"error": 0, "warning": 1, "information": 2}
    return sorted(found, key=lambda one: (ranks[one.severity], one.line or 0))


def _line(line: Record, row: Record) -> Line:
    charge = line["charge"]
    return Line(
        line=line["seq"],
        code=line["code"],
        modifiers=tuple(line["mods"] or ()),
        units=line["units"],
        charged=None if charge is None else dollars(charge),
        allowed=None if row["why"] else dollars(row["allowed"]),
        steps=tuple(explain(row)),
        do=of_reason(row["why"]),
    )
