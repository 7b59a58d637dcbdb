"""The physician fee schedule laid out for arithmetic (CMS relative value file, RVU25D.pdf and later)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from claims.price.ask import Loaded, marked
from claims.price.exact import Array
from claims.tables.columns import Coded
from claims.tables.table import Table

STATUSES = {name: n for n, name in enumerate("ARTBCEIJMNPX")}
_OTHER = len(STATUSES)
COMPONENTS = Coded(("", "26", "TC", "53"), np.array([0, 1, 2, 3, -1]))
_DIGITS = {str(n): n for n in range(10)}


@dataclass(frozen=True)
class Schedule:
    """Columns by row of the table; index -1 is no row. RVUs in hundredths, shares in hundredths of the whole."""

    loaded: Loaded

    @property
    def _table(self) -> Table:
        return self.loaded.tables["rvu"]

    def _numbers(self, name: str) -> Array:
        return self.loaded.numbers("rvu", name)

    def _marked(self, name: str, known: Mapping[str, int], default: int) -> Array:
        return marked(self._table.values[name], known, default)

    def find(self, codes: Coded, modifiers: Coded, days: Array) -> Array:
        """The row of each code and modifier."""
        return self.loaded.find("rvu", [codes, modifiers], days)

    @cached_property
    def status(self) -> Array:
        """The number in STATUSES; -1 for no row."""
        found = self._marked("status", STATUSES, _OTHER)
        found[-1] = -1
        return found

    @cached_property
    def paid(self) -> Array:
        """Whether the RVUs count: status A, R or T."""
        return (self.status >= 0) & (self.status <= STATUSES["T"])

    @cached_property
    def work(self) -> Array:
        """Work."""
        return self._numbers("work")

    @cached_property
    def expense(self) -> Array:
        """Practice expense: [0] outside a facility, [1] in one."""
        return np.stack([self._numbers("pe_nonfacility"), self._numbers("pe_facility")])

    @cached_property
    def malpractice(self) -> Array:
        """Malpractice."""
        return self._numbers("mp")

    @cached_property
    def cap_expense(self) -> Array:
        """Practice expense that gives the hospital outpatient amount: [0] outside a facility, [1] in one."""
        return np.stack([self._numbers("opps_nonfacility"), self._numbers("opps_facility")])

    @cached_property
    def cap_malpractice(self) -> Array:
        """Malpractice that gives the hospital outpatient amount."""
        return self._numbers("opps_mp")

    @cached_property
    def rare(self) -> Array:
        """Whether the service is rarely done: [0] outside a facility, [1] in one."""
        marks = {"NA": 1}
        return np.stack([self._marked(name, marks, 0) for name in ("na_nonfacility", "na_facility")])

    @cached_property
    def shares(self) -> Array:
        """Care before, during and after the operation."""
        return np.stack([self._numbers(name) for name in ("pre", "intra", "post")])

    @cached_property
    def imaging(self) -> Array:
        """Whether the code belongs to the family of diagnostic imaging whose further procedures are reduced."""
        return self._marked("family", {"88": 1}, 0)

    def indicator(self, name: str) -> Array:
        """A payment policy indicator as a number, 9 (does not apply) where there is none."""
        return self._indicators[name]

    @cached_property
    def _indicators(self) -> dict[str, Array]:
        names = ("pctc", "multiple", "bilateral", "assistant", "cosurgeon")
        return {name: self._marked(name, _DIGITS, 9) for name in names}

    @cached_property
    def code(self) -> Array:
        """The number of the row's code."""
        return np.append(self._table.key("code"), -1)

    @cached_property
    def base(self) -> Array:
        """The number of the base endoscopy's code, -1 without one, -2 for one that has no row."""
        found = self._marked("endo_base", {**self._table.known("code"), "": -1}, -2)
        found[-1] = -1
        return found

    @cached_property
    def codes(self) -> Coded:
        """The codes by number."""
        known = tuple(self._table.known("code"))
        return Coded(known, np.arange(len(known)))
