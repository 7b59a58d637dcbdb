"""The tables of what was learned from coders' decisions: runs, versions with their files, changes, what was watched."""

from __future__ import annotations

from sqlalchemy import Column, Table, Text

from .schema import _big, _key, metadata

file = Table("learn_file", metadata, _key("hash", primary_key=True), Column("body", Text, nullable=False))
"""Files of models and frozen decisions by the hash of their content; sealed where the database is."""


def _noted(name: str, *columns: Column[str]) -> Table:
    """A table of JSON texts about something that happened `at` (milliseconds since 1970)."""
    data = Column("data", Text, nullable=False)
    return Table(name, metadata, _key("id", primary_key=True), _big("at"), *columns, data)


run = _noted("learn_run", _key("state"))
"""Each run of retraining: where it stands, and what came of it."""

version = _noted("learn_version", _key("state"))
"""Each version of the model by the hash of its files, with its report."""

watch = _noted("learn_watch")
"""What the last look at drift and calibration found."""

change = Table(
    "learn_change",
    metadata,
    _big("number", primary_key=True, autoincrement=False),
    _big("at"),
    _key("version"),
    _key("kind"),
    _key("who"),
    Column("why", Text, nullable=False),
)
"""Which version codes from when on, by whom and why; the last one counts."""

shadow = Table(
    "learn_shadow",
    metadata,
    _key("version", primary_key=True),
    _key("measure", primary_key=True),
    _big("count"),
)
"""How a version that runs in the shadow would have coded, counted."""
