"""How a defect is told: the kind of claim that it is done to, the change, and what else it cannot help breaking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
Change = Callable[[Json], None]


@dataclass(frozen=True, slots=True)
class Defect:
    """`change` alters a Claim of the kind `base` in place; `also` are rules that the same fault breaks by its nature."""

    rule: str
    change: Change
    base: str = "professional"
    also: frozenset[str] = frozenset()


DEFECTS: dict[str, Defect] = {}


def breaks(rule: str, base: str = "professional", also: tuple[str, ...] = ()) -> Callable[[Change], Change]:
    """Register the decorated function as the defect of a rule."""

    def register(change: Change) -> Change:
        assert rule not in DEFECTS, rule
        DEFECTS[rule] = Defect(rule, change, base, frozenset(also))
        return change

    return register


def contained(claim: Json, id: str) -> Json:
    """A resource that the claim contains: p patient, o billing provider, r rendering provider, y payer, v coverage."""
    found: Json = next(one for one in claim["contained"] if one["id"] == id)
    return found
