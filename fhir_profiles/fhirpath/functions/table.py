"""How functions are written down: a callable and how many arguments it takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from fhir_profiles.fhirpath.context import Context, Items, Step, single


class Function(NamedTuple):
    """`call(context, focus, *argument steps)`, with `least` to `most` arguments."""

    call: Callable[..., Items]
    least: int
    most: int


def table(**calls: Callable[..., Items]) -> dict[str, Function]:
    """Functions by their FHIRPath names (a `_` at the end of a name falls away)."""
    found = {}
    for name, call in calls.items():
        given = list(inspect.signature(call).parameters.values())[2:]
        least = sum(p.default is inspect.Parameter.empty and p.kind is not p.VAR_POSITIONAL for p in given)
        most = 64 if any(p.kind is p.VAR_POSITIONAL for p in given) else len(given)
        found[name.rstrip("_")] = Function(call, least, most)
    return found


def argument(context: Context, step: Step) -> Any:
    """The only item of an argument, evaluated where the function is called; None for none."""
    return single(step(context, context.this))
