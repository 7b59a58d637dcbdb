"""Read search parameters into a query, refusing or reporting what is not known (https://hl7.org/fhir/R4/search.html)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fhir_profiles.definitions import load
from fhir_profiles.errors import Category, FhirError, Problem

from .custom import STANDARD, Params
from .filter import read_filter
from .nodes import Known, check_size, compartment, read_node
from .query import (
    SORTABLE,
    Branch,
    Include,
    Limits,
    Node,
    Query,
    Sort,
    Total,
    invalid,
    split_values,
    too_costly,
    unsupported,
)

IGNORED = frozenset({"_format", "_pretty"})  # they say how the answer is written, not what it is
TOTALS = ("none", "estimate", "accurate")
SUMMARIES = ("true", "text", "data", "false", "count")


class _Reader:
    """Gathers the parts of a query from its parameters."""

    def __init__(self, types: Sequence[str], known: Known, *, several: bool) -> None:
        self.types = tuple(types)
        self.known = known
        self.limits = limits = known.limits
        self.several = several
        self.conditions: list[tuple[Node, ...]] = []
        self.sorts: list[tuple[Sort, ...]] = []
        self.includes: list[Include] = []
        self.count = limits.default_count
        self.total: Total = "none"
        self.cursor: str | None = None
        self.only_total = False

    def take(self, name: str, value: str) -> None:
        """Understand one parameter; FhirError UNSUPPORTED when it is not one of ours, INCORRECT when it is wrong."""
        match name:
            case "_count":
                self.count = min(_whole(name, value), self.limits.max_count)
            case "_sort":
                for part in filter(None, value.split(",")):
                    self.sorts.append(tuple(_read_sort(name, part, self.known) for name in self.types))
                if len(self.sorts) > self.limits.max_sorts:
                    raise too_costly(f"_sort takes at most {self.limits.max_sorts} keys.")
            case "_total":
                if value not in TOTALS:
                    raise invalid("_total must be none, estimate or accurate.")
                self.total = value  # type: ignore[assignment]
            case "_summary":
                if value not in SUMMARIES:
                    raise invalid(f"_summary must be one of {', '.join(SUMMARIES)}.")
                self.only_total = self.only_total or value == "count"
            case "_elements":
                pass
            case "_cursor":
                self.cursor = value
            case "_contained":
                if value != "false":
                    raise unsupported("Contained resources are not searched; _contained can only be false.")
            case "_containedType":
                raise unsupported("Contained resources are not searched; leave _containedType out.")
            case "_query":
                raise unsupported("There are no named queries here; use search parameters instead of _query.")
            case "_type":
                if not self.several:
                    raise unsupported("_type is for searches over several types; the URL names the type here.")
            case _ if name.partition(":")[0] in ("_include", "_revinclude"):
                self.includes.append(_read_include(name, value, self.known))
            case _:
                read = read_filter if name == "_filter" else read_node
                self.conditions.append(tuple(read(of, name, value, self.known) for of in self.types))
                if len(self.conditions) > self.limits.max_conditions:
                    raise too_costly(f"A search takes at most {self.limits.max_conditions} parameters.")

    def branches(self) -> tuple[Branch, ...]:
        """What is asked of each type."""
        return tuple(
            Branch(name, tuple(nodes[n] for nodes in self.conditions), tuple(keys[n] for keys in self.sorts))
            for n, name in enumerate(self.types)
        )


def read_query(
    types: str | Sequence[str],
    pairs: Iterable[tuple[str, str]],
    *,
    strict: bool,
    limits: Limits,
    base_url: str = "",
    path: str | None = None,
    within: tuple[str, str] | None = None,
    params: Params = STANDARD,
) -> Query:
    """The query that the parameters make. An unknown one is an error when `strict`, else reported in the query.

    `types` is the type in the URL, or those that a search without one can find; `path` is what the URL says instead,
    `within` the type and id whose compartment is searched; `params` are the parameters that there are.
    """
    pairs = tuple(pairs)
    several = not isinstance(types, str)
    names = (types,) if isinstance(types, str) else _wanted_types(types, pairs)
    reader = _Reader(names, Known(limits, params), several=several)
    if within is not None:
        reader.conditions.append(tuple(compartment(*within, name) for name in names))
    used: list[tuple[str, str]] = []
    problems: list[Problem] = []
    for name, value in pairs:
        if name in IGNORED:
            continue
        if "\0" in value or "\0" in name:
            raise invalid("A search parameter holds a NUL character, which no stored value has.")
        if not value:
            continue  # as the specification asks: a parameter without a value is as if absent
        try:
            reader.take(name, value)
        except FhirError as error:
            if strict or error.category is not Category.UNSUPPORTED:
                raise
            problems += [Problem("warning", problem.code, f"Ignored: {problem.text}") for problem in error.problems]
        else:
            if name != "_cursor":
                used.append((name, value))
    branches = reader.branches()
    for branch in branches:
        check_size(branch.conditions, limits)
    return Query(
        path=path if path is not None else "" if several else names[0],
        branches=branches,
        includes=tuple(reader.includes),
        count=reader.count,
        total="accurate" if reader.only_total else reader.total,
        cursor=reader.cursor,
        used=tuple(used),
        problems=tuple(problems),
        base_url=base_url,
        limits=limits,
        only_total=reader.only_total or reader.count == 0,
    )


def _wanted_types(types: Sequence[str], pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Those of the types that every `_type` names."""
    wanted = tuple(types)
    for name, value in pairs:
        if name == "_type" and value:
            asked = set(split_values(value)) - {""}
            if asked - set(load().resource_types):
                raise invalid("_type names a resource type that R4 does not have.")
            wanted = tuple(kind for kind in wanted if kind in asked)
    return wanted


