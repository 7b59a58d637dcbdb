"""A compiled expression and its evaluation (http://hl7.org/fhirpath/N1/)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from fhir_profiles.fhirpath.context import Context
from fhir_profiles.fhirpath.engine import compiled
from fhir_profiles.fhirpath.errors import PathError
from fhir_profiles.fhirpath.temporal import Temporal
from fhir_profiles.fhirpath.values import Node, Quantity, node
from fhir_profiles.systems import UCUM


class Path:
    """An expression, compiled once and evaluated any number of times, in any thread."""

    __slots__ = ("_step", "expression")

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self._step = compiled(expression)

    def evaluate(self, resource: dict[str, Any], *, focus: Node | None = None, **more: Any) -> list[Any]:
        """The JSON values that the expression selects from `resource`, or from `focus` inside of it.

        `more` may be: `root` (the Node of the outermost resource, when `resource` is contained), `env` (values of
        %variables), `resolve(reference) -> resource | None`, `member_of(node, value_set) -> bool | None`,
        `conforms_to(node, profile) -> bool | None`, `units(value, code) -> (value, base units) | None`, `now` and
        `steps` (how much the evaluation may do). Without `resolve` a reference that names a type resolves to an empty
        resource of that type. Dates are given as text and quantities as Quantity. PathError when it cannot be done.
        """
        return [_as_json(item) for item in self.nodes(resource, focus=focus, **more)]

    def nodes(self, resource: dict[str, Any], *, focus: Node | None = None, **more: Any) -> list[Any]:
        """Like `evaluate`, but with Nodes for what stands in the resource and System values for the rest."""
        of = node(resource)
        at = focus or of
        try:
            return self._step(Context(of, at, **more), [at])
        except ArithmeticError:
            raise PathError("a number is too large or too fine to calculate with.") from None

    def holds(self, resource: dict[str, Any], *, focus: Node | None = None, **more: Any) -> bool:
        """Whether an invariant holds; what cannot be decided (the result is empty) holds."""
        found = self.nodes(resource, focus=focus, **more)
        return all(_as_json(item) is not False for item in found)


def _as_json(item: Any) -> Any:
    if isinstance(item, Node):
        return item.value
    if isinstance(item, Temporal):
        return str(item)
    if isinstance(item, Quantity):
        if item.calendar or not item.ucum:
            return {"value": item.value, "unit": item.unit}
        return {"value": item.value, "system": UCUM, "code": item.unit}
    return item


@lru_cache(maxsize=4_096)
def compile(expression: str) -> Path:
    """The expression as a Path; PathError (a FhirError INCORRECT) when it is not FHIRPath."""
    return Path(expression)
