"""What one evaluation knows and may spend (https://hl7.org/fhir/R4/fhirpath.html#variables)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from fhir_profiles.fhirpath import units
from fhir_profiles.fhirpath.equality import Units
from fhir_profiles.fhirpath.errors import PathError, TooCostly
from fhir_profiles.fhirpath.values import Node

Items = list[Any]
Step = Callable[["Context", Items], Items]
"""A compiled expression: the items it gives for a focus."""
Resolve = Callable[[str], "dict[str, Any] | None"]
MemberOf = Callable[[Node, str], "bool | None"]
ConformsTo = Callable[[Node, str], "bool | None"]

MAX_STEPS = 250_000
MAX_ITEMS = 100_000
MAX_TEXT = 4_194_304


class Context:
    """One evaluation: its variables, its services, and what is left to spend."""

    __slots__ = (
        *("conforms_to", "context", "env", "index", "left", "member_of", "now", "resolve", "resource", "root"),
        *("this", "total", "units"),
    )

    def __init__(
        self,
        resource: Node,
        focus: Node,
        *,
        root: Node | None = None,
        env: Mapping[str, Any] | None = None,
        resolve: Resolve | None = None,
        member_of: MemberOf | None = None,
        conforms_to: ConformsTo | None = None,
        units: Units = units.canonical,
        now: datetime | None = None,
        steps: int = MAX_STEPS,
    ) -> None:
        self.resource = resource
        self.root = root or resource
        self.context = [focus]
        self.this: Items = [focus]
        self.index = 0
        self.total: Items = []
        self.env = env
        self.resolve = resolve
        self.member_of = member_of
        self.conforms_to = conforms_to
        self.units = units
        self.now = now
        self.left = steps

    def spend(self, steps: int) -> None:
        """Count work done; TooCostly when there was too much."""
        self.left -= steps
        if self.left < 0:
            raise TooCostly("the evaluation takes too many steps.")

    def moment(self) -> datetime:
        """The moment of this evaluation, the same however often it is asked."""
        if self.now is None:
            self.now = datetime.now(UTC).astimezone()
        return self.now


def single(items: Items) -> Any:
    """The only item, None for none; PathError for more."""
    if not items:
        return None
    if len(items) > 1:
        raise PathError("several items stand where there may be one.", "multiple-matches")
    return items[0]


def truth(items: Items) -> bool | None:
    """A collection as a condition: none is None, one that is no boolean is true; PathError for more."""
    if not items:
        return None
    item = single(items)
    if item is True or item is False:
        return bool(item)
    if isinstance(item, Node) and item.type == "boolean" and item.value is not None:
        return bool(item.value)
    return True
