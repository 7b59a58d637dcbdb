"""Which of two versions of a resource is the later one, whatever order they came in.

The rule: a sequence header; where there is none `meta.lastUpdated`; where there is none either, a whole number as
`meta.versionId`. A version that is older than what was stored leaves no trace; one that cannot be compared with it is
of no use. https://hl7.org/fhir/R4/resource.html#Meta
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import Any, NamedTuple

from fhir_profiles.dates import interval
from server.doors.arrivals import Unusable
from server.store import Tx

_AT_ONCE = 500
_KEEP = (
    "INSERT INTO stream_position (subject, rank, position) VALUES (?, ?, ?) ON CONFLICT (subject) DO UPDATE SET"
    " rank = excluded.rank, position = excluded.position"
)


class Rule(IntEnum):
    """By what a position was read; a higher one is better."""

    NONE = 0
    VERSION = 1
    UPDATED = 2
    SEQUENCE = 3


class Position(NamedTuple):
    """Where a version stands among those of its resource."""

    rule: int
    value: int


def position_of(resource: Any, sequence: int | None) -> Position:
    """The position that a message gives a resource; one by no rule when it tells nothing."""
    if sequence is not None:
        return Position(Rule.SEQUENCE, sequence)
    meta = resource.get("meta") if isinstance(resource, dict) else None
    if not isinstance(meta, dict):
        return Position(Rule.NONE, 0)
    updated, version = meta.get("lastUpdated"), meta.get("versionId")
    if isinstance(updated, str):
        try:
            return Position(Rule.UPDATED, interval(updated)[0])
        except ValueError:
            return Position(Rule.NONE, 0)  # the validation will say what is wrong with it
    if isinstance(version, str) and version.isascii() and version.isdigit() and len(version) < 19:
        return Position(Rule.VERSION, int(version))
    return Position(Rule.NONE, 0)


def overtaken(tx: Tx, positions: dict[str, Position]) -> set[str]:
    """The subjects of which something later is stored; notes the positions of the others.

    Raises Unusable where a version cannot be compared with what is stored.
    """
    known = dict(_known(tx, sorted(positions)))
    late = set()
    for subject, position in positions.items():
        before = known.get(subject)
        if before is not None and position.rule < before.rule:
            text = "It does not tell by a sequence or by meta which version it is, as those before did."
            raise Unusable("unordered", text)
        if before is not None and position < before:
            late.add(subject)
        elif position.rule != Rule.NONE and position != before:
            tx.later(_KEEP, (subject, *position))
    return late


def _known(tx: Tx, subjects: list[str]) -> Iterator[tuple[str, Position]]:
    for at in range(0, len(subjects), _AT_ONCE):
        some = subjects[at : at + _AT_ONCE]
        marks = ", ".join("?" * len(some))
        sql = f"SELECT subject, rank, position FROM stream_position WHERE subject IN ({marks})"
        for subject, rank, position in tx.query_locked((f"stream {one}" for one in some), sql, some):
            yield subject, Position(rank, position)
