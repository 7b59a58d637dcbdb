"""Index rows in one table, and hash-partitioned by resource or by patient, side by side (docs/results/partitions.md).

    python -m benchmarks.partitions postgresql://…/EMPTY [--rows 2000000] [--parts 16]

https://www.postgresql.org/docs/current/ddl-partitioning.html
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from typing import Any

import psutil
import psycopg

_COLUMNS = (
    'rid bigint NOT NULL, n int NOT NULL, param int NOT NULL, code text COLLATE "C" NOT NULL, system bigint NOT NULL,'
    " patient bigint{}, date bigint NOT NULL"
)
FORMS = {
    "one table": ("", "", "PRIMARY KEY (rid, n)"),
    "by resource": ("", "PARTITION BY HASH (rid)", "PRIMARY KEY (rid, n)"),
    "by patient": (" NOT NULL", "PARTITION BY HASH (patient)", "PRIMARY KEY (patient, rid, n)"),
}
"""As `idx_token` of server/store/schema.py; a primary key must hold the column of the partitions, never null then."""

PER_RESOURCE, PER_PATIENT = 8, 160
"""Rows of a resource, and of a patient."""


def fill(raw: psycopg.Connection[Any], table: str, form: str, rows: int, parts: int) -> None:
    """Make a table of a form and its rows, the same in each."""
    null, by, key = FORMS[form]
    raw.execute(f"CREATE TABLE {table} ({_COLUMNS.format(null)}, {key}) {by}")  # type: ignore[call-overload]
    for at in range(parts if by else 0):
        sql = f"CREATE TABLE {table}_{at} PARTITION OF {table} FOR VALUES WITH (MODULUS {parts}, REMAINDER {at})"
        raw.execute(sql)  # type: ignore[call-overload]
    raw.execute(f"CREATE INDEX ON {table} (param, code, date, rid, system)")  # type: ignore[call-overload]
    raw.execute(f"CREATE INDEX ON {table} (patient, param, code, date, rid, system)")  # type: ignore[call-overload]
    if "rid, n" in key and key.startswith("PRIMARY KEY (patient"):
        raw.execute(f"CREATE INDEX ON {table} (rid)")  # type: ignore[call-overload]  # a new version replaces its rows
    raw.execute(
        f"INSERT INTO {table} SELECT i / {PER_RESOURCE}, i % {PER_RESOURCE}, i % 40, 'c' || (i * 7919 % 500), 1,"  # type: ignore[call-overload]
        f" i / {PER_PATIENT}, i * 104729 % 1000000 FROM generate_series(0::bigint, {rows - 1}) i"
    )
    raw.execute(f"VACUUM ANALYZE {table}")  # type: ignore[call-overload]


def works(table: str, rows: int) -> dict[str, Callable[[psycopg.Connection[Any], random.Random], None]]:
    """What is done again and again, by name."""

    def patient(raw: psycopg.Connection[Any], chance: random.Random) -> None:
        sql = f"SELECT rid FROM {table} WHERE patient = %s AND param = %s AND code >= 'c' ORDER BY code, date LIMIT 20"
        raw.execute(sql, (chance.randrange(rows // PER_PATIENT), chance.randrange(40))).fetchall()  # type: ignore[call-overload]

    def code(raw: psycopg.Connection[Any], chance: random.Random) -> None:
        sql = f"SELECT rid FROM {table} WHERE param = %s AND code = %s ORDER BY date DESC LIMIT 20"
        raw.execute(sql, (chance.randrange(40), f"c{chance.randrange(500)}")).fetchall()  # type: ignore[call-overload]

    def replace(raw: psycopg.Connection[Any], chance: random.Random) -> None:
        rids = [chance.randrange(rows // PER_RESOURCE) for _ in range(5)]
        sql = f"DELETE FROM {table} WHERE rid = ANY(%s) RETURNING rid, n, param, code, system, patient, date"
        with raw.transaction():
            gone = raw.execute(sql, (rids,)).fetchall()  # type: ignore[call-overload]
            with raw.cursor().copy(f"COPY {table} FROM STDIN") as copy:  # type: ignore[call-overload]
                for row in gone:
                    copy.write_row(row)

    def vacuum(raw: psycopg.Connection[Any], _: random.Random) -> None:
        raw.execute(f"VACUUM {table}")  # type: ignore[call-overload]

    return {"search of a patient": patient, "search of a code": code, "new versions": replace, "vacuum": vacuum}


def main() -> None:
    """Fill, then do the same work on each in turn; print milliseconds, and CPU of the database, of one."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--parts", type=int, default=16)
    told = parser.parse_args()
    tables = {form: f"rows_{number}" for number, form in enumerate(FORMS)}
    with psycopg.connect(told.url, autocommit=True) as raw:
        backend = psutil.Process(raw.execute("SELECT pg_backend_pid()").fetchall()[0][0])
        for form, table in tables.items():
            began = time.perf_counter()
            fill(raw, table, form, told.rows, told.parts)
            size = raw.execute(
                "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c WHERE c.relname ~ %s AND c.relkind = 'r'",
                (f"^{table}(_[0-9]+)?$",),
            ).fetchall()[0][0]
            print(f"{form:12} filled in {time.perf_counter() - began:.0f} s, {int(size) >> 20} MB", flush=True)
        for name, count in {
            "search of a patient": 2000,
            "search of a code": 2000,
            "new versions": 600,
            "vacuum": 1,
        }.items():
            spent: dict[str, list[tuple[float, float]]] = {form: [] for form in FORMS}
            for turn in range(4):  # the first warms; each form's turn comes next to the others'
                for form, table in tables.items():
                    work, chance = works(table, told.rows)[name], random.Random(turn)
                    cpu, began = sum(backend.cpu_times()[:2]), time.perf_counter()
                    for _ in range(max(1, count // 4)):
                        work(raw, chance)
                    each = max(1, count // 4) / 1000
                    took = (time.perf_counter() - began) / each, (sum(backend.cpu_times()[:2]) - cpu) / each
                    spent[form] += [took] if turn or name == "vacuum" else []
            for form, times in spent.items():
                wall, cpu = (sorted(one[at] for one in times)[len(times) // 2] for at in (0, 1))
                print(f"{name:20} {form:12} {wall:9.3f} ms {cpu:9.3f} ms CPU", flush=True)


if __name__ == "__main__":
    main()
