"""The functions that expressions may call, each in its two forms: over Polars columns and over single values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from claims.expr.tree import Const, Node, Type

_CLASS = re.compile(r"\\.|\[(?:\\.|[^]])*\]")
_REPEATED = re.compile(r"\)[*+{]")
_FORBIDDEN = re.compile(r"\\[a-zA-Z0-9]|\(\?|\[\[|&&")
_EPOCH = date(1970, 1, 1)
MAX_PLACE = 100_000


@dataclass(frozen=True, slots=True)
class Function:
    """`takes` are the types of its values; `written` says which of them must be written out, not computed."""

    takes: tuple[frozenset[Type], ...]
    gives: Type
    columns: Callable[..., pl.Expr]
    single: Callable[..., Any]
    """Called only when no value is null; the result of a null is null in both forms."""

    written: frozenset[int] = frozenset()
    check: Callable[[Any], str | None] | None = None  # of each value that is written

    def refuses(self, arguments: Sequence[Node]) -> str | None:
        """Why it cannot be called so; None when it can."""
        if len(arguments) != len(self.takes):
            return f"it takes {len(self.takes)} values"
        for n, (argument, allowed) in enumerate(zip(arguments, self.takes, strict=True)):
            if argument.type not in allowed:
                return f"value {n + 1} must be a {' or '.join(sorted(allowed))}, not a {argument.type}"
            if n in self.written and not isinstance(argument, Const):
                return f"value {n + 1} must be written out"
        written = [one.value for n, one in enumerate(arguments) if n in self.written and isinstance(one, Const)]
        return next((why for value in written if self.check and (why := self.check(value))), None)


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of those before it (ISO/IEC 7812-1)."""
    total = 0
    for n, digit in enumerate(reversed(digits)):
        value = ord(digit) - 48
        if n % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def is_npi(text: str) -> bool:
    """A National Provider Identifier: ten digits, 1 or 2 first, Luhn with the prefix 80840 (45 CFR 162.406)."""
    return len(text) == 10 and text.isascii() and text.isdigit() and text[0] in "12" and luhn("80840" + text)


def _npi_columns(text: pl.Expr) -> pl.Expr:
    formed = text.str.contains("^[12][0-9]{9}$")
    total = pl.lit(24, pl.Int64)  # what the prefix 80840 adds
    for n in range(10):
        digit = text.str.slice(n, 1).cast(pl.Int64, strict=False)
        if n % 2 == 0:  # the ninth digit from the right is doubled, and every second one before it
            digit = digit * 2 - pl.when(digit > 4).then(9).otherwise(0)
        total = total + digit
    return formed & (total % 10 == 0).fill_null(False)


def _pattern(text: Any) -> str | None:
    if _REPEATED.search(_CLASS.sub("c", text)):
        return "a group cannot be repeated, which may take for ever; write what is in it out"
    if _FORBIDDEN.search(text) or not text.isascii():
        return "write classes such as [0-9] out; no look-around, no back-references"
    try:
        re.compile(text)
        pl.select(pl.lit("").str.contains(f"^(?:{text})$"))
    except (re.error, pl.exceptions.PolarsError):
        return "the pattern cannot be read"
    return None


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch("[0-9]{1,15}", text) else None


def _nearest(number: float) -> int:
    """The nearest whole number, half away from zero as Polars does."""
    return int(math.copysign(math.floor(abs(number) + 0.5), number))


def _month(day: int) -> int:
    """Months since the year 0."""
    date_ = _EPOCH + timedelta(day)
    return date_.year * 12 + date_.month


def _month_columns(day: pl.Expr) -> pl.Expr:
    found = day.cast(pl.Int32).cast(pl.Date)
    return found.dt.year().cast(pl.Int64) * 12 + found.dt.month().cast(pl.Int64)


def _place(number: Any) -> str | None:
    return None if 1 <= number <= MAX_PLACE else f"places count from 1 to {MAX_PLACE}"


_T: frozenset[Type] = frozenset({"text"})
_D: frozenset[Type] = frozenset({"day"})
_W: frozenset[Type] = frozenset({"whole"})
_N: frozenset[Type] = frozenset({"whole", "number"})
_L: frozenset[Type] = frozenset({"texts", "wholes"})

FUNCTIONS: dict[str, Function] = {
    "length": Function((_T,), "whole", lambda t: t.str.len_chars().cast(pl.Int64), len),
    "size": Function((_L,), "whole", lambda x: x.list.len().cast(pl.Int64), len),
    "distinct": Function((_L,), "flag", lambda x: x.list.n_unique() == x.list.len(), lambda x: len(set(x)) == len(x)),
    "starts": Function(
        (_T, _T), "flag", lambda t, p: t.str.starts_with(p), lambda t, p: t.startswith(p), frozenset({1})
    ),
    "part": Function(
        (_T, _W, _W), "text", lambda t, a, b: t.str.slice(a - 1, (b - a + 1).clip(0)), lambda t, a, b: t[a - 1 : b],
        frozenset({1, 2}), _place,
    ),
    "matches": Function(
        (_T, _T), "flag", lambda t, p: t.str.contains(pl.lit("^(?:") + p + pl.lit(")$")),
        lambda t, p: re.fullmatch(p, t) is not None, frozenset({1}), _pattern,
    ),
    "whole": Function(
        (_T,), "whole",
        lambda t: pl.when(t.str.contains("^[0-9]{1,15}$")).then(t).otherwise(None).cast(pl.Int64), _whole,
    ),
    "npi": Function((_T,), "flag", _npi_columns, is_npi),
    "year": Function(
        (_D,), "whole", lambda d: d.cast(pl.Int32).cast(pl.Date).dt.year().cast(pl.Int64),
        lambda d: (_EPOCH + timedelta(d)).year,
    ),
    "first": Function((frozenset({"texts"}),), "text", lambda x: x.list.first(), lambda x: x[0] if x else None),
    "nth": Function(
        (frozenset({"texts"}), _W), "text", lambda x, n: x.list.get(n - 1, null_on_oob=True),
        lambda x, n: x[n - 1] if len(x) >= n else None, frozenset({1}), _place,
    ),
    "alike": Function(
        (_L, _L), "flag", lambda a, b: a.list.set_symmetric_difference(b).list.len() == 0, lambda a, b: set(a) == set(b)
    ),
    "overlap": Function(
        (_L, _L), "flag", lambda a, b: a.list.set_intersection(b).list.len() > 0,
        lambda a, b: not set(a).isdisjoint(b),
    ),
    "multiple": Function(
        (_N, _N), "flag", lambda a, b: (b > 0) & ((a / b).round() * b - a).abs().le(1e-6),
        lambda a, b: b > 0 and abs(_nearest(a / b) * b - a) <= 1e-6,
    ),
    "months": Function(
        (_D, _D), "whole", lambda a, b: _month_columns(b) - _month_columns(a), lambda a, b: _month(b) - _month(a)
    ),
    "days": Function((_D, _D), "whole", lambda a, b: b - a, lambda a, b: b - a),
}  # fmt: skip
"""`part` counts characters from 1, both ends included; `days(a, b)` is from a to b, `months(a, b)` how many
months later in the calendar b is; `alike` lists hold the same, and
`multiple(a, b)` asks whether a is a whole number of b."""
