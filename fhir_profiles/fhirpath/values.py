"""What FHIRPath collections hold (http://hl7.org/fhirpath/N1/#collections)."""

from __future__ import annotations

from typing import Any


class Node:
    """A value of a resource with its FHIR type and the place where it stands.

    `type` names a type of the definitions (`HumanName`, `code`, `Patient.contact`), `shadow` is the `_x` sibling of a
    primitive; `owner[key]`, or `owner[key][index]` where `index` is not None, is the value itself.
    """

    __slots__ = ("index", "key", "owner", "shadow", "type", "value")

    def __init__(
        self,
        value: Any,
        type: str,
        shadow: dict[str, Any] | None = None,
        owner: dict[str, Any] | None = None,
        key: str = "",
        index: int | None = None,
    ) -> None:
        self.value = value
        self.type = type
        self.shadow = shadow
        self.owner = owner
        self.key = key
        self.index = index


def node(value: Any, type: str = "") -> Node:
    """A value as a focus; a resource knows its type itself."""
    return Node(value, type or value["resourceType"])
