"""Values of FHIR as elements of X12: upper case, in the extended character set, without delimiters (https://x12.org)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from claims.sheet.shapes import Money, Quantity
from claims.sheet.values import cents, day
from fhir_profiles.errors import Category, FhirError, Problem

_ALLOWED = re.compile(r"[A-Z0-9 !\"&'()+,\-./;?=%@\[\]_{}\\|<>#$]*")
_NUMBER = re.compile(r"[A-Z0-9!\"&'()+,\-./;?=%@\[\]_{}\\|<>#$]+(?: [A-Z0-9!\"&'()+,\-./;?=%@\[\]_{}\\|<>#$]+)*")
_LETTERS = str.maketrans(
    {"Ø": "O", "Ł": "L", "Đ": "D", "Æ": "AE", "Œ": "OE", "Þ": "TH", "Ð": "D", "’": "'", "‘": "'", "–": "-", "—": "-"}
)
_DELIMITERS = str.maketrans("*:~^`\t\r\n", "        ")
_SIMPLE = re.compile(rb"(?:0|[1-9][0-9]{0,7})(\.[0-9]{1,2})?")
MOST_CENTS = 9_999_999_999


@lru_cache(maxsize=65_536)
def plain(text: str) -> str | None:
    """Text as X12 may carry it: accents fall, delimiters become blanks; None when a character has no Latin form."""
    upper = text.upper().translate(_LETTERS).translate(_DELIMITERS)
    if not upper.isascii():
        apart = unicodedata.normalize("NFKD", upper)
        upper = "".join(c for c in apart if not unicodedata.combining(c))
    upper = " ".join(upper.split())
    return upper if _ALLOWED.fullmatch(upper) else None


@lru_cache(maxsize=65_536)
def number(text: str) -> str | None:
    """An identifier, which nothing may be changed of but its case; None when X12 cannot carry it."""
    upper = text.strip().upper()
    return upper if _NUMBER.fullmatch(upper) else None


@lru_cache(maxsize=65_536)
def date8(text: str) -> str | None:
    """A FHIR date as CCYYMMDD; None where it names no whole day."""
    return None if day(text) is None else text[:10].replace("-", "")


@lru_cache(maxsize=65_536)
def written(amount: int) -> str:
    """Cents as a decimal without needless zeros."""
    sign, amount = ("-", -amount) if amount < 0 else ("", amount)
    whole, part = divmod(amount, 100)
    return f"{sign}{whole}.{part:02d}".rstrip("0").rstrip(".")


@lru_cache(maxsize=65_536)
def decimal(value: float) -> str:
    """A quantity with at most three decimals."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return text or "0"


def segment(*elements: str) -> str:
    """A segment; empty elements at its end are left away."""
    return "*".join(elements).rstrip("*") + "~"


def composite(*parts: str) -> str:
    """A composite element; empty parts at its end are left away."""
    return ":".join(parts).rstrip(":")


@lru_cache(maxsize=65_536)
def simple_money(raw: bytes) -> str:
    """An amount as JSON has it, of at most eight digits before the point; empty where it is written otherwise."""
    found = _SIMPLE.fullmatch(raw)
    if found is None:
        return ""
    return (raw.rstrip(b"0").rstrip(b".") if found[1] else raw).decode()


def simple_units(value: float) -> str:
    """A quantity of at most three decimals; empty where it is below zero or too great."""
    return decimal(value) if 0 <= value < 10_000_000 and round(value, 3) == value else ""


class Draft:
    """What is wrong with one claim that is being written; each fault leaves an empty element behind."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def missing(self, element: str, what: str) -> str:
        """A value that must be there."""
        self.problems.append(Problem("error", "required", f"X12 needs {what}: add it", element))
        return ""

    def wrong(self, element: str, text: str) -> str:
        """A value that X12 cannot carry."""
        self.problems.append(Problem("error", "value", text, element))
        return ""

    def text(self, value: str | None, most: int, element: str, what: str) -> str:
        """A text that must be there, of at most so many characters."""
        if not value or plain(value) == "":
            return self.missing(element, what)
        return self.maybe(value, most, element)

    def maybe(self, value: str | None, most: int, element: str) -> str:
        """A text that may be there."""
        if not value:
            return ""
        found = plain(value)
        if found is None:
            return self.wrong(element, "A character cannot be written in X12: spell it in Latin letters")
        if len(found) > most:
            return self.wrong(element, f"Longer than the {most} characters that X12 holds: shorten it")
        return found

    def number(self, value: str | None, most: int, element: str, what: str | None = None) -> str:
        """An identifier; it must be there where `what` says what it is."""
        if not value:
            return self.missing(element, what) if what else ""
        found = number(value)
        if found is None:
            return self.wrong(element, "An identifier holds a character that X12 cannot carry: correct it")
        if len(found) > most:
            return self.wrong(element, f"Longer than the {most} characters that X12 holds: shorten it")
        return found

    def date(self, value: str | None, element: str, what: str | None = None) -> str:
        """A day as CCYYMMDD."""
        if not value:
            return self.missing(element, what) if what else ""
        return date8(value) or self.wrong(element, "Not a whole, real date: give year, month and day")

    def money(self, money: Money | None, element: str, what: str | None = None) -> str:
        """An amount of US dollars."""
        if money is None or not (raw := bytes(money.value)):
            return self.missing(element, what) if what else ""
        simple = simple_money(raw)
        if simple and money.currency in (None, "USD"):  # nearly every amount is written so
            return simple
        return _dollars(self, raw, money.currency, at=element)

    def cents(self, amount: int, element: str) -> str:
        """An amount that is known in cents."""
        if not 0 <= amount <= MOST_CENTS:
            return self.wrong(element, "An amount is below zero or too great for X12: correct it")
        return written(amount)

    def quantity(self, quantity: Quantity | None, element: str, what: str) -> str:
        """A number of units."""
        if quantity is None or quantity.value is None:
            return self.missing(element, what)
        if quantity.value == 1:
            return "1"
        found = simple_units(quantity.value)
        return found or self.wrong(
            element, "A quantity is below zero, too great or has more than three decimals: correct it"
        )

    def finish(self) -> None:
        """FhirError with everything that was found."""
        if self.problems:
            raise FhirError(Category.INCORRECT, *self.problems)


def remembered(write: Callable[..., str]) -> Callable[..., str]:
    """Write a part that many claims share once; `write` tells of faults by elements below `at`, which a call adds."""

    @lru_cache(maxsize=8_192)
    def once(*values: Any) -> tuple[str, tuple[Problem, ...]]:
        draft = Draft()
        return write(draft, *values), tuple(draft.problems)

    def call(draft: Draft, *values: Any, at: str | tuple[str, int]) -> str:
        text, problems = once(*values)
        for one in problems:
            above = at if isinstance(at, str) else f"{at[0]}[{at[1]}]"
            draft.problems.append(replace(one, expression=f"{above}{one.expression}"))
        return text

    return call


@remembered
def _dollars(draft: Draft, raw: bytes, currency: str | None) -> str:
    if currency not in (None, "USD"):
        return draft.wrong("", "X12 claims are in US dollars: give the amount in USD")
    found, odd = cents(raw)
    if found is None or odd:
        return draft.wrong("", "Not an amount in whole cents: correct it")
    return draft.cents(found, "")
