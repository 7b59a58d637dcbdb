"""Existence, filtering, subsetting and combining (http://hl7.org/fhirpath/N1/#existence, #filtering-and-projection)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cmp_to_key
from typing import Any

from fhir_profiles.fhirpath.context import Context, Items, Step, single, truth
from fhir_profiles.fhirpath.equality import key, order, plain
from fhir_profiles.fhirpath.errors import PathError
from fhir_profiles.fhirpath.functions.table import argument, table
from fhir_profiles.fhirpath.operators import distinct, integer, is_number, too_many, union
from fhir_profiles.fhirpath.values import Node


def each(context: Context, focus: Items) -> Iterator[Items]:
    """Each item alone, as `$this` with its `$index`, while the caller evaluates something on it."""
    this, index = context.this, context.index
    context.spend(len(focus))
    for i, item in enumerate(focus):
        one = [item]
        context.this, context.index = one, i
        yield one
    context.this, context.index = this, index


def _where(context: Context, focus: Items, criteria: Step) -> Items:
    return [one[0] for one in each(context, focus) if truth(criteria(context, one)) is True]


def _select(context: Context, focus: Items, projection: Step) -> Items:
    found: Items = []
    for one in each(context, focus):
        found += projection(context, one)
    return too_many(found)


def _exists(context: Context, focus: Items, criteria: Step | None = None) -> Items:
    return [bool(focus if criteria is None else _where(context, focus, criteria))]


def _empty(_context: Context, focus: Items) -> Items:
    return [not focus]


def _not(_context: Context, focus: Items) -> Items:
    value = truth(focus)
    return [] if value is None else [not value]


def _all(context: Context, focus: Items, criteria: Step) -> Items:
    return [not [one for one in each(context, focus) if truth(criteria(context, one)) is not True]]


def _booleans(focus: Items) -> Items:
    values = [plain(item) for item in focus]
    if all(value is True or value is False for value in values):
        return values
    raise PathError("only booleans may stand here.")


def _all_true(_context: Context, focus: Items) -> Items:
    return [all(_booleans(focus))]


def _any_true(_context: Context, focus: Items) -> Items:
    return [any(_booleans(focus))]


def _all_false(_context: Context, focus: Items) -> Items:
    return [not any(_booleans(focus))]


def _any_false(_context: Context, focus: Items) -> Items:
    return [not all(_booleans(focus))]


def _subset_of(context: Context, focus: Items, other: Step) -> Items:
    others = {key(i) for i in other(context, context.this)}
    return [all(key(i) in others for i in focus)]


def _superset_of(context: Context, focus: Items, other: Step) -> Items:
    mine = {key(i) for i in focus}
    return [all(key(i) in mine for i in other(context, context.this))]


def _count(_context: Context, focus: Items) -> Items:
    return [len(focus)]


def _distinct(context: Context, focus: Items) -> Items:
    return distinct(context, focus)


def _is_distinct(context: Context, focus: Items) -> Items:
    return [len(distinct(context, focus)) == len(focus)]


def _single(_context: Context, focus: Items) -> Items:
    single(focus)
    return focus


def _first(_context: Context, focus: Items) -> Items:
    return focus[:1]


def _last(_context: Context, focus: Items) -> Items:
    return focus[-1:]


def _tail(_context: Context, focus: Items) -> Items:
    return focus[1:]


def _skip(context: Context, focus: Items, number: Step) -> Items:
    return focus[max(integer(argument(context, number)) or 0, 0) :]


def _take(context: Context, focus: Items, number: Step) -> Items:
    return focus[: max(integer(argument(context, number)) or 0, 0)]


def _intersect(context: Context, focus: Items, other: Step) -> Items:
    others = {key(i) for i in other(context, context.this)}
    return [i for i in distinct(context, focus) if key(i) in others]


def _exclude(context: Context, focus: Items, other: Step) -> Items:
    others = {key(i) for i in other(context, context.this)}
    return [i for i in focus if key(i) not in others]


def _union(context: Context, focus: Items, other: Step) -> Items:
    return union(context, focus, other(context, context.this))


def _combine(context: Context, focus: Items, other: Step) -> Items:
    return too_many(focus + other(context, context.this))


def _iif(context: Context, focus: Items, criteria: Step, then: Step, otherwise: Step | None = None) -> Items:
    single(focus)
    this = context.this
    context.this = focus
    chosen = then if truth(criteria(context, focus)) is True else otherwise
    found = [] if chosen is None else chosen(context, focus)
    context.this = this
    return found


def _aggregate(context: Context, focus: Items, aggregator: Step, start: Step | None = None) -> Items:
    outer = context.total
    context.total = [] if start is None else start(context, context.this)
    for one in each(context, focus):
        context.total = too_many(aggregator(context, one))
    found, context.total = context.total, outer
    return found


def _repeat(context: Context, focus: Items, projection: Step) -> Items:
    found: dict[Any, Any] = {}
    level = focus
    while level:
        new: Items = []
        for item in _select(context, level, projection):
            name = (id(item.value), item.key) if isinstance(item, Node) and type(item.value) is dict else key(item)
            if name not in found:
                found[name] = item
                new.append(item)
        level = new
    return too_many(list(found.values()))


def _trace(context: Context, focus: Items, _name: Step, projection: Step | None = None) -> Items:
    """The focus, unchanged: nothing is logged, since it could be anything of a person."""
    if projection is not None:
        _select(context, focus, projection)
    return focus


def sort(keys: list[tuple[Step, bool]]) -> Callable[[Context, Items], Items]:
    """`sort(…)` by keys that may each go downwards; what has no key comes after all that has."""

    def ordered(context: Context, focus: Items) -> Items:
        steps = keys or [(lambda _context, items: items, False)]
        rows = [
            ([plain(single(step(context, one))) for step, _ in steps], one[0])  # its keys and the item
            for one in each(context, focus)
        ]

        def compare(a: Any, b: Any) -> int:
            for (_, down), mine, other in zip(steps, a[0], b[0], strict=True):
                found = _ranked(context, mine, other)
                if found:
                    return -found if down else found
            return 0

        return [item for _, item in sorted(rows, key=cmp_to_key(compare))]

    return ordered


def _ranked(context: Context, one: Any, other: Any) -> int:
    if one is None or other is None:
        return (one is None) - (other is None)
    return order(one, other, context.units) or 0


def _sum(context: Context, focus: Items) -> Items:
    values = [plain(i) for i in focus]
    if not all(is_number(v) for v in values):
        raise PathError("only numbers have a sum.")
    context.spend(len(values))
    return [sum(values)]


FUNCTIONS = table(
    where=_where,
    select=_select,
    exists=_exists,
    empty=_empty,
    not_=_not,
    all=_all,
    allTrue=_all_true,
    anyTrue=_any_true,
    allFalse=_all_false,
    anyFalse=_any_false,
    subsetOf=_subset_of,
    supersetOf=_superset_of,
    count=_count,
    distinct=_distinct,
    isDistinct=_is_distinct,
    single=_single,
    first=_first,
    last=_last,
    tail=_tail,
    skip=_skip,
    take=_take,
    intersect=_intersect,
    exclude=_exclude,
    union=_union,
    combine=_combine,
    iif=_iif,
    aggregate=_aggregate,
    repeat=_repeat,
    trace=_trace,
    sum=_sum,
)
