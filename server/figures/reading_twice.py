"""From the Tasks of documents that were coded twice to rows (https://hl7.org/fhir/R4/task.html)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from server.figures.families import UNKNOWN
from server.figures.rows import Paired
from server.review.second_task import score_of
from server.review.unaided_task import comparison_of

Task = Mapping[str, Any]


def read_look(task: Task) -> list[Paired]:
    """Each code of either person; those of both are counted by the Task and not named."""
    score, name = score_of(task), f"Task/{task['id']}"
    if score is None:
        return []
    alone = (("first", score.first), ("second", score.second))
    rows = [Paired(name, side, UNKNOWN, code) for side, codes in alone for code, _ in codes]
    return rows + [Paired(name, "both", UNKNOWN, UNKNOWN)] * score.both


def read_comparison(task: Task) -> list[Paired]:
    """Each code of the machine or the coder."""
    told, name = comparison_of(task), f"Task/{task['id']}"
    rows = told.rows if told else ()
    return [Paired(name, one.side, one.system, one.code, one.band, one.section) for one in rows]


def read_dollars(task: Task, rows: list[Paired]) -> list[tuple[str, float, Paired]]:
    """What each side's claim is worth, where both are known: of one alone nothing could be held against it."""
    told = comparison_of(task)
    if told is None or not rows or None in told.worth:
        return []
    sides = zip(("machine", "coder"), told.worth, strict=True)
    return [(side, float(value or 0), rows[0]) for side, value in sides]