def _read_sort(resource_type: str, part: str, known: Known) -> Sort:
    """`-date`, or `subject:Patient.birthdate`: a key of what a reference points to."""
    written = part.removeprefix("-")
    down = written != part
    head, dot, code = written.partition(".")
    if not dot:
        return Sort(head, _sortable(resource_type, head, known), down)
    via, _, target = head.partition(":")
    param = known.find(resource_type, via)
    if param.type != "reference":
        raise invalid(f"{via} is no reference, so nothing can be chained to it.")
    targets = [target] if target else [t for t in param.targets if code in known.params.of(t)]
    if len(targets) != 1 or targets[0] not in load().resource_types:
        raise unsupported(f"To sort by what {via} points to, name its type and a parameter of it.")
    return Sort(code, _sortable(targets[0], code, known), down, via, targets[0])


def _sortable(resource_type: str, code: str, known: Known) -> str:
    param = known.find(resource_type, code)
    if param.type not in SORTABLE or not param.expression:
        raise unsupported(f"{code} cannot be sorted by.")
    return param.type


def _read_include(name: str, value: str, known: Known) -> Include:
    head, _, modifier = name.partition(":")
    parts = value.split(":")
    if len(parts) > 3 or (len(parts) == 1 and parts != ["*"]):
        raise invalid(f"{head} is written {head}=Type:parameter or {head}=Type:parameter:Target.")
    if modifier not in ("", "iterate"):
        raise unsupported(f"The only modifier of {head} is iterate.")
    source, code = parts[0], parts[1] if len(parts) > 1 else "*"
    target = parts[2] if len(parts) > 2 and parts[2] else None
    types = load().resource_types
    if source != "*":
        if source not in types:
            raise unsupported(f"{head} names a resource type that R4 does not have.")
        if code != "*" and known.find(source, code).type != "reference":
            raise invalid(f"{head} needs a reference parameter.")
    elif code != "*":
        raise unsupported(f"{head} needs a type before a parameter.")
    if target and target not in types:
        raise unsupported(f"{head} names a resource type that R4 does not have.")
    return Include(source, code, target, modifier == "iterate", head == "_revinclude")


def _whole(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 100):
        raise invalid(f"{name} must be a whole number that is not negative.")
    return int(value)
