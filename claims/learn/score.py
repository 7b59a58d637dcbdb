"""Score claims with a model: how likely a denial is, which charge is unusual, and why. Nothing is held up by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from math import exp
from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from claims.answer.response import Result
from claims.learn import columns
from claims.learn.active import active_path
from claims.learn.charges import Line, Unusual, lines_of
from claims.learn.columns import Table
from claims.learn.features import NAMES, Numbers, features, say
from claims.learn.model import Model, read_model
from claims.rules.rule import Rule

REASONS = 5
"""Most reasons that are told of one claim."""
SMALLEST = 0.02
"""What a feature must add, in log-odds, to be told."""
NO_MODEL = "No model is active: train one with fhirwright claims train"
UNKNOWN = "No line has a charge for a service of which charges are known"


class Reason(msgspec.Struct, frozen=True):
    """What a feature adds to the log-odds of a denial, and what it says of the claim."""

    feature: str
    adds: float
    says: str

    @property
    def text(self) -> str:
        """A sentence for people."""
        return f"{self.says} (odds of a denial × {exp(self.adds):.2g})"


class Charge(msgspec.Struct, frozen=True):
    """The charge that lies farthest from what is usual: number of the line, spreads away, times the median."""

    line: int
    far: float
    times: float
    direction: str | None
    text: str


class Score(msgspec.Struct, frozen=True):
    """`risk` from 0 to 1, or `why` there is none; base + reasons + rest is `margin`, the log-odds before the curve."""

    risk: float | None
    why: str
    margin: float | None
    base: float | None
    reasons: tuple[Reason, ...]
    rest: float
    charge: Charge | None
    charge_why: str


FRAME: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.Int64, "denial_risk": pl.Float64, "denial_why": pl.String, "denial_reasons": pl.List(pl.String),
    "charge_line": pl.Int64, "charge_far": pl.Float64, "charge_times": pl.Float64, "charge_outlier": pl.String,
    "charge_reason": pl.String,
}  # fmt: skip
"""The columns of scores as a table: one row for each claim."""


class Scorer:
    """A model that is open."""

    def __init__(self, model: Model) -> None:
        self.model = model

    @classmethod
    def open(cls, path: Path) -> Scorer:
        """From a file."""
        return cls(read_model(path))

    @classmethod
    def active(cls, data: Path) -> Scorer | None:
        """That of a data directory; None where none is active."""
        path = active_path(data)
        return cls.open(path) if path.is_file() else None

    @cached_property
    def rules(self) -> frozenset[str]:
        """The rules whose findings count."""
        return frozenset(self.model.rules)

    def lacking(self, active: Iterable[Rule]) -> int:
        """How many rules the model learned from that are not run here: without them scores are less sure."""
        return len(self.rules - {rule.id for rule in active})

    def of_frames(
        self,
        frames: Mapping[str, pl.DataFrame],
        active: Sequence[Rule],
        findings: pl.DataFrame,
        prices: pl.DataFrame,
    ) -> pl.DataFrame:
        """The scores of many claims as FRAME has them; `columns.ASKED` names what must stand in the frames."""
        return frame(self.scores(columns.of_frames(frames, active, findings, prices)))

    def of_results(self, results: Sequence[Result]) -> list[Score]:
        """The scores of claims that were scrubbed, one or many."""
        return self.scores(columns.of_results(results))

    def scores(self, table: Table) -> list[Score]:
        """The scores of claims."""
        charges = self._charges(table)
        if self.model.denial is None:
            return [_score(None, self.model.why, None, None, (), 0.0, charge) for charge in charges]
        forest = self.model.denial.forest
        rows = features(table, self.model.denial.rates, self.model.charges, self.rules)
        added = forest.contributions(rows)
        margins = np.round(forest.base + added.sum(axis=1), 9)
        risks = self.model.denial.probability(margins)
        found = []
        for row, charge in enumerate(charges):
            reasons = _reasons(added[row], rows[row])
            margin = float(margins[row])
            rest = margin - forest.base - sum(one.adds for one in reasons)
            found.append(_score(round(float(risks[row]), 4), "", margin, forest.base, reasons, rest, charge))
        return found

    def _charges(self, table: Table) -> list[Charge | None]:
        farthest: list[tuple[Line, Unusual] | None] = [None] * table.size
        for line in lines_of(table):
            lies = self.model.charges.of_line(line)
            before = farthest[line.row]
            if lies is not None and (before is None or abs(lies.far) > abs(before[1].far)):
                farthest[line.row] = line, lies
        return [None if one is None else _charge(table, *one) for one in farthest]


def _score(
    risk: float | None, why: str, margin: float | None, base: float | None, reasons: tuple[Reason, ...], rest: float,
    charge: Charge | None,
) -> Score:  # fmt: skip
    return Score(risk, why, margin, base, reasons, rest, charge, "" if charge else UNKNOWN)


def _charge(table: Table, line: Line, lies: Unusual) -> Charge:
    times = lies.times
    text = f"charge per unit is {times:.3g} times the median of {lies.lines:,} lines of this {lies.of}"
    return Charge(table.lines["seq"][line.at], round(lies.far, 4), round(times, 4), lies.direction, text)


def _reasons(added: Numbers, values: Numbers) -> tuple[Reason, ...]:
    order = np.argsort(-np.abs(added), kind="stable")[:REASONS]
    return tuple(
        Reason(NAMES[place], float(added[place]), say(NAMES[place], float(values[place])))
        for place in order.tolist()
        if abs(added[place]) >= SMALLEST
    )


def frame(scores: Sequence[Score]) -> pl.DataFrame:
    """Scores as a table."""
    rows = []
    for row, one in enumerate(scores):
        charge = one.charge
        told = (charge.line, charge.far, charge.times, charge.direction, charge.text) if charge else (None,) * 5
        rows.append((row, one.risk, one.why or None, [reason.text for reason in one.reasons], *told))
    return pl.DataFrame(rows, FRAME, orient="row")


def told(score: Score) -> dict[str, object]:
    """A score for machines."""
    found: dict[str, object] = {"denial_risk": score.risk}
    if score.risk is None:
        found["denial_why"] = score.why
    found["reasons"] = [{"feature": r.feature, "adds": round(r.adds, 4), "says": r.says} for r in score.reasons]
    charge = score.charge
    if charge is None:
        return {**found, "charge": None, "charge_why": score.charge_why}
    parts = {"line": charge.line, "far": charge.far, "times": charge.times, "outlier": charge.direction}
    return {**found, "charge": {**parts, "says": charge.text}}
