"""The words of a sig: route, form, frequency, as needed; data in `sig.json`, matched over the normal form in one pass.

Timing follows FHIR R4 (https://hl7.org/fhir/R4/datatypes.html#Timing): frequency, period, period_unit, when.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from extractors.findings.normalise import Normal, term
from extractors.model import Span

WordKind = Literal["route", "form", "release", "frequency", "prn", "sliding_scale"]
NUMBERS = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
]


class SigWord(NamedTuple):
    """A phrase of a sig in the document."""

    start: int
    end: int
    kind: WordKind
    value: Any


@dataclass(frozen=True, slots=True)
class SigTable:
    """The phrases with what each means."""

    automaton: AhoCorasick
    meanings: list[tuple[WordKind, Any]]


@cache
def load() -> SigTable:
    """The table that ships, with "every N hours" in all its spellings."""
    data = json.loads(files("extractors.findings").joinpath("sig.json").read_text("utf-8"))
    phrases: dict[str, tuple[WordKind, Any]] = {}
    for entry in data["frequencies"]:
        timing = {
            k: entry[k] for k in ("code", "frequency", "period", "period_unit", "when") if entry.get(k) is not None
        }
        for phrase in entry["phrases"]:
            phrases.setdefault(term(phrase), ("frequency", timing))
    for phrase, timing in _intervals():
        phrases.setdefault(term(phrase), ("frequency", timing))
    for phrase in data["sliding_scale"]:
        phrases.setdefault(term(phrase), ("sliding_scale", True))
    for phrase in data["prn"]:
        phrases.setdefault(term(phrase), ("prn", True))
    for kind in ("route", "form"):
        for value, names in data[f"{kind}s"].items():
            for name in names:
                phrases.setdefault(term(name), (kind, value))
    for name in data["release"]:
        phrases.setdefault(term(name), ("release", name))
    phrases.pop("", None)
    return SigTable(
        AhoCorasick(list(phrases), matchkind=MatchKind.LeftmostLongest, implementation=Implementation.ContiguousNFA),
        list(phrases.values()),
    )


def _intervals() -> Iterator[tuple[str, dict[str, Any]]]:
    """ "q4h", "q 4 hrs", "every 4 to 6 hours", "every six hours" …; also in minutes."""
    for low in range(1, 73):
        yield from _spelled(str(low), {"frequency": 1, "period": low, "period_unit": "h", "code": f"Q{low}H"})
        if low <= len(NUMBERS):
            for lead in ("every", "q"):
                for unit in ("hours", "hour", "hrs"):
                    yield f"{lead} {NUMBERS[low - 1]} {unit}", {"frequency": 1, "period": low, "period_unit": "h"}
    for low in range(1, 13):
        for high in range(low + 1, 25):
            timing = {"frequency": 1, "period": low, "period_max": high, "period_unit": "h"}
            for pair in (f"{low}-{high}", f"{low} to {high}", f"{low} or {high}"):
                yield from _spelled(pair, timing)
            yield f"q{low}h-{high}h", timing
            if high <= 12:
                for unit in ("hours", "hrs"):
                    yield f"every {NUMBERS[low - 1]} to {NUMBERS[high - 1]} {unit}", timing
    for phrase in ("every hour", "hourly", "each hour", "q hour", "qhour", "q1 hour"):
        yield phrase, {"frequency": 1, "period": 1, "period_unit": "h", "code": "Q1H"}
    for low in (5, 10, 15, 20, 30):
        for phrase in (f"every {low} minutes", f"every {low} min", f"q{low} min", f"q{low}min", f"q {low} minutes"):
            yield phrase, {"frequency": 1, "period": low, "period_unit": "min"}


def _spelled(number: str, timing: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for unit in ("h", "hr", "hrs", "hour", "hours", "°"):
        yield f"q{number}{unit}", timing
        yield f"q {number}{unit}", timing
        yield f"q{number} {unit}", timing
        yield f"q {number} {unit}", timing
        yield f"every {number} {unit}", timing
        yield f"every {number}{unit}", timing
        yield f"each {number} {unit}", timing
        yield f"q.{number}{unit}.", timing


def find_sig_words(normal: Normal, spans: Iterable[Span]) -> list[SigWord]:
    """The phrases of sigs around spans (ascending) of the document, in order."""
    table = load()
    words = []
    for number, begin, stop in normal.matches(table.automaton, spans):
        words.append(SigWord(*normal.span(begin, stop), *table.meanings[number]))
    return words
