"""The words of a sig: route, way (a verb that says the route), form, frequency, as needed.

The data is `sig.json`, matched over the normal form in one pass.

Timing follows FHIR R4 (https://hl7.org/fhir/R4/datatypes.html#Timing): frequency, period, period_unit, when.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import msgspec
from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from extractors.findings.counts import NUMBERS
from extractors.findings.normalise import Normal, term
from extractors.model import Span

WordKind = Literal["route", "way", "form", "release", "frequency", "prn", "sliding_scale"]
_CALENDAR = {"days": "d", "weeks": "wk", "months": "mo"}
_EACH = {"day": "daily", "week": "weekly", "month": "monthly"}
_OFTEN = {1: ("once",), 2: ("twice",), 3: ("thrice",)}


def _data() -> Any:
    return json.loads(files("extractors.findings").joinpath("sig.json").read_text("utf-8"))


VERBS: tuple[str, ...] = tuple(_data()["verbs"])  # what an instruction begins with


class SigWord(msgspec.Struct, frozen=True, gc=False):
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
    data = _data()
    phrases: dict[str, tuple[WordKind, Any]] = {}
    for entry in data["frequencies"]:
        timing = {
            k: entry[k] for k in ("code", "frequency", "period", "period_unit", "when") if entry.get(k) is not None
        }
        for phrase in entry["phrases"]:
            phrases.setdefault(term(phrase), ("frequency", timing))
    for phrase, timing in (*_intervals(), *_times()):
        phrases.setdefault(term(phrase), ("frequency", timing))
    for phrase in data["sliding_scale"]:
        phrases.setdefault(term(phrase), ("sliding_scale", True))
    for phrase in data["prn"]:
        phrases.setdefault(term(phrase), ("prn", True))
    for kind in ("route", "way", "form"):
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
                    for number in (NUMBERS[low - 1], f"{low} {NUMBERS[low - 1]}", f"{NUMBERS[low - 1]} {low}"):
                        yield f"{lead} {number} {unit}", {"frequency": 1, "period": low, "period_unit": "h"}
    for low in range(1, 13):
        for high in range(low + 1, 25):
            timing = {"frequency": 1, "period": low, "period_max": high, "period_unit": "h"}
            for pair in (f"{low}-{high}", f"{low} to {high}", f"{low} or {high}"):
                yield from _spelled(pair, timing)
            yield f"q{low}h-{high}h", timing
            if high <= 12:
                for unit in ("hours", "hrs"):
                    yield f"every {NUMBERS[low - 1]} to {NUMBERS[high - 1]} {unit}", timing
                    yield f"every {low} {NUMBERS[low - 1]} to {high} {NUMBERS[high - 1]} {unit}", timing
    for phrase in ("every hour", "hourly", "each hour", "q hour", "qhour", "q1 hour"):
        yield phrase, {"frequency": 1, "period": 1, "period_unit": "h", "code": "Q1H"}
    for low in (2, 3, 5, 10, 15, 20, 30, 45, 60):
        for phrase in (f"every {low} minutes", f"every {low} min", f"q{low} min", f"q{low}min", f"q {low} minutes"):
            yield phrase, {"frequency": 1, "period": low, "period_unit": "min"}
    for low, high in ((2, 3), (3, 5), (5, 10), (10, 15), (15, 20), (20, 30)):
        for phrase in (f"every {low} to {high} minutes", f"every {low}-{high} minutes", f"every {low}-{high} min"):
            yield phrase, {"frequency": 1, "period": low, "period_max": high, "period_unit": "min"}
    for unit, letter in _CALENDAR.items():
        for low in range(1, 31):
            timing = {"frequency": 1, "period": low, "period_unit": letter}
            for phrase in (
                f"every {low} {unit}",
                f"q{low} {unit}",
                f"q {low} {unit}",
                f"q{low}{unit}",
                f"q{low}{unit[0]}",
            ):
                yield phrase, timing
            for high in range(low + 1, 15) if low < 13 else ():
                for pair in (f"{low}-{high}", f"{low} to {high}"):
                    yield f"every {pair} {unit}", timing | {"period_max": high}


def _times() -> Iterator[tuple[str, dict[str, Any]]]:
    """ "3 times a day", "three times per week", "x2 daily", "twice each month" …"""
    for unit, letter in _CALENDAR.items():
        one = unit.removesuffix("s")
        rates = [f"{link} {one}" for link in ("a", "per", "each", "every", "in a")] + [one, _EACH[one]]
        for count, word in enumerate(NUMBERS[:12], 1):
            timing = {"frequency": count, "period": 1, "period_unit": letter}
            said = [f"{n} {times}" for n in (str(count), word) for times in ("times", "time", "x")]
            said += [f"{count}x", *_OFTEN.get(count, ())]
            yield from ((f"{phrase} {rate}", timing) for phrase in said for rate in rates)
            begun = [f"x{count}", f"x {count}"]  # but "x 3 days" is how long
            yield from ((f"{phrase} {rate}", timing) for phrase in begun for rate in rates if rate != one)


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
