"""The lines that are to be priced: how many units, of which code, with which modifiers, and by which schedule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from claims.price import modifiers as mod
from claims.price.ask import Columns, Loaded, among, same, texts, whole
from claims.price.exact import Array
from claims.price.reasons import NUMBERS
from claims.price.schedule import COMPONENTS, STATUSES, Schedule
from claims.price.where import Where
from claims.tables.columns import Coded

METHODS = Coded(("", "physician", "anaesthesia", "drug", "laboratory"), np.arange(5))
PHYSICIAN, ANAESTHESIA, DRUG, LABORATORY = 1, 2, 3, 4
MAX_UNITS = 999_999
_WAIVED = Coded(("", "QW"), np.arange(2))
_PROFESSIONAL = ("professional", "vision", None)


@dataclass
class Lines:
    """Of each line; `why` is the first reason against a price so far, 0 for none."""

    codes: Coded
    marked: Array
    units: Array
    minutes: Array  # -1 not said
    groups: Array  # the services of a claim on a day that stand in one ranking
    component: Array  # of COMPONENTS
    row: Array  # of the physician fee schedule
    other: Array  # of the drug or laboratory prices, or the anaesthesia base units
    method: Array
    why: Array

    def refuse(self, where: Array, reason: str) -> None:
        """Tell why these have no price, unless something else was told before."""
        self.why[where & (self.why == 0)] = NUMBERS[reason]

    def has(self, wanted: int) -> Array:
        """Whether a line has any of these modifiers."""
        found: Array = (self.marked & wanted) > 0
        return found

    def open(self, method: int) -> Array:
        """The lines of a method that nothing speaks against."""
        found: Array = (self.method == method) & (self.why == 0)
        return found


def lines(asked: Columns, loaded: Loaded, schedule: Schedule | None, at: Where) -> Lines:
    """Find the schedule of each line."""
    rows = whole(asked("lines", "row"))
    marked = mod.marks(texts(asked("lines", "mods")))
    said = whole(asked("lines", "units"))
    good = (said > 0) & (said <= MAX_UNITS) & (said == np.floor(said))
    component = np.select([(marked & mod.bits(name)) > 0 for name in ("26", "TC", "53")], [1, 2, 3], 0)
    found = Lines(
        texts(asked("lines", "code")), marked, np.where(good, said, 1).astype(np.int64),
        whole(asked("lines", "minutes"), -1), _groups(rows, at, marked), component,
        np.full(len(rows), -1), np.full(len(rows), -1), np.zeros(len(rows), np.int64),
        np.zeros(len(rows), np.int64),
    )  # fmt: skip
    found.refuse(~among(texts(asked("claims", "type")), _PROFESSIONAL)[rows], "kind")
    found.refuse(found.codes.numbers < 0, "code")
    found.refuse(at.days < 0, "day")
    _choose(found, loaded, schedule, at)
    found.refuse(~good & (found.method != ANAESTHESIA), "units")
    return found


def _groups(rows: Array, at: Where, marked: Array) -> Array:
    """Claim and day; who assists at surgery is ranked apart from who operates."""
    helps = (marked & mod.HELPERS) > 0
    found: Array = (rows << 20 | at.days.clip(0)) << 1 | helps
    return found


def _choose(found: Lines, loaded: Loaded, schedule: Schedule | None, at: Where) -> None:
    """The physician fee schedule before anaesthesia, drugs and laboratory tests."""
    plain = np.full(len(found.why), -1)
    status = plain
    if schedule is not None:
        found.row = schedule.find(found.codes, COMPONENTS.at(found.component), at.days)
        plain = found.row.copy()
        special = np.flatnonzero(found.component > 0)
        if len(special):
            plain[special] = schedule.find(found.codes.at(special), same("", len(special)), at.days[special])
        own = np.where(found.row >= 0, found.row, plain)
        status = schedule.status[own]
        found.method[schedule.paid[own]] = PHYSICIAN
    for method, name in ((ANAESTHESIA, "anaesthesia"), (DRUG, "drug_price"), (LABORATORY, "lab_price")):
        _listed(found, loaded, at, method, name)
    found.method[(found.method == 0) & (status == STATUSES["J"])] = ANAESTHESIA
    rest = found.method == 0
    for letter, number in STATUSES.items():
        if f"status-{letter}" in NUMBERS:
            found.refuse(rest & (status == number), f"status-{letter}")
    found.refuse(rest & (status >= 0), "status")
    found.refuse(rest, "row" if schedule is not None else "rvu-not-loaded")
    found.refuse((found.method == PHYSICIAN) & (found.component == 3) & (found.row < 0), "by-report")
    found.refuse((found.method == PHYSICIAN) & (found.row < 0), "component")


def _listed(found: Lines, loaded: Loaded, at: Where, method: int, name: str) -> None:
    """Take the row of a table for lines that no schedule before it prices."""
    rest = np.flatnonzero(found.method == 0)
    if name not in loaded or not len(rest):
        return
    keys = [found.codes.at(rest)]
    rows = np.full(len(rest), -1)
    if "modifier" in loaded.tables[name].definition.keys:
        waived = _WAIVED.at(found.has(mod.bits("QW"))[rest].astype(np.int64))
        rows = loaded.find(name, [*keys, waived], at.days[rest])
        keys.append(same("", len(rest)))
    again = loaded.find(name, keys, at.days[rest])
    rows = np.where(rows >= 0, rows, again)
    found.other[rest] = rows
    found.method[rest[rows >= 0]] = method
