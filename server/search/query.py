"""What a search asks for, understood: conditions as a tree, sort keys, includes, limits (https://hl7.org/fhir/R4/search.html)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import msgspec

from fhir_profiles.definitions import SearchParam
from fhir_profiles.errors import Category, FhirError, Problem

Pairs = tuple[tuple[str, str], ...]
Total = Literal["none", "estimate", "accurate"]

MODIFIERS: Mapping[str, frozenset[str]] = {
    "token": frozenset({"not", "missing", "text", "in", "not-in", "below", "above", "of-type"}),
    "string": frozenset({"exact", "contains", "text", "missing"}),
    "date": frozenset({"missing"}),
    "reference": frozenset({"missing", "identifier", "text", "below", "above"}),
    "quantity": frozenset({"missing"}),
    "number": frozenset({"missing"}),
    "uri": frozenset({"below", "above", "contains", "missing"}),
    "composite": frozenset({"missing"}),
    "special": frozenset({"missing"}),
}
SORTABLE = frozenset({"token", "string", "date", "reference", "quantity", "number", "uri"})


class Limits(msgspec.Struct, frozen=True):
    """What one search may cost."""

    default_count: int = 20
    max_count: int = 1000
    max_values: int = 2000
    max_conditions: int = 50
    max_sorts: int = 5
    max_included: int = 2000
    max_depth: int = 5
    max_nodes: int = 200
    estimate: int = 10_000


class Condition(msgspec.Struct, frozen=True):
    """One parameter: any of its values."""

    type: str
    param: SearchParam
    modifier: str | None
    values: tuple[str, ...]


class Chain(msgspec.Struct, frozen=True):
    """Resources of `type` whose reference `param` points to a resource of `target` for which `node` holds."""

    type: str
    param: SearchParam
    target: str
    node: Node


class Has(msgspec.Struct, frozen=True):
    """Resources of `type` that the reference `param` of a `source` for which `node` holds points to."""

    type: str
    source: str
    param: SearchParam
    node: Node


class Every(msgspec.Struct, frozen=True):
    """All of the parts hold; with none, always."""

    parts: tuple[Node, ...]


class Some(msgspec.Struct, frozen=True):
    """One of the parts holds; with none, never."""

    parts: tuple[Node, ...]


class Not(msgspec.Struct, frozen=True):
    """The part does not hold."""

    part: Node


Node = Condition | Chain | Has | Every | Some | Not


class Sort(msgspec.Struct, frozen=True):
    """One sort key; with `target` it is a key of what the reference `via` points to."""

    code: str
    kind: str
    descending: bool
    via: str | None = None
    target: str | None = None


class Include(msgspec.Struct, frozen=True):
    """One `_include` or `_revinclude`; `code` may be `*`."""

    source: str
    code: str
    target: str | None
    iterate: bool
    reverse: bool


class Branch(msgspec.Struct, frozen=True):
    """What is asked of one of the types that are searched."""

    type: str
    conditions: tuple[Node, ...]
    sorts: tuple[Sort, ...]


class Query(msgspec.Struct, frozen=True):
    """A search, understood; `path` is where it was asked, below the base: `Patient`, `Patient/1/*` or empty."""

    path: str
    branches: tuple[Branch, ...]
    includes: tuple[Include, ...]
    count: int
    total: Total
    cursor: str | None
    used: Pairs
    problems: tuple[Problem, ...]
    base_url: str
    limits: Limits
    only_total: bool = False


def split_values(text: str, separator: str = ",") -> list[str]:
    """The values between separators, which a backslash can escape; escapes stay for the next level."""
    if "\\" not in text:
        return text.split(separator)
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


def escape(text: str) -> str:
    """A text as one value: what separates values is escaped."""
    for mark in "\\,|$":
        text = text.replace(mark, f"\\{mark}")
    return text


def invalid(text: str) -> FhirError:
    """A parameter that is known and wrong."""
    return FhirError.of(Category.INCORRECT, "value", text)


def naming(error: FhirError, code: str) -> FhirError:
    """The same; what is said of a wrong value without its parameter begins with the parameter's code."""
    if error.category is not Category.INCORRECT:
        return error
    told = (p if p.text.startswith(code) else replace(p, text=f"{code}: {p.text}") for p in error.problems)
    return FhirError(error.category, *told)


def unsupported(text: str) -> FhirError:
    """A parameter that is not known here."""
    return FhirError.of(Category.UNSUPPORTED, "not-supported", text)


def too_costly(text: str) -> FhirError:
    """A search beyond a limit."""
    return FhirError.of(Category.INCORRECT, "too-costly", text)
