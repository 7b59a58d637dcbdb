"""The code systems that value sets are made of, whatever holds them (https://hl7.org/fhir/R4/codesystem.html#content).

Questions have three answers: yes, no, and None where the system at hand is a part and cannot tell.
"""

# ruff: noqa: D102 - what the methods promise stands in the protocol

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Iterable, Set
from functools import lru_cache
from typing import Any, Protocol

from fhir_profiles.systems import BCP13, BCP47, SUBDIVISION, TIME_ZONES, UCUM
from terminology import ucum
from terminology.code_system import CodeSystem
from terminology.effort import step
from terminology.language import is_language
from terminology.media_type import is_media_type

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

    def below(self, code: str) -> Set[str] | None:
        """The code and those below it; None when the code is not listed."""

    def above(self, code: str) -> Set[str] | None:
        """The code and those above it; None when the code is not listed."""

    def is_below(self, code: str, ancestor: str) -> Answer:
        """Whether a code is another or lies below it."""

    def values(self, code: str, name: str) -> list[str] | None:
        """The values of a property as text; None when they cannot be told."""

    def having(self, name: str, test: Test) -> Iterable[str] | None:
        """The listed codes whose values of a property pass a test; None when they cannot be listed."""


def text_of(value: Any) -> str:
    """A property's value as filters compare it: true, false, the code of a Coding."""
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
        found = [] if position is None else [text_of(v) for v in self._of.values(position, name)]
        return found if found or self.complete else None

    def having(self, name: str, test: Test) -> Iterable[str]:
        for code in self._of.codes:
            step()
            values = self.values(code, name)
            if values is not None and test(values):
                yield code


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
