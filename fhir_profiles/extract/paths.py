"""Read the FHIRPath of a search parameter into steps (https://hl7.org/fhir/R4/search.html#2.21.1.3).

The R4 parameters need field access, `as`, `where(x = 'y')`, `where(resolve() is T)`, `extension('url')`, `[n]` and one
boolean form; anything else is `Unsupported`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


class Unsupported(ValueError):
    """An expression outside the forms that search parameters use."""


@dataclass(frozen=True, slots=True)
class Field:
    """Children by name."""

    name: str


@dataclass(frozen=True, slots=True)
class Cast:
    """Only values of this type."""

    type: str


@dataclass(frozen=True, slots=True)
class Where:
    """Only objects whose field has this text."""

    field: str
    value: str


@dataclass(frozen=True, slots=True)
class Resolves:
    """Only references to this resource type."""

    type: str


@dataclass(frozen=True, slots=True)
class Extension:
    """Extensions by url."""

    url: str


@dataclass(frozen=True, slots=True)
class At:
    """The item at this place."""

    index: int


@dataclass(frozen=True, slots=True)
class Truth:
    """Whether there is a value that is not `false`."""


Step = Field | Cast | Where | Resolves | Extension | At | Truth

_TRUTH = re.compile(r"^(?P<path>[\w.]+)\.exists\(\) and (?P=path) != false$")
_AS = re.compile(r"^\(?\s*(?P<path>[\w.]+) as (?P<type>\w+)\s*\)?$")
_STEPS: tuple[tuple[re.Pattern[str], type], ...] = (
    (re.compile(r"(?:as|ofType)\((\w+)\)"), Cast),
    (re.compile(r"where\(resolve\(\) is (\w+)\)"), Resolves),
    (re.compile(r"where\((\w+)\s*=\s*'([^']*)'\)"), Where),
    (re.compile(r"extension\('([^']+)'\)"), Extension),
    (re.compile(r"\[(\d+)\]"), At),
    (re.compile(r"(\w+)(?!\()\b"), Field),
)


def alternatives(expression: str) -> list[str]:
    """The sides of the unions in `expression`, which may be wrapped in parentheses."""
    sides, depth, start = [], 0, 0
    for i, c in enumerate(expression):
        depth += (c == "(") - (c == ")")
        if c == "|" and depth == 0:
            sides.append(expression[start:i])
            start = i + 1
    sides.append(expression[start:])
    return [s.strip() for s in sides if s.strip()]


def parse(path: str) -> tuple[Step, ...]:
    """One side of a union as steps, the resource type it starts with still first; Unsupported for other forms."""
    path = path.strip()
    if truth := _TRUTH.match(path):
        return (*parse(truth["path"]), Truth())
    if cast := _AS.match(path):
        return (*parse(cast["path"]), Cast(cast["type"]))
    if path.startswith("("):
        inner, _, rest = path[1:].partition(")")
        return (*parse(f"({inner})" if " as " in inner else inner), *_steps(rest))
    return _steps(path)


def _steps(text: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    at = 0
    while at < len(text):
        if text[at] == ".":
            at += 1
        for pattern, kind in _STEPS:
            if found := pattern.match(text, at):
                steps.append(kind(int(found[1])) if kind is At else kind(*found.groups()))
                at = found.end()
                break
        else:
            raise Unsupported(text)
    return tuple(steps)
