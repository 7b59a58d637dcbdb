"""Read the project's own starter tables: facts (numbers, units, names) under labels of our own.

Each `data/NAME.tsv` begins with `#key: value` lines (system, version, title, source, licence), then a header line, then
rows. Columns `code`, `display`, `terms` (split at |), `active`, `billable`, `start` and `end` (days of service) are
known; the others become properties.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from functools import partial
from importlib.resources import files
from importlib.resources.abc import Traversable

from terminology.source import Name, Source, SourceConcept

STARTER = "starter-"
"""How the versions of the starter tables begin."""

READER = 2
"""Raise when the same table is read otherwise: then it is written again."""

_KNOWN = frozenset(("code", "display", "terms", "active", "billable", "start", "end"))


def fragment_sources() -> list[Source]:
    """The starter tables of the package."""
    folder = files("terminology") / "data"
    tables = sorted((f for f in folder.iterdir() if f.name.endswith(".tsv")), key=lambda f: f.name)
    return [read_fragment(table) for table in tables]


def starter(system: str) -> dict[str, SourceConcept]:
    """What the starter table of a system holds, by code; empty where there is none."""
    return {c.code: c for source in fragment_sources() if source.system == system for c in source.concepts()}


def read_fragment(table: Traversable) -> Source:
    """The edition in one table."""
    text = table.read_text("utf-8")
    lines = text.split("\n")
    head = dict(line[1:].split(": ", 1) for line in lines if line.startswith("#"))
    body = [line for line in lines if line and not line.startswith("#")]
    columns = body[0].split("\t")
    rows = [dict(zip(columns, line.split("\t"), strict=False)) for line in body[1:]]
    return Source(
        name=table.name.removesuffix(".tsv"),
        system=head["system"],
        version=head["version"],
        title=head["title"],
        start=None,
        end=None,
        content=head["content"],
        origin=head["source"],
        licence=head["licence"],
        fingerprint=hashlib.sha256(f"{READER}\n{text}".encode()).hexdigest(),
        concepts=partial(_concepts, rows),
        total=len(rows),
    )


def _concepts(rows: list[dict[str, str]]) -> Iterator[SourceConcept]:
    for row in rows:
        if not row["code"]:
            continue
        yield SourceConcept(
            row["code"],
            row["display"],
            billable={"yes": True, "no": False}.get(row.get("billable", "")),
            active=row.get("active", "yes") != "no",
            start=_day(row.get("start")),
            end=_day(row.get("end")),
            names=tuple(Name(t.strip()) for t in row.get("terms", "").split("|") if t.strip()),
            properties={k: v for k, v in row.items() if v and k not in _KNOWN},
        )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
