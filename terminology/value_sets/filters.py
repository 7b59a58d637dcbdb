"""The filters of a value set (https://hl7.org/fhir/R4/valueset-filter-operator.html)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from fhir_profiles.errors import Category, FhirError
from terminology.effort import step
from terminology.value_sets import own, snomed
from terminology.value_sets.members import Answer
from terminology.value_sets.systems import System

ITSELF = ("concept", "code")  # names of the code itself
MAX_PATTERN = 1_000
MAX_PROGRAM = 1 << 20  # bytes that a compiled pattern may take

Test = Callable[[str], Answer]


@dataclass(frozen=True)
class Filter:
    """A test, and what lists the codes that can pass it (None: they have no list); `exact` when it lists no others."""

    test: Test
    codes: Callable[[], Iterable[str] | None] | None = None
    exact: bool = False


def read_filter(system: System | None, declared: dict[str, Any]) -> Filter:
    """A filter over a system (None: not loaded); FhirError for one that cannot be understood."""
    name, op, value = (str(declared.get(key, "")) for key in ("property", "op", "value"))
    if (chosen := snomed.selection(system, name, op, value)) is not None:
        return Filter(chosen.__contains__, lambda: chosen, exact=True)
    if (found := own.selection(system, name, op, value)) is not None:
        return Filter(found.__contains__, lambda: found, exact=True)
    make = _OPERATORS.get(op)
    if make is None:
        text = f"A filter has an operator that is not supported here: use one of {', '.join(_OPERATORS)}"
        raise FhirError.of(Category.UNSUPPORTED, "not-supported", text, _PLACE)
    return make(system, name, value)


_PLACE = "ValueSet.compose.include.filter"


def _is_a(system: System | None, _: str, value: str) -> Filter:
    if system is None:
        return Filter(lambda code: True if code == value else None, lambda: (value,))
    below = system.is_below
    return Filter(lambda code: below(code, value), lambda: system.below(value) or (), exact=True)


def _descendent_of(system: System | None, _: str, value: str) -> Filter:
    if system is None:
        return Filter(lambda code: False if code == value else None)
    below, itself = system.is_below, system.fold(value)
    return Filter(
        lambda code: False if system.fold(code) == itself else below(code, value),
        lambda: [code for code in system.below(value) or () if system.fold(code) != itself],
        exact=True,
    )


def _child_of(system: System | None, _: str, value: str) -> Filter:
    if system is None:
        return Filter(lambda code: False if code == value else None)

    def passes(code: str) -> Answer:
        exists = system.has(code)
        parents = system.values(code, "parent") if exists else None
        return exists and (None if parents is None else value in parents)

    return Filter(passes, lambda: [code for code in system.below(value) or () if passes(code)], exact=True)


def _is_not_a(system: System | None, name: str, value: str) -> Filter:
    test = _is_a(system, name, value).test
    return Filter(lambda code: _both(_exists(system, code), _not(test(code))))


def _generalizes(system: System | None, _: str, value: str) -> Filter:
    if system is None:
        return Filter(lambda code: True if code == value else None, lambda: (value,))
    above = system.is_below
    return Filter(
        lambda code: _both(_exists(system, code), above(value, code)), lambda: system.above(value) or (), exact=True
    )


def _equals(system: System | None, name: str, value: str) -> Filter:
    return _among(system, name, (value,))


def _in(system: System | None, name: str, value: str) -> Filter:
    return _among(system, name, tuple(v.strip() for v in value.split(",")))


def _among(system: System | None, name: str, wanted: tuple[str, ...]) -> Filter:
    if name in ITSELF:
        chosen = frozenset(system.fold(v) if system else v for v in wanted)
        return Filter(
            lambda code: _both((system.fold(code) if system else code) in chosen, _exists(system, code)),
            lambda: wanted,
        )
    chosen = frozenset(wanted)
    return _by_values(system, name, lambda values: not chosen.isdisjoint(values))


def _not_in(system: System | None, name: str, value: str) -> Filter:
    if name in ITSELF:
        test = _in(system, name, value).test
        return Filter(lambda code: _both(_exists(system, code), _not(test(code))))
    chosen = frozenset(v.strip() for v in value.split(","))
    return _by_values(system, name, chosen.isdisjoint)


def _exists_filter(system: System | None, name: str, value: str) -> Filter:
    wanted = value.lower() == "true"
    return _by_values(system, name, lambda values: bool(values) is wanted)


def _regex(system: System | None, name: str, value: str) -> Filter:
    pattern = compile_pattern(value)
    if system is None and name in ITSELF:
        return Filter(lambda code: None if pattern(code) else False)
    return _by_values(system, "code" if name in ITSELF else name, lambda values: any(map(pattern, values)))


def _by_values(system: System | None, name: str, test: Callable[[list[str]], bool]) -> Filter:
    """A filter by what a test says of the values of a property of a code that exists."""

    def passes(code: str) -> Answer:
        step()
        if system is None:
            return None
        exists = system.has(code)
        if exists is not True:
            return exists
        values = system.values(code, name)
        return None if values is None else test(values)

    return Filter(passes, lambda: system.having(name, test) if system else (), exact=True)


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Callable[[str], bool]:
    """A test whether a whole text matches, in time linear in the text; FhirError for a pattern that cannot be so."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_PROGRAM
    try:
        if len(pattern) > MAX_PATTERN:
            raise ValueError
        compiled = re2.compile(pattern, options)
    except (re2.error, ValueError) as error:
        text = "The pattern of a filter is not a regular expression, or one that could take too long"
        raise FhirError.of(Category.INCORRECT, "invalid", text, f"{_PLACE}.value") from error
    return lambda text: compiled.fullmatch(text) is not None


def _exists(system: System | None, code: str) -> Answer:
    return system.has(code) if system else None


def _not(answer: Answer) -> Answer:
    return None if answer is None else not answer


def _both(a: Answer, b: Answer) -> Answer:
    return False if a is False or b is False else None if a is None or b is None else True


_OPERATORS: dict[str, Callable[[System | None, str, str], Filter]] = {
    "is-a": _is_a,
    "descendent-of": _descendent_of,
    "child-of": _child_of,
    "is-not-a": _is_not_a,
    "generalizes": _generalizes,
    "=": _equals,
    "in": _in,
    "not-in": _not_in,
    "exists": _exists_filter,
    "regex": _regex,
}
