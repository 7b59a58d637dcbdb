"""The features of a claim: numbers that are known before it is sent, each with words that a biller understands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import isnan, log

import numpy as np
from numpy.typing import NDArray

from claims.learn.charges import Charges, lines_of
from claims.learn.columns import Table
from claims.learn.groups import (
    AGES,
    CHAPTERS,
    FAMILIES,
    MODIFIERS,
    PAYERS,
    PLACES,
    band,
    chapter,
    family,
    modifier,
    payer,
    place,
)
from claims.learn.rates import Rates, keys_of
from claims.rules.page import CATEGORIES

Numbers = NDArray[np.float64]
_BANDS = (
    "below 1",
    *(f"{low} to {high - 1}" for low, high in pairwise(AGES)),
    f"from {AGES[-1]} on",
)


def _flag(yes: str, no: str) -> Callable[[float], str]:
    return lambda value: yes if value else no


def _number(what: str, unit: str = "") -> Callable[[float], str]:
    return lambda value: f"{what}: {'not known' if isnan(value) else f'{value:,.4g}{unit}'}"


def _share(what: str) -> Callable[[float], str]:
    return lambda value: f"{value:.0%} of earlier claims {what} were denied"


def _times(what: str) -> Callable[[float], str]:
    return lambda value: f"{what}: {'not known' if isnan(value) else f'{np.exp(value):,.2g} times'}"


def _band(value: float) -> str:
    return "the age is not known" if isnan(value) else f"the age is {_BANDS[int(value)]}"


WORDS: dict[str, Callable[[float], str]] = {
    "rate payer": _share("to this payer"),
    "rate code": _share("with the code that was denied most"),
    "rate payer_code": _share("to this payer with the code that it denied most"),
    "rate diagnosis": _share("with the diagnosis that was denied most"),
    "rate specialty": _share("of this specialty"),
    "rate modifier": _share("with the modifier that was denied most"),
    **{f"payer {name}": _flag(f"the payer is {name}", f"the payer is not {name}") for name in PAYERS},
    "institutional": _flag("the claim is institutional", "the claim is not institutional"),
    "inpatient": _flag("it is a hospital stay", "it is no hospital stay"),
    "corrected": _flag("it replaces or voids an earlier claim", "it is an original claim"),
    "self": _flag("the patient is the one who is insured", "the patient is not said to be the one who is insured"),
    "participating": _flag("the provider takes part", "the provider is not said to take part"),
    "authorised": _flag("it has an authorisation", "it has no authorisation"),
    "referral": _flag("it has a referral", "it has no referral"),
    "accident": _flag("it tells of an accident", "it tells of no accident"),
    "age band": _band,
    "insurances": _number("coverages"),
    "days to filing": _number("days from the last service to the claim"),
    "lines": _number("lines"),
    "diagnoses": _number("diagnoses"),
    "units": _number("most units of a line"),
    "days of service": _number("days of service"),
    "log total": lambda value: "the total is not known" if isnan(value) else f"total charge of $ {np.exp(value):,.0f}",
    "charge to expected, most": _times("highest charge against the expected price"),
    "charge to expected, least": _times("lowest charge against the expected price"),
    "lines without a price": _number("lines without an expected price"),
    "charge to peers, most": _times("highest charge against what is usual"),
    "charge to peers, least": _times("lowest charge against what is usual"),
    "charge to own": _times("charge farthest from the provider's own"),
    **{f"place {name}": _flag(f"place of service: {name}", f"place of service: not {name}") for name in PLACES},
    **{f"family {name}": _number(f"lines with {text}") for name, text in FAMILIES.items()},
    **{f"modifier {name}": _number(f"lines with a modifier {name}") for name in MODIFIERS},
    **{f"chapter {name}": _number(f"diagnoses of {name}") for name in CHAPTERS},
    "errors": _number("findings of the edits"),
    **{f"edits {name}": _number(f"findings of edits about {text.lower()}") for name, text in CATEGORIES.items()},
}
"""Feature → what to say of its value. The order is that of the columns."""
NAMES = tuple(WORDS)
_AT = {name: place for place, name in enumerate(NAMES)}


def say(name: str, value: float) -> str:
    """What a value of a feature means."""
    return WORDS[name](value)


def features(table: Table, rates: Rates, charges: Charges, rules: frozenset[str]) -> Numbers:
    """A row for each claim and a column for each of NAMES; NaN where a claim does not say.

    `rules` are those whose findings count.
    """
    found = np.zeros((table.size, len(NAMES)))
    for kind, keys in keys_of(table).items():
        found[:, _AT[f"rate {kind}"]] = rates.highest(kind, keys)
    _of_claims(table, found)
    _of_lines(table, found)
    _of_charges(table, charges, found)
    for row, code in zip(table.diagnoses["row"], table.diagnoses["code"], strict=True):
        if name := chapter(code):
            found[row, _AT[f"chapter {name}"]] += 1
        found[row, _AT["diagnoses"]] += 1
    for row, rule in table.findings:
        if rule in rules:
            found[row, _AT["errors"]] += 1
            if (column := _AT.get(f"edits {rule.partition('-')[0]}")) is not None:
                found[row, column] += 1
    return found


def rated(found: Numbers, kind: str, rates: Numbers) -> None:
    """Put other rates in place."""
    found[:, _AT[f"rate {kind}"]] = rates


def column(found: Numbers, name: str) -> Numbers:
    """A column by its name."""
    return np.asarray(found[:, _AT[name]])


def _of_claims(table: Table, found: Numbers) -> None:
    claims = table.claims
    for row, said in enumerate(zip(claims["coverage_type"], claims["medicare"], claims["medicaid"], strict=True)):
        if name := payer(*said):
            found[row, _AT[f"payer {name}"]] = 1
    found[:, _AT["institutional"]] = [kind == "institutional" for kind in claims["type"]]
    found[:, _AT["inpatient"]] = [bool(one) for one in claims["inpatient"]]
    found[:, _AT["corrected"]] = [one in ("7", "8") for one in claims["frequency"]]
    found[:, _AT["self"]] = [bool(one) for one in claims["subscriber_is_patient"]]
    found[:, _AT["participating"]] = [bool(one) for one in claims["participating"]]
    found[:, _AT["authorised"]] = [bool(one) for one in claims["authorisations"]]
    found[:, _AT["referral"]] = [bool(one) for one in claims["referral"]]
    found[:, _AT["accident"]] = [bool(one) for one in claims["accident_type"]]
    found[:, _AT["age band"]] = _known([band(age) for age in claims["age"]])
    found[:, _AT["insurances"]] = _known(claims["insurances"])
    filing = zip(claims["created"], claims["last_service"], strict=True)
    found[:, _AT["days to filing"]] = _known([None if None in pair else pair[0] - pair[1] for pair in filing])
    totals = (b if a is None else a for a, b in zip(claims["total"], claims["lines_total"], strict=True))
    found[:, _AT["log total"]] = _known([log(cents / 100) if cents and cents > 0 else None for cents in totals])


def _known(values: Sequence[float | None]) -> Numbers:
    return np.array([np.nan if value is None else value for value in values], float)


def _of_lines(table: Table, found: Numbers) -> None:
    days: list[set[int | None]] = [set() for _ in range(table.size)]
    names = ("row", "code", "mods", "pos", "units", "start", "authorisation")
    count, units, authorised = (_AT[name] for name in ("lines", "units", "authorised"))
    for row, code, mods, pos, many, start, number in zip(*(table.lines[name] for name in names), strict=True):
        found[row, count] += 1
        found[row, _AT[f"family {family(code)}"]] += 1
        if name := place(pos):
            found[row, _AT[f"place {name}"]] = 1
        for kind in {modifier(mod) for mod in mods or ()} - {None}:
            found[row, _AT[f"modifier {kind}"]] += 1
        found[row, units] = max(found[row, units], many or 0)
        if number:
            found[row, authorised] = 1
        days[row].add(start)
    found[:, _AT["days of service"]] = [len(one) for one in days]


def _of_charges(table: Table, charges: Charges, found: Numbers) -> None:
    ratios = {name: _Extremes(table.size) for name in ("charge to expected", "charge to peers")}
    own = np.full(table.size, np.nan)
    found[:, _AT["lines without a price"]] = np.bincount(
        [row for row, price in zip(table.lines["row"], table.lines["allowed"], strict=True) if price is None],
        minlength=table.size,
    )
    for line in lines_of(table):
        allowed, units = table.lines["allowed"][line.at], table.lines["units"][line.at]
        if allowed is not None and allowed > 0:
            ratios["charge to expected"].take(line.row, log(line.cents / allowed) + log(units))
        if (unusual := charges.of_line(line)) is not None:
            ratios["charge to peers"].take(line.row, log(unusual.times))
        if (times := charges.own(line)) is not None and not abs(log(times)) <= abs(own[line.row]):
            own[line.row] = log(times)
    for name, one in ratios.items():
        found[:, _AT[f"{name}, most"]], found[:, _AT[f"{name}, least"]] = one.most, one.least
    found[:, _AT["charge to own"]] = own


class _Extremes:
    """The highest and lowest value of each claim; NaN where there is none."""

    def __init__(self, size: int) -> None:
        self.most, self.least = np.full(size, np.nan), np.full(size, np.nan)

    def take(self, row: int, value: float) -> None:
        self.most[row] = np.fmax(self.most[row], value)
        self.least[row] = np.fmin(self.least[row], value)
