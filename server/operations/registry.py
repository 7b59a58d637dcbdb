"""The operations that the server answers as `$name` (https://hl7.org/fhir/R4/operations.html)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from fhir_profiles.capability import Declared
from server.interactions.exchange import Request, Response

Level = Literal["system", "type", "instance"]
Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation: where it may be called, with which methods, and the coroutine that answers it.

    `name` has no `$`; `types` is None when the operation is known on every type; the handler gets the
    request as it came (`path` still end in `$name`) and raises FhirError for everything that is wrong.
    `longest` is the most bytes of a body that it takes, where that is less than the settings allow.
    With `raw` the body may be of any Content-Type, which the handler finds in `content_type`.
    One that `defers` answers `Prefer: respond-async` itself.
    `definition` is the canonical URL of its OperationDefinition, for the CapabilityStatement.
    """

    name: str
    levels: frozenset[Level]
    handler: Handler
    types: frozenset[str] | None = None
    methods: frozenset[str] = frozenset({"POST"})
    definition: str = ""
    raw: bool = False
    defers: bool = False
    longest: int | None = None


class Operations:
    """All operations of a server, found by the path they are called with."""

    def __init__(self, operations: Iterable[Operation] = ()) -> None:
        self._all = tuple(operations)
        self._named: dict[tuple[Level, str], tuple[Operation, ...]] = {}
        for one in self._all:
            for level in one.levels:
                key = level, f"${one.name}"
                self._named[key] = (*self._named.get(key, ()), one)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._all)

    def declared(self) -> tuple[Declared, ...]:
        """Each operation as the CapabilityStatement and OpenAPI tell it."""
        return tuple(
            Declared(
                o.name,
                o.definition,
                tuple(sorted(o.levels)),
                None if o.types is None else tuple(sorted(o.types)),
                tuple(sorted(o.methods)),
                o.raw,
            )
            for o in self._all
        )

    def find(self, parts: tuple[str, ...]) -> Operation | None:
        """The operation that a path below the FHIR base calls, or None."""
        if not parts or len(parts) > 3:
            return None
        level = _LEVELS[len(parts)]
        for operation in self._named.get((level, parts[-1]), ()):
            if level == "system" or operation.types is None or parts[0] in operation.types:
                return operation
        return None


_LEVELS: dict[int, Level] = {1: "system", 2: "type", 3: "instance"}
