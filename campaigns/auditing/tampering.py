"""Somebody with full rights on the database who meddles with the chain, with or without hashing it again."""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

KINDS = ("delete", "edit", "insert", "reorder", "truncate")
GUARDS = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'audit%'"
BETWEEN = b"\x1e"


@dataclass(frozen=True)
class Row:
    """A row of the chain as it stands in the database."""

    seq: int
    events: int
    at: int
    hash: bytes
    prints: bytes
    data: bytes

    @property
    def kept(self) -> list[bytes]:
        """Its events."""
        return self.data.split(BETWEEN)


def tamper(path: Path, kind: str, dice: random.Random, *, again: bool) -> tuple[int, int]:
    """Do it; the first and the last event that it is about. With `again` numbers and hashes agree afterwards."""
    raw = sqlite3.connect(path, isolation_level=None)
    try:
        for (name,) in raw.execute(GUARDS).fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        rows = [Row(*row) for row in raw.execute("SELECT * FROM audit_event ORDER BY seq")]
        rows, place = change(rows, kind, dice, again=again)
        raw.execute("BEGIN")
        raw.execute("DELETE FROM audit_event")
        raw.executemany("INSERT INTO audit_event VALUES (?, ?, ?, ?, ?, ?)", map(_values, rows))
        raw.execute("COMMIT")
        return place
    finally:
        raw.close()


class OnPostgres:
    """The same by the owner of a database of PostgreSQL; each tampering begins with the chain as it was."""

    def __init__(self, url: str) -> None:
        self._raw = psycopg.connect(url, autocommit=True)
        self._raw.execute("ALTER TABLE audit_event DISABLE TRIGGER ALL")
        self._rows = [Row(*row) for row in self._raw.execute("SELECT * FROM audit_event ORDER BY seq").fetchall()]

    def tamper(self, kind: str, dice: random.Random, *, again: bool) -> tuple[int, int]:
        """Do it; the first and the last event that it is about."""
        rows, place = change(self._rows, kind, dice, again=again)
        with self._raw.transaction(), self._raw.cursor() as cursor:
            cursor.execute("DELETE FROM audit_event")
            with cursor.copy("COPY audit_event FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(["int8", "int4", "int8", "bytea", "bytea", "bytea"])
                for row in rows:
                    copy.write_row(_values(row))
        return place

    def close(self) -> None:
        """Let go of the database."""
        self._raw.close()


def _values(row: Row) -> tuple[Any, ...]:
    return row.seq, row.events, row.at, row.hash, row.prints, row.data


def change(rows: list[Row], kind: str, dice: random.Random, *, again: bool) -> tuple[list[Row], tuple[int, int]]:
    """Rows of the chain that somebody meddled with, and the first and the last event that it is about.

    Without `again` it is a row that is taken away or put in, or an event within one, whose columns perhaps agree.
    """
    events = [[*row.kept] for row in rows]
    places = [(n, m) for n, some in enumerate(events) for m in range(len(some))]
    at = dice.randrange(1, len(places) - 1)
    last = _change(events, kind, at, places, dice)
    fit = again or dice.random() < 0.5
    made = [_filled(row, some) if fit else _as_is(row, some) for row, some in zip(rows, events, strict=True) if some]
    return (_hash_again(made) if again else made), (min(at, last) + 1, max(at, last) + 1)


def _change(events: list[list[bytes]], kind: str, at: int, places: list[tuple[int, int]], dice: random.Random) -> int:
    """Meddle with the event of a number, from 0 on; the number of the other one that it is about."""
    row, place = places[at]
    some = events[row]
    match kind:
        case "delete":
            del some[place]
        case "edit":
            some[place] = _longer(some[place]) if dice.random() < 0.5 else _other(some[place])
        case "insert":
            some.insert(place, _other(some[place]))
        case "reorder":
            to = dice.choice([n for n in range(len(places)) if n != at])
            other_row, other = places[to]
            some[place], events[other_row][other] = events[other_row][other], some[place]
            return to
        case "truncate":
            del some[place:]
            for later in events[row + 1 :]:
                later.clear()
    return at


def _longer(data: bytes) -> bytes:
    """The event with a letter more in one of its texts."""
    place = data.index(b'"', len(data) // 2)
    return data[:place] + b"x" + data[place:]


def _other(data: bytes) -> bytes:
    """The event as it would be a second earlier."""
    head, _, tail = data.partition(b",")
    return b"[%d,%b" % (int(head[1:]) - 1_000_000, tail)


def _as_is(row: Row, some: list[bytes]) -> Row:
    """The row with other events and the columns that it had."""
    return replace(row, data=BETWEEN.join(some))


def _filled(row: Row, some: list[bytes]) -> Row:
    """The row with other events and columns that tell of those, but for its hash."""
    prints = b"".join(hashlib.sha256(one).digest()[:6] for one in some)
    data = BETWEEN.join(some)
    return (
        row if data == row.data else replace(row, events=len(some), at=_earliest(row, some), prints=prints, data=data)
    )


def _earliest(row: Row, some: list[bytes]) -> int:
    try:
        return min(int(json.loads(one)[0]) for one in some)
    except ValueError:
        return row.at


def _hash_again(rows: list[Row]) -> list[Row]:
    """The rows with numbers and hashes that agree."""
    before, seq, made = bytes(32), 0, []
    for row in rows:
        leaves = b"".join(hashlib.sha256(one).digest() for one in row.kept)
        before, seq = hashlib.sha256(before + leaves).digest(), seq + row.events
        made.append(replace(row, seq=seq, hash=before))
    return made
