"""A unit as a number and powers of base units (https://ucum.org/ucum#section-Semantics)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

BASES = ("g", "m", "s", "rad", "K", "C", "cd")  # arbitrary units follow in the order of their codes
ONE = Fraction(1)


@dataclass(frozen=True)
class Unit:
    """`factor` × the powers in `dimension`; a `function` stands before units that are no ratio scale (Cel, [pH], B).

    `broken` marks what the grammar allows but no quantity can have: a special unit multiplied or raised.
    """

    factor: Fraction = ONE
    dimension: tuple[tuple[str, int], ...] = ()
    function: str = ""
    scale: Fraction = ONE  # of a special unit: the prefix or number before it
    broken: bool = False

    def times(self, other: Unit, power: int = 1) -> Unit:
        """The product with `other` raised to `power`."""
        if other.function or self.function:
            return self._special_times(other, power)
        powers = dict(self.dimension)
        for base, exponent in other.dimension:
            powers[base] = powers.get(base, 0) + exponent * power
        factor = self.factor * other.factor**power
        return Unit(factor, _ordered(powers.items()), broken=self.broken or other.broken)

    def _special_times(self, other: Unit, power: int) -> Unit:
        """A special unit takes a plain number before or behind it and nothing else."""
        special, number, number_power = (self, other, power) if self.function else (other, self, 1)
        raised = special is other and power != 1
        if raised or number.function or number.dimension:
            return Unit(special.factor, special.dimension, broken=True)
        scale = special.scale * number.factor**number_power
        return Unit(special.factor, special.dimension, special.function, scale, special.broken or number.broken)

    @cached_property
    def base(self) -> str:
        """The code of the canonical unit: `g.m-3`, `s-1`, `[iU].m-3`; `1` when there is no dimension."""
        return ".".join(base if power == 1 else f"{base}{power}" for base, power in self.dimension) or "1"


def _ordered(powers: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((p for p in powers if p[1]), key=_rank))


def _rank(power: tuple[str, int]) -> tuple[int, str]:
    base = power[0]
    return (BASES.index(base) if base in BASES else len(BASES), base)
