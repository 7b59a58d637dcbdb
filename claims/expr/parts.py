"""Parts of expressions over many rows at a time.

A flag is asked for where it is so, or where it is not so; where neither holds it is not known. What depends on one text
or list alone is told once of each distinct one, by the form for one claim.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from claims.expr.batch import Mask, Rows
from claims.tables.columns import Array, Coded, Flags, Numbers, Values, coded, distinct, renumbered, told

_COMPARES: dict[str, Callable[[Any, Any], Any]] = {
    "==": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
}  # fmt: skip
_OTHERWISE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_SUMS: dict[str, Callable[[Any, Any], Any]] = {"+": np.add, "-": np.subtract, "*": np.multiply}
FEW = 8
"""One row in so many is few enough to go on with those alone."""


def tidy(mask: Mask) -> Mask:
    """False or True where none or all are meant."""
    if mask is True or mask is False:
        return mask
    found = np.asarray(mask)
    return (True if found.all() else found) if found.any() else False


class Part:
    """One part; `cost` says in which order parts are asked, `uses` how many ask for it."""

    cost = 1
    uses = 0

    def when(self, rows: Rows, wanted: bool) -> Mask:
        """The rows where the flag is as wanted; rows where it is not known never are."""
        key = (self, wanted)
        found = rows.found.get(key)
        if found is None:
            found = rows.recall(key)
            if found is None:
                found = tidy(self._when(rows, wanted))
            if self.uses > 1:
                rows.found[key] = found
        return found

    def values(self, rows: Rows) -> Values:
        """The value of each row."""
        found = rows.found.get(self)
        if found is None:
            found = rows.recall(self)
            if found is None:
                found = self._values(rows)
            rows.found[self] = found
        return found

    def coded(self, rows: Rows) -> Coded:
        """The same by its distinct values."""
        values = self.values(rows)
        if isinstance(values, Coded):
            return values
        key = (self, "coded")
        found = rows.found.get(key)
        if found is None:
            found = rows.found[key] = rows.recall(key) or coded(values)
        return found

    def _when(self, rows: Rows, wanted: bool) -> Mask:
        values = self.values(rows)
        assert isinstance(values, Flags)
        return values.when(wanted)

    def _values(self, rows: Rows) -> Values:
        return Flags(full(self.when(rows, True), rows.count), full(self.when(rows, False), rows.count))


def full(mask: Mask, count: int) -> Array:
    """A mask with an element for each row."""
    return np.full(count, mask) if isinstance(mask, bool) else mask


class Written(Part):
    """A value that is written out."""

    cost = 0

    def __init__(self, value: Any, kind: str) -> None:
        self.value, self._kind = value, kind

    def _when(self, _rows: Rows, wanted: bool) -> Mask:
        return self.value is wanted

    def _values(self, rows: Rows) -> Values:
        if self._kind in ("flag", "null"):
            return super()._values(rows)
        if self._kind == "text":
            return distinct([self.value]).at(np.zeros(rows.count, np.int64))
        return told([self.value], self._kind).at(np.zeros(rows.count, np.int64))


class Named(Part):
    """A column of the rows themselves or of what they are paired with."""

    def __init__(self, of: str, name: str) -> None:
        self.of, self.name = of, name

    def values(self, rows: Rows) -> Values:
        """The column; of all rows it is kept with them."""
        whole, places = rows.at(self.of)
        return whole.column(self.name) if places is None else super().values(rows)

    def _values(self, rows: Rows) -> Values:
        whole, places = rows.at(self.of)
        column = whole.column(self.name)
        return column if places is None else column.at(places)

    def _when(self, rows: Rows, wanted: bool) -> Mask:
        whole, places = rows.at(self.of)
        column = whole.column(self.name)
        assert isinstance(column, Flags)
        mask = column.when(wanted)
        return mask if places is None else mask[places]


class Elsewhere(Part):
    """A part that is asked of all rows that these come from: of their claims, of neighbours, of a whole collection."""

    def __init__(self, of: str, part: Part) -> None:
        self.of, self.part, self.cost = of, part, part.cost
        part.uses += 2  # however few ask, it is asked of different rows

    def _when(self, rows: Rows, wanted: bool) -> Mask:
        whole, places = rows.at(self.of)
        mask = self.part.when(whole, wanted)
        return mask if isinstance(mask, bool) or places is None else mask[places]

    def _values(self, rows: Rows) -> Values:
        whole, places = rows.at(self.of)
        values = self.part.values(whole)
        return values if places is None else values.at(places)

    def coded(self, rows: Rows) -> Coded:
        """By the distinct values of all of them."""
        whole, places = rows.at(self.of)
        found = self.part.coded(whole)
        return found if places is None else found.at(places)


class Every(Part):
    """Parts of which each must be so; `decisive` is what one of them alone settles: False of `and`, True of `or`."""

    def __init__(self, parts: Sequence[Part], decisive: bool) -> None:
        self.parts, self.decisive = sorted(parts, key=lambda part: part.cost), decisive
        self.cost = sum(part.cost for part in parts)

    def _when(self, rows: Rows, wanted: bool) -> Mask:
        if wanted is self.decisive:
            return self._any(rows, wanted)
        return every(self.parts, rows, wanted)

    def _any(self, rows: Rows, wanted: bool) -> Mask:
        mask: Mask = False
        for part in self.parts:
            one = part.when(rows, wanted)
            if one is True:
                return True
            mask = one if mask is False else mask if one is False else mask | one
        return mask


def every(parts: Sequence[Part], rows: Rows, wanted: bool = True) -> Mask:
    """Where all parts are as wanted; once few rows are left, the rest is asked of those alone."""
    mask: Mask = True
    left, places = rows, None
    for number, part in enumerate(parts):
        one = part.when(left, wanted)
        if one is True:
            continue
        mask = one if mask is True else one & mask
        if mask is False:
            return False
        count = np.count_nonzero(mask)
        if not count:
            return False
        if count * FEW < left.count and any(other.cost > 1 for other in parts[number + 1 :]):
            chosen = np.flatnonzero(mask)
            left, places, mask = left.pick(chosen), chosen if places is None else places[chosen], True
    if places is None:
        return mask
    found = np.zeros(rows.count, np.bool_)
    found[places] = mask
    return found


class Otherwise(Part):
    """`not`."""

    def __init__(self, of: Part) -> None:
        self.of, self.cost = of, of.cost

    def when(self, rows: Rows, wanted: bool) -> Mask:
        """Where the other is what is not wanted."""
        return self.of.when(rows, not wanted)


class Failing(Part):
    """Whether a flag is not true; this is always known."""

    def __init__(self, of: Part) -> None:
        self.of, self.cost = of, of.cost

    def _when(self, rows: Rows, wanted: bool) -> Mask:
        found = self.of.when(rows, True)
        if not wanted:
            return found
        return not found if isinstance(found, bool) else ~found


class Unknown(Part):
    """Whether a number, a day or a flag is missing, or a text that is empty or missing; this is always known."""

    def __init__(self, of: Part) -> None:
        self.of, self.cost = of, of.cost

    def _when(self, rows: Rows, wanted: bool) -> Mask:
        values = self.of.values(rows)
        if isinstance(values, Flags):
            missing = ~(values.true | values.false)
        elif isinstance(values, Numbers):
            if values.known is None:
                return not wanted
            missing = ~values.known
        else:
            missing = values.numbers < 0
            empty = next((n for n, value in enumerate(values.values) if not value), None)
            if empty is not None:
                missing |= values.numbers == empty
        return missing if wanted else ~missing


class Compared(Part):
    """Two numbers."""

    def __init__(self, op: str, left: Part, right: Part) -> None:
        self.op, self.left, self.right = op, left, right
        self.cost = 1 + left.cost + right.cost

    def _when(self, rows: Rows, wanted: bool) -> Mask:
        (left, known), (right, also) = _number(self.left, rows), _number(self.right, rows)
        if known is False or also is False:
            return False
        found: Mask = _COMPARES[self.op if wanted else _OTHERWISE[self.op]](left, right)
        for one in (known, also):
            if one is not None:
                found = found & one
        return found if np.ndim(found) else bool(found)


def _number(part: Part, rows: Rows) -> tuple[Any, Mask | None]:
    """(numbers, which are known); None: all, False: none."""
    if isinstance(part, Written):
        return (0, False) if part.value is None else (part.value, None)
    values = part.values(rows)
    assert isinstance(values, Numbers)
    known = values.known
    return values.array, known if known is None or known.any() else False


class Reckoned(Part):
    """`+ - *`."""

    def __init__(self, op: str, left: Part, right: Part) -> None:
        self.op, self.left, self.right = op, left, right
        self.cost = 1 + left.cost + right.cost

    def _values(self, rows: Rows) -> Values:
        (left, known), (right, also) = _number(self.left, rows), _number(self.right, rows)
        array = np.broadcast_to(_SUMS[self.op](left, right), (rows.count,))
        if known is False or also is False:
            return Numbers(array, np.zeros(rows.count, np.bool_))
        both = known if also is None else also if known is None else known & also
        return Numbers(array, both)  # type: ignore[arg-type]


class Alike(Part):
    """Whether two texts are the same."""

    def __init__(self, op: str, left: Part, right: Part) -> None:
        self.same, self.left, self.right = op == "==", left, right
        self.cost = 1 + left.cost + right.cost

    def _when(self, rows: Rows, wanted: bool) -> Mask:
        left, right = self.left.coded(rows), self.right.coded(rows)
        if not len(left.values) or not len(right.values):
            return False
        numbers = right.numbers
        if right.values is not left.values:
            numbers = rows.batch.translated(right, left)[numbers]
        if wanted is self.same:
            return np.asarray((left.numbers == numbers) & (left.numbers >= 0))
        return np.asarray((left.numbers != numbers) & (left.numbers >= 0) & (right.numbers >= 0))


class Told(Part):
    """What depends on some values alone, told once of each distinct combination of them."""

    def __init__(self, leaves: Sequence[Part], tell: Callable[..., Any], kind: str) -> None:
        self.leaves, self.tell, self.kind = leaves, tell, kind
        self.cost = sum(leaf.cost for leaf in leaves) + (0 if len(leaves) == 1 else 3)

    def _told(self, rows: Rows) -> tuple[list[Any], Array]:
        """(what is told, the place of each row's there)."""
        first, *others = [leaf.coded(rows) for leaf in self.leaves]
        if not others and len(first.values) <= max(rows.count, 16):
            return [*map(self.tell, first.values), self.tell(None)], first.numbers
        given, back = _combined((((),), np.zeros(rows.count, np.int64)), first)
        for one in others:
            given, back = _combined((given, back), one)
        return [self.tell(*values) for values in given], back

    def _when(self, rows: Rows, wanted: bool) -> Mask:
        results, places = self._told(rows)
        table = np.fromiter((one is wanted for one in results), np.bool_, len(results))
        return table[places] if table.any() else False

    def _values(self, rows: Rows) -> Values:
        results, places = self._told(rows)
        if self.kind == "text":
            return distinct(results).at(places)
        if self.kind == "flag":
            true, false = (np.array([one is wanted for one in results]) for wanted in (True, False))
            return Flags(true[places], false[places])
        return told(results, self.kind).at(places)


def _combined(before: tuple[Sequence[tuple[Any, ...]], Array], one: Coded) -> tuple[list[tuple[Any, ...]], Array]:
    """Combinations of values that occur, each with one more value, and which of them each row has."""
    many = len(one.values) + 1
    keys = before[1] * many + one.numbers % many  # null is the last one
    found, back = renumbered(keys, len(before[0]) * many)
    begins, ends = np.divmod(found, many)
    values = [one.values[end] if end < many - 1 else None for end in ends.tolist()]
    pairs = zip(begins.tolist(), values, strict=True)
    return [(*before[0][begin], value) for begin, value in pairs], back.astype(np.int64)
