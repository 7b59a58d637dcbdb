"""Read the project's own starter tables: facts (numbers, units, names) under labels of our own.

Each `data/NAME.tsv` begins with `#key: value` lines (system, version, title, source, licence), then a header line, then
rows. Columns `code`, `display`, `terms` (split at |) and `active` are known; the others become properties.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from importlib.resources import files
from importlib.resources.abc import Traversable

from terminology.source import Name, Source, SourceConcept


def fragment_sources() -> list[Source]:
    """The starter tables of the package."""
    folder = files("terminology") / "data"
    tables = sorted((f for f in folder.iterdir() if f.name.endswith(".tsv")), key=lambda f: f.name)
    return [source for table in tables for source in read_fragment(table)]


def read_fragment(table: Traversable) -> list[Source]:
    """The editions of one table; a table with a `system` column holds several systems."""
    text = table.read_text("utf-8")
    lines = text.split("\n")
    head = dict(line[1:].split(": ", 1) for line in lines if line.startswith("#"))
    body = [line for line in lines if line and not line.startswith("#")]
    columns = body[0].split("\t")
    rows = [dict(zip(columns, line.split("\t"), strict=False)) for line in body[1:]]
    systems = list(dict.fromkeys(row.get("system") or head["system"] for row in rows))
    return [
        Source(
            name=table.name.removesuffix(".tsv") if len(systems) == 1 else system.rsplit("/", 1)[-1],
            system=system,
            version=head["version"],
            title=head["title"] if len(systems) == 1 else system.rsplit("/", 1)[-1],
            start=None,
            end=None,
            content=head["content"],
            origin=head["source"],
            licence=head["licence"],
            fingerprint=hashlib.sha256(f"{system}\n{text}".encode()).hexdigest(),
            concepts=partial(_concepts, [r for r in rows if (r.get("system") or head["system"]) == system]),
        )
        for system in systems
    ]


def _concepts(rows: list[dict[str, str]]) -> Iterator[SourceConcept]:
    for row in rows:
        if not row["code"]:
            continue
        yield SourceConcept(
            row["code"],
            row["display"],
            billable={"yes": True, "no": False}.get(row.get("billable", "")),
            active=row.get("active", "yes") != "no",
            names=tuple(Name(t.strip()) for t in row.get("terms", "").split("|") if t.strip()),
            properties={
                k: v
                for k, v in row.items()
                if v and k not in {"code", "display", "terms", "active", "system", "billable"}
            },
        )
