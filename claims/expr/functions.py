"""The functions that expressions may call."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from claims.expr.tree import Const, Node, Type

_CLASS = re.compile(r"\\.|\[(?:\\.|[^]])*\]")
_REPEATED = re.compile(r"\)[*+{]")
_FORBIDDEN = re.compile(r"\\[a-zA-Z0-9]|\(\?|\[\[|&&")
_EPOCH = date(1970, 1, 1)
_FIRST, _LAST = (date.min - _EPOCH).days, (date.max - _EPOCH).days
MAX_PLACE = 100_000


@dataclass(frozen=True, slots=True)
class Function:
    """`takes` are the types of its values; `written` says which of them must be written out, not computed."""

    takes: tuple[frozenset[Type], ...]
    gives: Type
    single: Callable[..., Any]
    """Called only when no value is null; the result of a null is null."""

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


def _pattern(text: Any) -> str | None:
    if _REPEATED.search(_CLASS.sub("c", text)):
        return "a group cannot be repeated, which may take for ever; write what is in it out"
    if _FORBIDDEN.search(text) or not text.isascii():
        return "write classes such as [0-9] out; no look-around, no back-references"
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError):
        return "the pattern cannot be read"
    return None


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch("[0-9]{1,15}", text) else None


def _nearest(number: float) -> int:
    """The nearest whole number, half away from zero."""
    return int(math.copysign(math.floor(abs(number) + 0.5), number))


def _year(day: int) -> int | None:
    """The year of a day; None of one that calendars do not have."""
    return (_EPOCH + timedelta(day)).year if _FIRST <= day <= _LAST else None


def _months(start: int, end: int) -> int | None:
    """How many months later in the calendar the end is."""
    if not (_FIRST <= start <= _LAST and _FIRST <= end <= _LAST):
        return None
    one, other = _EPOCH + timedelta(start), _EPOCH + timedelta(end)
    return (other.year - one.year) * 12 + other.month - one.month


_SHAPES = {"9": "[0-9]", "A": "[A-Za-z]", "X": "[0-9A-Za-z]"}
"""What the characters of a shape stand for; any other one stands for itself."""


@lru_cache(maxsize=1_024)
def _shape(shape: str) -> re.Pattern[str]:
    """What texts of a shape, or of one of several, look like."""
    return re.compile("|".join("".join(_SHAPES.get(c, re.escape(c)) for c in one) for one in shape.split("|")))


def _fits(text: str, shape: str) -> bool:
    return _shape(shape).fullmatch(text) is not None


def _place(number: Any) -> str | None:
    return None if 1 <= number <= MAX_PLACE else f"places count from 1 to {MAX_PLACE}"


_T: frozenset[Type] = frozenset({"text"})
_D: frozenset[Type] = frozenset({"day"})
_W: frozenset[Type] = frozenset({"whole"})
_N: frozenset[Type] = frozenset({"whole", "number"})
_L: frozenset[Type] = frozenset({"texts", "wholes"})

FUNCTIONS: dict[str, Function] = {
    "length": Function((_T,), "whole", len),
    "size": Function((_L,), "whole", len),
    "distinct": Function((_L,), "flag", lambda x: len(set(x)) == len(x)),
    "starts": Function((_T, _T), "flag", lambda t, p: t.startswith(p), frozenset({1})),
    "part": Function((_T, _W, _W), "text", lambda t, a, b: t[a - 1 : b], frozenset({1, 2}), _place),
    "matches": Function((_T, _T), "flag", lambda t, p: re.fullmatch(p, t) is not None, frozenset({1}), _pattern),
    "whole": Function((_T,), "whole", _whole),
    "fits": Function((_T, _T), "flag", _fits),
    "npi": Function((_T,), "flag", is_npi),
    "year": Function((_D,), "whole", _year),
    "first": Function((frozenset({"texts"}),), "text", lambda x: x[0] if x else None),
    "nth": Function(
        (frozenset({"texts"}), _W), "text", lambda x, n: x[n - 1] if len(x) >= n else None, frozenset({1}), _place
    ),
    "alike": Function((_L, _L), "flag", lambda a, b: set(a) == set(b)),
    "overlap": Function((_L, _L), "flag", lambda a, b: not set(a).isdisjoint(b)),
    "multiple": Function((_N, _N), "flag", lambda a, b: b > 0 and abs(_nearest(a / b) * b - a) <= 1e-6),
    "months": Function((_D, _D), "whole", _months),
    "days": Function((_D, _D), "whole", lambda a, b: b - a),
}
"""`part` counts characters from 1, both ends included; `days(a, b)` is from a to b, `months(a, b)` how many
months later in the calendar b is; `alike` lists hold the same, and
`multiple(a, b)` asks whether a is a whole number of b."""
