"""Tables asked for many rows at a time, each question once however many rules ask it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from claims.expr.batch import Mask, Rows
from claims.expr.parts import Part, Written
from claims.tables.columns import Array, Coded, Flags, Numbers, Values


class Question:
    """A table with keys and a day."""

    def __init__(self, table: str, keys: Sequence[Part], day: Part) -> None:
        self.table, self.keys, self.day = table, keys, day

    def rows_of(self, rows: Rows) -> Array | None:
        """The row of the table for each row; -1 for none, None: there is none for any."""
        if self not in rows.found:
            found: Array | None = rows.recall(self)
            rows.found[self] = self._ask(rows) if found is None else found
        return rows.found[self]  # type: ignore[no-any-return]

    def known(self, rows: Rows) -> Mask:
        """Whether the day and every key are known."""
        mask: Mask = True
        day = self._days(rows)
        if (day < 0).any():
            mask = day >= 0
        for key in self.keys:
            if not isinstance(key, Written):
                mask = mask & (key.coded(rows).numbers >= 0)
        return mask

    def _days(self, rows: Rows) -> Array:
        values = self.day.values(rows)
        assert isinstance(values, Numbers)
        return values.array if values.known is None else np.where(values.known, values.array, -1)

    def _ask(self, rows: Rows) -> Array | None:
        table = rows.batch.tables[self.table]
        keys = [key.coded(rows) for key in self.keys]
        found = table.find_many(keys, self._days(rows))
        return found if (found >= 0).any() else None


class Answer(Part):
    """What a table says; null where it has no row."""

    cost = 6

    def __init__(self, question: Question, value: str) -> None:
        self.question, self.value = question, value

    def _when(self, rows: Rows, wanted: bool) -> Mask:
        at = self.question.rows_of(rows)
        if self.value == "exists":
            if wanted:
                return False if at is None else at >= 0
            known = self.question.known(rows)
            return known if at is None else known & (at < 0)
        if at is None:
            return False
        column = rows.batch.tables[self.question.table].laid[self.value]
        assert isinstance(column, Flags)
        return column.when(wanted)[at]

    def _values(self, rows: Rows) -> Values:
        if self.value == "exists":
            return super()._values(rows)
        at = self.question.rows_of(rows)
        column = rows.batch.tables[self.question.table].laid[self.value]
        if at is not None:
            return column.at(at)
        if isinstance(column, Coded):
            return Coded((), np.full(rows.count, -1, np.int32))
        return column.at(np.full(rows.count, -1))
