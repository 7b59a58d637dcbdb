"""The code systems that value sets are made of, whatever holds them (https://hl7.org/fhir/R4/codesystem.html#content).

Questions have three answers: yes, no, and None where the system at hand is a part and cannot tell.
"""

# ruff: noqa: D102 - what the methods promise stands in the protocol

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from fhir_profiles.systems import BCP13, BCP47, SUBDIVISION, TIME_ZONES, UCUM
from terminology import ucum
from terminology.code_system import CodeSystem
from terminology.language import is_language
from terminology.media_type import is_media_type
from terminology.model import Concept
from terminology.shapes import SHAPES

if TYPE_CHECKING:
    from terminology.terminology import Terminology

Answer = bool | None
Test = Callable[[list[str]], bool]


class System(Protocol):
    """A code system that can be asked."""

    @property
    def complete(self) -> bool:
        """Whether what it lists is all there is."""

    def fold(self, code: str) -> str:
        """The code as it is compared: folded where case does not count."""

    def has(self, code: str) -> Answer:
        """Whether the code exists."""

    def codes(self) -> Iterable[str] | None:
        """The codes it lists; None when they cannot be listed."""

    def active(self, code: str) -> bool:
        """Whether the code is in use."""

    def below(self, code: str) -> frozenset[str] | None:
        """The code and those below it; None when the code is not listed."""

    def above(self, code: str) -> frozenset[str] | None:
        """The code and those above it; None when the code is not listed."""

    def is_below(self, code: str, ancestor: str) -> Answer:
        """Whether a code is another or lies below it."""

    def values(self, code: str, name: str) -> list[str] | None:
        """The values of a property as text; None when they cannot be told."""

    def having(self, name: str, test: Test) -> Iterable[str] | None:
        """The listed codes whose values of a property pass a test; None when they cannot be listed."""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value.get("code", "")) if isinstance(value, dict) else str(value)


class Listed:
    """A code system of HL7, or a CodeSystem resource."""

    def __init__(self, of: CodeSystem) -> None:
        self._of = of
        self.complete = of.complete

    def fold(self, code: str) -> str:
        return code if self._of.sensitive else code.casefold()

    def has(self, code: str) -> Answer:
        return True if self._of.position(code) is not None else False if self.complete else None

    def codes(self) -> Iterable[str]:
        return self._of.codes

    def active(self, code: str) -> bool:
        position = self._of.position(code)
        return position is None or not self._of.inactive(position)

    def below(self, code: str) -> frozenset[str] | None:
        position = self._of.position(code)
        return None if position is None else frozenset(self._of.codes[p] for p in self._of.below(position))

    def above(self, code: str) -> frozenset[str] | None:
        position = self._of.position(code)
        return None if position is None else frozenset(self._of.codes[p] for p in self._of.above(position))

    def is_below(self, code: str, ancestor: str) -> Answer:
        position, outer = self._of.position(code), self._of.position(ancestor)
        if position is None or outer is None:
            return False if self.complete else None
        return self._of.is_below(position, outer)

    def values(self, code: str, name: str) -> list[str] | None:
        position = self._of.position(code)
        found = [] if position is None else [_text(v) for v in self._of.values(position, name)]
        return found if found or self.complete else None

    def having(self, name: str, test: Test) -> Iterable[str]:
        return (code for code in self._of.codes if (v := self.values(code, name)) is not None and test(v))


