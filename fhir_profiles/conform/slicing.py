"""Slices: which items belong to which, and what each slice asks (https://hl7.org/fhir/R4/profiling.html#slicing)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fhir_profiles.conform.discriminators import Matches, matcher
from fhir_profiles.conform.items import Item
from fhir_profiles.conform.rules import Slicing
from fhir_profiles.conform.run import Run
from fhir_profiles.conform.tree import Node, without
from fhir_profiles.conform.values import Check, Compile, value_check

SlicesCheck = Callable[[list[Item], str, Run], None]
_DEFAULT = "@default"


@dataclass(frozen=True, slots=True)
class _Slice:
    """One slice, ready to run. A type that a choice may have is not missed when another one is there."""

    name: str
    matches: Matches
    minimum: int
    maximum: int
    must_support: bool
    choice: bool
    value: Check | None
    inner: SlicesCheck | None


def slicing_check(node: Node, label: str, compile_child: Compile) -> SlicesCheck:
    """A check that gives each item of an element to its slice, then asks of each slice what it asks."""
    slicing = node.slicing or Slicing(())
    slices = [_compile(name, s, node, slicing, label, compile_child) for name, s in node.slices.items()]
    default = next((s for s in slices if s.name == _DEFAULT), None)
    named = [s for s in slices if s is not default]
    stray = f"{label}: this fits none of the slices {', '.join(s.name for s in named)}, and no other may be."

    def check(items: list[Item], place: str, run: Run) -> None:
        groups: dict[str, list[Item]] = {}
        unknown = False
        last, loose = 0, False
        for item in items:
            found = _slice_of(item, named, run)
            if found is None:
                unknown = True
                run.not_checked(f"which slice of {label} this belongs to.", item[3])
            elif found < 0:
                loose = True
                if default is not None:
                    groups.setdefault(_DEFAULT, []).append(item)
                elif slicing.rules == "closed":
                    run.add("error", "structure", stray, item[3])
            else:
                groups.setdefault(named[found].name, []).append(item)
                if (slicing.ordered and found < last) or (loose and slicing.rules == "openAtEnd"):
                    run.add("error", "structure", f"{label}: the slice {named[found].name} is out of order.", item[3])
                last = max(last, found)
        for one in slices:
            _ask(one, groups.get(one.name, []), place, label, run, unknown, bool(items))

    return check


def _compile(name: str, one: Node, whole: Node, slicing: Slicing, label: str, compile_child: Compile) -> _Slice:
    own = without(one, whole)
    value = value_check(own, label, compile_child)
    return _Slice(
        name,
        matcher(one, slicing, value),
        one.minimum,
        one.maximum,
        one.must_support,
        one.element is not None and one.element.choice,
        value,
        slicing_check(one, label, compile_child) if one.slices else None,
    )


def _slice_of(item: Item, slices: list[_Slice], run: Run) -> int | None:
    """The number of the first slice that an item belongs to, -1 for none, None when it cannot be told."""
    doubtful = False
    for number, one in enumerate(slices):
        answer = one.matches(item, run)
        if answer:
            return number
        doubtful = doubtful or answer is None
    return None if doubtful else -1


def _ask(one: _Slice, items: list[Item], place: str, label: str, run: Run, unknown: bool, anything: bool) -> None:
    count = len(items)
    if count < one.minimum:
        if unknown:
            run.not_checked(f"whether the slice {one.name} of {label} is there.", place)
        else:
            text = f"{label}: the slice {one.name} is needed {one.minimum} times; {count} are there."
            run.add("error", "required", text, place)
    elif one.maximum != -1 and count > one.maximum:
        text = f"{label}: the slice {one.name} may be given {one.maximum} times."
        run.add("error", "structure", text, place)
    if not count and one.must_support and run.must_support and not (one.choice and anything):
        run.add("information", "informational", f"{label}: the slice {one.name} is must-support and absent.", place)
    if one.value is not None:
        for item in items:
            one.value(item, run)
    if one.inner is not None and items:
        one.inner(items, place, run)
