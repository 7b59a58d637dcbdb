"""A compiled expression and its evaluation (http://hl7.org/fhirpath/N1/)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from fhir_profiles.fhirpath.values import Node

Resolve = Callable[[str], dict[str, Any] | None]


class Path:
    """An expression, compiled once and evaluated any number of times, in any thread."""

    def __init__(self, expression: str) -> None:
        self.expression = expression

    def evaluate(
        self,
        resource: dict[str, Any],
        *,
        focus: Node | None = None,
        env: Mapping[str, Any] | None = None,
        resolve: Resolve | None = None,
    ) -> list[Any]:
        """The JSON values that the expression selects from `resource`, or from `focus` inside of it."""
        raise NotImplementedError

    def nodes(self, resource: dict[str, Any], *, focus: Node | None = None) -> list[Any]:
        """Like `evaluate`, but with Nodes where the result stands in the resource."""
        raise NotImplementedError

    def holds(self, resource: dict[str, Any], *, focus: Node | None = None) -> bool:
        """Whether an invariant holds; what cannot be decided holds."""
        raise NotImplementedError


@lru_cache(maxsize=4_096)
def compile(expression: str) -> Path:
    """The expression as a Path; FhirError(INCORRECT) when it is not FHIRPath."""
    return Path(expression)
