"""The operations that the server answers as `$name` (https://hl7.org/fhir/R4/operations.html)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from fhir_profiles.capability import Declared
from fhir_profiles.errors import Category, FhirError
from server.access.caller import Caller
from server.access.grants import Right
from server.access.reach import rules_of
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
    One that is `for_all` touches nobody's data, or does so by requests of its caller: everyone may call it. One that is
    `for_services` does so too, for whole types at a time: it is for callers with grants at system level. One with
    `needs` acts as the server on types of which the caller must have all: a type with the letters of its rights.
    Those who look after the server may call every operation.
    One that `gives` another media type than FHIR's may be asked for that in Accept.
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
    for_all: bool = False
    for_services: bool = False
    needs: tuple[tuple[str, str], ...] = ()
    gives: str = ""

    def admit(self, caller: Caller) -> None:
        """403 for a caller that it is not open to."""
        if self.for_all or caller.admin or caller.whole:
            return
        if self.for_services and any(grant.level == "system" for grant in caller.grants or ()):
            return
        if self.needs and all(rules_of(caller, name, right) is None for name, right in _each(self.needs)):
            return
        told = "services with scopes at system level" if self.for_services else "those who look after this server"
        if self.needs:
            told = " ".join(f"{name}.{rights}" for name, rights in self.needs)
            told = f"callers that have all of {told}, whomever it is about"
        raise FhirError.of(Category.FORBIDDEN, "forbidden", f"${self.name} is for {told}.")


def _each(needs: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, Right]]:
    for name, rights in needs:
        for right in rights:
            yield name, right  # type: ignore[misc]


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
