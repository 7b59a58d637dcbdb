"""Figures as a page reads them: numbers by name and labels, how they are written, and where their rows are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

Json = Mapping[str, Any]
MOST_DAYS = 400


@dataclass(frozen=True, slots=True)
class Span:
    """The area and the days that a page tells of."""

    area: str
    since: date
    until: date

    @property
    def days(self) -> int:
        """How many days there are."""
        return (self.until - self.since).days + 1

    def before(self) -> Span:
        """As many days before."""
        length = timedelta(days=self.days)
        return Span(self.area, self.since - length, self.until - length)

    def query(self) -> dict[str, str]:
        """The parameters of `$figures`."""
        return {"of": self.area, "since": self.since.isoformat(), "until": self.until.isoformat()}

    def path(self, end: str = "", **more: str | list[str]) -> str:
        """The address of a page about these days."""
        told = {"since": self.since.isoformat(), "until": self.until.isoformat(), **more}
        return f"/work/figures/{self.area}{end}?{urlencode(told, doseq=True)}"

    def rows(self, name: str, labels: Mapping[str, str]) -> str:
        """The address of the rows behind a figure."""
        return self.path("/rows", figure=name, label=[f"{key}={value}" for key, value in labels.items()])


@dataclass(frozen=True, slots=True)
class Number:
    """One figure."""

    name: str
    value: float | None
    unit: str
    rows: int
    labels: Mapping[str, str]
    href: str

    @property
    def text(self) -> str:
        """The value as it is written; a dash where nothing was measured."""
        return written(self.value, self.unit)

    @property
    def link(self) -> str:
        """Where its rows are; empty where it has none."""
        return self.href if self.rows else ""


class Told:
    """All figures of an answer."""

    def __init__(self, parameters: Json, span: Span) -> None:
        self.span = span
        self.notes = [one["valueString"] for one in parameters.get("parameter", ()) if one["name"] == "note"]
        self._named: dict[str, list[Number]] = {}
        for number in _numbers(parameters, span):
            self._named.setdefault(number.name, []).append(number)

    def all(self, name: str) -> list[Number]:
        """The figures of a name, in their order."""
        return self._named.get(name, [])

    def one(self, name: str, /, **labels: str) -> Number:
        """The figure of a name with exactly these labels; without a value where there is none."""
        found = (one for one in self.all(name) if one.labels == labels)
        return next(found, Number(name, None, "", 0, labels, ""))

    def total(self, name: str, /, **labels: str) -> Number:
        """The sum of the figures of a name that have these labels."""
        some = [one for one in self.all(name) if labels.items() <= one.labels.items()]
        value = sum(one.value or 0.0 for one in some)
        unit = some[0].unit if some else ""
        return Number(name, value, unit, sum(one.rows for one in some), labels, self.span.rows(name, labels))

    def names(self) -> Iterable[str]:
        """Every name of a figure."""
        return self._named


def _numbers(parameters: Json, span: Span) -> Iterator[Number]:
    for one in parameters.get("parameter", ()):
        if one["name"] != "figure":
            continue
        parts = {part["name"]: part for part in one["part"]}
        labels = {part["name"]: part["valueString"] for part in parts.get("label", {}).get("part", ())}
        name = parts["name"]["valueCode"]
        value = float(parts["value"]["valueDecimal"]) if "value" in parts else None
        unit = parts["unit"]["valueString"] if "unit" in parts else ""
        yield Number(name, value, unit, parts["rows"]["valueUnsignedInt"], labels, span.rows(name, labels))


def written(value: float | None, unit: str) -> str:
    """A number for a person, in its unit."""
    if value is None:
        return "–"
    if unit == "share":
        return f"{value:.1%}"
    if unit == "dollars":
        return f"${value:,.0f}" if abs(value) >= 100 else f"${value:,.2f}"
    if unit.startswith("seconds"):
        return duration(value)
    if unit == "bytes":
        return _bytes(value)
    if unit == "percent":
        return f"{value:.1f}"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.3g}"


def duration(seconds: float) -> str:
    """A length of time in its two largest units."""
    if seconds < 60:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    for size, name, under, below in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            whole, rest = divmod(int(seconds), size)
            return f"{whole} {name} {rest // under} {below}"
    return ""


def _bytes(value: float) -> str:
    for name in ("B", "KB", "MB", "GB"):
        if value < 1024:
            return f"{value:.0f} {name}" if value >= 10 or name == "B" else f"{value:.1f} {name}"
        value /= 1024
    return f"{value:.1f} TB"
