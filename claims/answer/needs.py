"""What a guide asks of a resource, as data: who lacks what, in sentences (see benefit.toml)."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from claims.answer.benefit_parties import Beside, codings

Json = dict[str, Any]


class Need(msgspec.Struct, frozen=True):
    """One thing that a guide asks for: `has`, `refers`, `coded` and `slice` must all be met where they are named.

    shapes: those it holds for, all where none is named; each: of every element there; has: paths, one of which is
    there; refers: a reference to one of `kinds`; coded: a concept with one of `codes`; slice: a list with an element
    whose `by` is one of `codes` and which has `also`.
    """

    says: str
    shapes: tuple[str, ...] = ()
    each: str = ""
    has: tuple[str, ...] = ()
    refers: str = ""
    kinds: tuple[str, ...] = ()
    slice: str = ""
    coded: str = ""
    by: str = ""
    codes: str = ""
    also: str = ""


class Needs(msgspec.Struct, frozen=True):
    """All that a guide asks for, and the sets of codes (`system|code`, `system|*`) that it names."""

    need: tuple[Need, ...]
    codes: dict[str, tuple[str, ...]] = {}


@cache
def read_needs(package: str, name: str) -> Needs:
    """Those of a file of a package."""
    return msgspec.convert(tomllib.loads((files(package) / name).read_text("utf-8")), Needs)


def lacking(needs: Needs, found: Json, beside: Beside, shape: str = "") -> list[str]:
    """What a resource lacks; empty where that is nothing."""

    def met(need: Need, element: Json) -> bool:
        wanted = needs.codes.get(need.codes, ())
        if need.has and not any(_at(element, path) for path in need.has):
            return False
        if need.refers and beside.kind(element.get(need.refers)) not in need.kinds:
            return False
        if need.coded and not is_of(element.get(need.coded), wanted):
            return False
        return not need.slice or any(
            is_of(one.get(need.by), wanted) and need.also in one for one in element.get(need.slice, ())
        )

    return [
        need.says
        for need in needs.need
        if (not need.shapes or shape in need.shapes) and not all(met(need, one) for one in _each(found, need.each))
    ]


def _each(found: Json, path: str) -> list[Json]:
    return list(found.get(path, ())) if path else [found]


def _at(element: Json, path: str) -> Any:
    value: Any = element
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def is_of(concept: Any, wanted: tuple[str, ...]) -> bool:
    """Whether a CodeableConcept has one of the codes."""
    return any(
        f"{one.get('system')}|{one.get('code')}" in wanted or f"{one.get('system')}|*" in wanted
        for one in codings(concept)
    )
