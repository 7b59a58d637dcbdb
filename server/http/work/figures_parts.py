"""Of what pages of figures are made: tiles, charts, and the tables beside them (docs/figures.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .figures_drawn import Drawing, columns, rows, spark
from .figures_told import Number, Told, written

DECISIONS = ("accept", "reject", "replace", "add")
MOST = 12
"""Rows of a chart; its table has all."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A big number: what it was before, whether that is for the better, and its course."""

    title: str
    number: Number
    hint: str = ""
    change: str = ""
    tone: str = ""
    arrow: str = ""
    spark: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: a number with its rows, or a text."""

    text: str
    link: str = ""
    number: bool = True


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its table; a `plain` one is a table alone."""

    id: str
    title: str
    text: str
    head: tuple[str, ...]
    table: tuple[tuple[Cell, ...], ...]
    drawing: Drawing | None = None
    legend: tuple[str, ...] = ()
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    """A page of figures."""

    tiles: tuple[Tile, ...]
    charts: tuple[Chart, ...]
    notes: Sequence[str] = field(default=())


def tile(
    title: str,
    number: Number,
    old: Number | None = None,
    *,
    better: str = "",
    course: Sequence[Number] = (),
    **more: str,
) -> Tile:
    """`better` is up or down: which way a change is for the better."""
    change, tone, arrow = "", "", ""
    if old is not None and old.value is not None and number.value is not None:
        gap = number.value - old.value
        if number.unit == "share":
            change = f"{gap * 100:+.1f} points" if round(gap, 3) else "as before"
        elif old.value:
            change = f"{gap / old.value:+.0%}" if round(gap / old.value, 2) else "as before"
        elif gap:
            change = f"from {old.text}"
        if change and change != "as before":
            arrow = "▲" if gap > 0 else "▼"
            tone = "" if not better else "good" if (gap > 0) == (better == "up") else "bad"
    return Tile(
        title, number, change=change, tone=tone, arrow=arrow, spark=spark([one.value for one in course]), **more
    )


def cell(number: Number) -> Cell:
    """A number in a table."""
    return Cell(number.text, number.link)


def by(told: Told, name: str, label: str, id: str, title: str, text: str, *, lying: bool = False) -> Chart:
    """A chart of the figures of one name by one label."""
    some = told.all(name)
    names, values = [one.labels[label] for one in some], [one.value or 0.0 for one in some]
    shown = slice(0, MOST) if lying else slice(None)
    drawing = None
    if any(values):
        short = [day(one) for one in names]
        made = (
            rows(names[shown], [values[shown]], [one.text for one in some[shown]])
            if lying
            else columns(short, [values])
        )
        drawing = made
    table = tuple((Cell(one.labels[label], number=False), cell(one)) for one in some)
    return Chart(
        id,
        title,
        text,
        (label.capitalize(), (some[0].unit if some else "value").capitalize()),
        table,
        drawing,
    )


def day(name: str) -> str:
    """`2026-03-04` as `03-04`, a minute as its time."""
    return name[11:16] if "T" in name and len(name) > 15 else name[5:] if len(name) == 10 and name[4] == "-" else name


def stack(told: Told, name: str, label: str, id: str, title: str, text: str, *, lying: bool = True) -> Chart:
    """Decisions by a label, kind upon kind."""
    groups = list(dict.fromkeys(one.labels[label] for one in told.all(name)))
    found = {(one.labels[label], one.labels["decision"]): one for one in told.all(name)}
    empty = Number(name, 0.0, "decisions", 0, {}, "")
    series = [[found.get((group, kind), empty).value or 0.0 for group in groups] for kind in DECISIONS]
    drawing = None
    if any(map(any, series)):
        shown = slice(0, MOST) if lying else slice(None)
        cut = [values[shown] for values in series]
        sums = [written(sum(one), "") for one in zip(*cut, strict=True)]
        drawing = rows(groups[shown], cut, sums) if lying else columns([day(g) for g in groups], cut)
    table = tuple(
        (Cell(group, number=False), *(cell(found.get((group, kind), empty)) for kind in DECISIONS)) for group in groups
    )
    return Chart(id, title, text, (label.capitalize(), *DECISIONS), table, drawing, DECISIONS)