class Loaded:
    """One edition of a loaded code system; chapters and blocks are its headings, not its codes."""

    def __init__(self, terminology: Terminology, system: str, version: str) -> None:
        self._ask = terminology
        self._key = system, version
        edition = terminology.edition(system, None, version)
        self.complete = edition is not None and edition.content == "complete"
        self._shape = SHAPES.get(system)

    def _find(self, code: str) -> Concept | None:
        system, version = self._key
        found = self._ask.lookup(system, code, version)
        return None if found is None or found.group else found

    def fold(self, code: str) -> str:
        return code

    def has(self, code: str) -> Answer:
        if self._find(code) is not None:
            return True
        return False if self.complete or (self._shape and not self._shape.fullmatch(code)) else None

    def codes(self) -> Iterable[str]:
        return (c.code for c in self._ask.concepts(*self._key) if not c.group)

    def active(self, code: str) -> bool:
        found = self._find(code)
        return found is None or found.active

    def below(self, code: str) -> frozenset[str] | None:
        system, version = self._key
        if self._ask.lookup(system, code, version) is None:
            return None
        itself = (code,) if self._find(code) else ()
        under = self._ask.descendants(system, code, version)
        return frozenset((*itself, *(c.code for c in under if not c.group)))

    def above(self, code: str) -> frozenset[str] | None:
        if self._find(code) is None:
            return None
        system, version = self._key
        over = self._ask.ancestors(system, code, version)
        return frozenset((code, *(c.code for c in over if not c.group)))

    def is_below(self, code: str, ancestor: str) -> Answer:
        system, version = self._key
        if self._ask.subsumes(system, ancestor, code, version):
            return True
        if self.complete:
            return False
        return None if self._find(code) is None or self._ask.lookup(system, ancestor, version) is None else False

    def values(self, code: str, name: str) -> list[str] | None:
        found = self._find(code)
        if found is None:
            return [] if self.complete else None
        return self._values(found, name)

    def having(self, name: str, test: Test) -> Iterable[str]:
        concepts = (c for c in self._ask.concepts(*self._key) if not c.group)
        return (c.code for c in concepts if (v := self._values(c, name)) is not None and test(v))

    def _values(self, found: Concept, name: str) -> list[str] | None:
        known = {"code": found.code, "display": found.display, "billable": found.billable, "parent": found.parent}
        value = known.get(name, found.properties.get(name))
        if value is None:
            return [] if self.complete else None
        return [_text(v) for v in (value if isinstance(value, list) else [value])]


class Grammar:
    """A code system whose codes follow rules and cannot be listed. `test` may leave it open (None)."""

    complete = True

    def __init__(self, test: Callable[[str], Answer], property_: Callable[[str, str], list[str]] | None = None) -> None:
        self.has = test
        self._property = property_

    def fold(self, code: str) -> str:
        return code

    def codes(self) -> Iterable[str] | None:
        return None

    def active(self, code: str) -> bool:  # noqa: ARG002
        return True

    def below(self, code: str) -> frozenset[str] | None:
        return frozenset((code,)) if self.has(code) else None

    above = below

    def is_below(self, code: str, ancestor: str) -> Answer:
        return code == ancestor and self.has(code)

    def values(self, code: str, name: str) -> list[str] | None:
        if name == "code":
            return [code]
        return self._property(code, name) if self._property else None

    def having(self, name: str, test: Test) -> Iterable[str] | None:  # noqa: ARG002
        return None


def _unit_property(code: str, name: str) -> list[str]:
    """`canonical` is the unit in base units, by which all units of a kind can be filtered."""
    unit = ucum.parse(code)
    return [unit.base] if name == "canonical" and unit is not None and not unit.broken else []


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _is_time_zone(code: str) -> Answer:
    """A machine without a time zone database cannot tell."""
    return code in _zones() if _zones() else None


def _is_subdivision(code: str) -> Answer:
    """The parts of countries are not listed here: only the form can be wrong."""
    country, dash, part = code.partition("-")
    formed = dash and len(country) == 2 and country.isalpha() and country.isupper() and part.isalnum() and len(part) < 4
    return None if formed else False


GRAMMARS: dict[str, System] = {
    UCUM: Grammar(ucum.is_valid, _unit_property),
    BCP47: Grammar(is_language),
    BCP13: Grammar(is_media_type),
    TIME_ZONES: Grammar(_is_time_zone),
    SUBDIVISION: Grammar(_is_subdivision),
}
"""Systems by rules."""
