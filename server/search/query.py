"""Read search parameters into a query, refusing or reporting what is not known (https://hl7.org/fhir/R4/search.html)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from fhir_profiles.definitions import SearchParam, load
from fhir_profiles.errors import Category, FhirError, Problem

Pairs = tuple[tuple[str, str], ...]

MODIFIERS: Mapping[str, frozenset[str]] = {
    "token": frozenset({"not", "missing"}),
    "string": frozenset({"exact", "contains", "missing"}),
    "date": frozenset({"missing"}),
    "reference": frozenset({"missing", "identifier"}),
    "quantity": frozenset({"missing"}),
    "number": frozenset({"missing"}),
    "uri": frozenset({"below", "missing"}),
}
IGNORED = frozenset({"_format", "_pretty"})  # they say how the answer is written, not what it is
SORTABLE = frozenset({"token", "string", "date", "reference", "quantity", "number", "uri"})
TOTALS = ("none", "estimate", "accurate")


class Limits(msgspec.Struct, frozen=True):
    """What one search may cost."""

    default_count: int = 20
    max_count: int = 1000
    max_values: int = 2000
    max_conditions: int = 50
    max_sorts: int = 5
    max_included: int = 2000
    max_depth: int = 5
    estimate: int = 100_000


class Condition(msgspec.Struct, frozen=True):
    """One parameter: any of its values. `chain` applies instead to what the reference points to."""

    type: str
    param: SearchParam
    modifier: str | None
    values: tuple[str, ...]
    chain: Condition | None = None
    reverse: bool = False


class Sort(msgspec.Struct, frozen=True):
    """One sort key."""

    code: str
    kind: str
    descending: bool


class Include(msgspec.Struct, frozen=True):
    """One `_include` or `_revinclude`; `code` may be `*`."""

    source: str
    code: str
    target: str | None
    iterate: bool
    reverse: bool


class Query(msgspec.Struct, frozen=True):
    """A search of one type, understood."""

    type: str
    conditions: tuple[Condition, ...]
    sorts: tuple[Sort, ...]
    includes: tuple[Include, ...]
    count: int
    total: Literal["none", "estimate", "accurate"]
    cursor: str | None
    used: Pairs
    problems: tuple[Problem, ...]
    base_url: str
    limits: Limits
    only_total: bool = False


class _Reader:
    """Gathers the parts of a query from its parameters."""

    def __init__(self, resource_type: str, limits: Limits) -> None:
        self.type = resource_type
        self.limits = limits
        self.conditions: list[Condition] = []
        self.sorts: list[Sort] = []
        self.includes: list[Include] = []
        self.count = limits.default_count
        self.total: Literal["none", "estimate", "accurate"] = "none"
        self.cursor: str | None = None
        self.only_total = False

    def take(self, name: str, value: str) -> None:
        """Understand one parameter; FhirError UNSUPPORTED when it is not one of ours, INCORRECT when it is wrong."""
        match name:
            case "_count":
                self.count = min(_whole(name, value), self.limits.max_count)
            case "_sort":
                self.sorts.extend(_read_sort(self.type, part) for part in value.split(",") if part)
                if len(self.sorts) > self.limits.max_sorts:
                    raise too_costly(f"_sort takes at most {self.limits.max_sorts} keys.")
            case "_total":
                if value not in TOTALS:
                    raise invalid("_total must be none, estimate or accurate.")
                self.total = value  # type: ignore[assignment]
            case "_summary" if value == "count":
                self.only_total, self.total = True, "accurate"
            case "_cursor":
                self.cursor = value
            case _ if name.partition(":")[0] in ("_include", "_revinclude"):
                self.includes.append(_read_include(name, value))
            case _:
                self.conditions.append(read_condition(self.type, name, value, self.limits))
                if len(self.conditions) > self.limits.max_conditions:
                    raise too_costly(f"A search takes at most {self.limits.max_conditions} parameters.")


def read_query(
    resource_type: str, pairs: Iterable[tuple[str, str]], *, strict: bool, limits: Limits, base_url: str = ""
) -> Query:
    """The query that the parameters make. An unknown one is an error when `strict`, else reported in the query."""
    reader = _Reader(resource_type, limits)
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
    return Query(
        resource_type,
        tuple(reader.conditions),
        tuple(reader.sorts),
        tuple(reader.includes),
        reader.count,
        reader.total,
        reader.cursor,
        tuple(used),
        tuple(problems),
        base_url,
        limits,
        reader.only_total or reader.count == 0,
    )


def read_condition(resource_type: str, name: str, value: str, limits: Limits, depth: int = 0) -> Condition:
    """One search parameter of a type, with its chain or `_has`."""
    if depth > limits.max_depth:
        raise too_costly(f"Chains go at most {limits.max_depth} references deep.")
    if name.startswith("_has:"):
        return _read_has(resource_type, name, value, limits, depth)
    head, dot, rest = name.partition(".")
    code, _, modifier = head.partition(":")
    param = find_param(resource_type, code)
    if dot:
        return _read_chain(resource_type, param, modifier or None, rest, value, limits, depth)
    if param.type not in MODIFIERS and code not in ("_id", "_lastUpdated"):
        raise unsupported(f"{param.type} parameters such as {code} are not served.")
    allowed = MODIFIERS.get(param.type, frozenset())
    if modifier and modifier not in allowed and not (param.type == "reference" and modifier in load().resource_types):
        raise unsupported(f"The modifier of {code} is not one that {param.type} parameters take here.")
    values = tuple(split_values(value))
    if len(values) > limits.max_values:
        raise too_costly(f"A parameter takes at most {limits.max_values} values.")
    return Condition(resource_type, param, modifier or None, values)


def _read_chain(
    resource_type: str, param: SearchParam, target: str | None, rest: str, value: str, limits: Limits, depth: int
) -> Condition:
    """`subject:Patient.name=x`; without a type, the one target that knows the parameter."""
    if param.type != "reference":
        raise invalid(f"{param.code} is no reference, so nothing can be chained to it.")
    code = rest.partition(".")[0].partition(":")[0]
    known = load()
    targets = [target] if target else [t for t in _targets(param) if code in known.search_params(t) or code == "_has"]
    if not targets or targets[0] not in known.resource_types:
        raise unsupported(f"No target of {param.code} has the chained parameter.")
    if len(targets) > 1:
        raise invalid(f"{param.code} can point to several types; name one, as in {param.code}:{targets[0]}.{code}.")
    chain = read_condition(targets[0], rest, value, limits, depth + 1)
    return Condition(resource_type, param, None, (), chain)


def _read_has(resource_type: str, name: str, value: str, limits: Limits, depth: int) -> Condition:
    """`_has:Observation:subject:code=x`: resources that such an Observation refers to."""
    parts = name.split(":", 3)
    if len(parts) != 4 or parts[1] not in load().resource_types:
        raise invalid("_has is written _has:Type:reference:parameter.")
    param = find_param(parts[1], parts[2])
    if param.type != "reference":
        raise invalid("_has needs a reference parameter in its second place.")
    chain = read_condition(parts[1], parts[3], value, limits, depth + 1)
    return Condition(resource_type, param, None, (), chain, reverse=True)


def find_param(resource_type: str, code: str) -> SearchParam:
    """The search parameter of a type; an error that names it when there is none."""
    found = load().search_params(resource_type).get(code)
    if found is None:
        shown = code if code.replace("-", "").replace("_", "").isalnum() and len(code) <= 64 else "(not a name)"
        raise unsupported(f"{resource_type} has no search parameter {shown}.")
    return found


def _targets(param: SearchParam) -> tuple[str, ...]:
    return param.targets or load().resource_types


def _read_sort(resource_type: str, part: str) -> Sort:
    code = part.lstrip("-")
    param = find_param(resource_type, code)
    if param.type not in SORTABLE:
        raise unsupported(f"{code} cannot be sorted by.")
    return Sort(code, param.type, part.startswith("-"))


def _read_include(name: str, value: str) -> Include:
    head, _, modifier = name.partition(":")
    parts = value.split(":")
    if modifier not in ("", "iterate") or len(parts) > 3 or (len(parts) == 1 and parts != ["*"]):
        raise invalid(f"{head} is written {head}=Type:parameter or {head}=Type:parameter:Target.")
    source, code = parts[0], parts[1] if len(parts) > 1 else "*"
    target = parts[2] if len(parts) > 2 and parts[2] else None
    types = load().resource_types
    if source != "*":
        if source not in types:
            raise unsupported(f"{head} names a resource type that R4 does not have.")
        if code != "*" and find_param(source, code).type != "reference":
            raise invalid(f"{head} needs a reference parameter.")
    if target and target not in types:
        raise unsupported(f"{head} names a resource type that R4 does not have.")
    return Include(source, code, target, modifier == "iterate", head == "_revinclude")


def split_values(text: str, separator: str = ",") -> list[str]:
    """The values between separators, which a backslash can escape; escapes stay for the next level."""
    values, start, at = [], 0, 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == separator:
            values.append(text[start:at])
            start = at + 1
        at += 1
    values.append(text[start:])
    return values


def unescape(text: str) -> str:
    """A value without its backslash escapes."""
    if "\\" not in text:
        return text
    out, at = [], 0
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text):
            at += 1
        out.append(text[at])
        at += 1
    return "".join(out)


def _whole(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 100):
        raise invalid(f"{name} must be a whole number that is not negative.")
    return int(value)


def invalid(text: str) -> FhirError:
    """A parameter that is known and wrong."""
    return FhirError.of(Category.INCORRECT, "value", text)


def unsupported(text: str) -> FhirError:
    """A parameter that is not known here."""
    return FhirError.of(Category.UNSUPPORTED, "not-supported", text)


def too_costly(text: str) -> FhirError:
    """A search beyond a limit."""
    return FhirError.of(Category.INCORRECT, "too-costly", text)
