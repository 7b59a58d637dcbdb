"""What a call says apart from its codes, worked out once for all calls that differ in nothing else.

Finding versions, planning a value set and reading the parameters cost more than the question about one code. So an
operation is `prepare(call, library, instance)`, which looks at nothing that varies and gives what answers calls.
https://hl7.org/fhir/R4/terminology-service.html
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from terminology.operations.call import Call
from terminology.operations.shelf import Library

Json = dict[str, Any]
Told = Callable[[Call], Json]

MOST = 256
"""Preparations that stay at hand."""

LONGEST = 2_000
"""Letters of the parameters of a call whose preparation stays at hand."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation in two stages. `varies` names the parameters that only the second stage looks at."""

    prepare: Callable[[Call, Library, Json | None], Told]
    varies: frozenset[str]

    def __call__(self, call: Call, library: Library, instance: Json | None = None) -> Json:
        """The answer; FhirError when there is none."""
        key = self._key(call) if instance is None else None
        library.settle()
        kept = library.prepared if key is not None else {}
        told = kept.get(key)
        if told is None:
            told = self.prepare(call, library, instance)
            if len(kept) >= MOST:
                kept.clear()
            kept[key] = told
        return told(call)

    def ready(self, call: Call, library: Library) -> Told | None:
        """What answers a call without delay, in a library that is settled; None when that has to be prepared."""
        key = self._key(call)
        return None if key is None else library.prepared.get(key)

    def _key(self, call: Call) -> Hashable:
        """All of a call but its codes; None when that is long, or holds resources."""
        found: list[str] = [call.language]
        for name, value in call.parameters:
            if name in self.varies or name == "uuid":
                continue
            if type(value) is str:
                found += name, value
            elif name == "coding" and isinstance(value, dict):
                system, version = value.get("system"), value.get("version")
                if not isinstance(system, str) or not isinstance(version, str | None):
                    return None
                found += name, system, version or ""
            else:
                return None
        return None if sum(map(len, found)) > LONGEST else (self.prepare, *found)
