"""The ConText rules: data in medspaCy's own format, read once and compiled into one automaton.

https://github.com/medspacy/medspacy: a rule has `literal`, `category`, `direction` and optionally `pattern` (a regular
expression), `max_scope` (tokens), `max_targets`, `allowed_types`, `excluded_types`. Our patterns must describe a finite
set of phrases, so that they too become literals of the automaton.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Literal

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from extractors.findings.normalise import term

Direction = Literal["FORWARD", "BACKWARD", "BIDIRECTIONAL", "TERMINATE", "PSEUDO"]
CONTEXT, STATUS = "context_rules.json", "status_rules.json"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `terminated_by` comes from the file's `terminating_types`."""

    literal: str
    category: str
    direction: Direction
    max_scope: int | None = None
    max_targets: int | None = None
    terminated_by: frozenset[str] = frozenset()
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules with their matcher: pattern number → rule; `marks` are the rules for single punctuation marks."""

    rules: tuple[Rule, ...]
    automaton: AhoCorasick
    owners: tuple[int, ...]
    marks: tuple[tuple[str, Rule], ...]


@cache
def load(name: str = CONTEXT) -> Rules:
    """The rules of a file that ships with the package. A phrase belongs to one rule only; the first wins."""
    data = read(name)
    ends: dict[str, list[str]] = data.get("terminating_types", {})
    rules = tuple(
        Rule(
            r["literal"], r["category"], r["direction"], r.get("max_scope"), r.get("max_targets"),
            frozenset(ends.get(r["category"], ())), r.get("pattern"),
        )
        for r in data["context_rules"]
    )  # fmt: skip
    patterns: dict[str, int] = {}
    marks: list[tuple[str, Rule]] = []
    for number, rule in enumerate(rules):
        for phrase in expand(rule.pattern) if rule.pattern else [rule.literal]:
            wrapped = term(phrase)
            if wrapped:
                patterns.setdefault(wrapped, number)
            else:
                marks.append((phrase, rule))
    automaton = AhoCorasick(
        list(patterns), matchkind=MatchKind.LeftmostLongest, implementation=Implementation.ContiguousNFA
    )
    return Rules(rules, automaton, tuple(patterns.values()), tuple(marks))


def read(name: str = CONTEXT) -> Any:
    """A rule file as it stands."""
    return json.loads(files("extractors.findings").joinpath(name).read_text("utf-8"))


def expand(pattern: str) -> list[str]:
    """Every phrase that a finite pattern (literals, groups, `|`, `?`, `\\\\b`, `\\\\s+`) can match."""
    return sorted({" ".join(phrase.split()) for phrase in _expand(parser.parse(pattern))})


def _expand(parsed: Any) -> list[str]:
    phrases = [""]
    for kind, value in parsed:
        if kind is op.LITERAL:
            tails = [chr(value)]
        elif kind is op.SUBPATTERN:
            tails = _expand(value[3])
        elif kind is op.BRANCH:
            tails = [phrase for branch in value[1] for phrase in _expand(branch)]
        elif kind is op.MAX_REPEAT and value[:2] == (0, 1):
            tails = ["", *_expand(value[2])]
        elif kind is op.MAX_REPEAT and value[0] == 1 and value[2][0][0] is op.IN:
            tails = [" "]
        elif kind is op.IN and all(k is op.LITERAL for k, _ in value):
            tails = [chr(c) for _, c in value]
        elif kind is op.AT:
            continue
        else:
            raise ValueError(f"the pattern is not finite: {kind}")
        phrases = [phrase + tail for phrase in phrases for tail in tails]
    return phrases
