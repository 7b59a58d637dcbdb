"""What reading one Claim needs at every step, and what it notices on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from claims.sheet.kept import kept
from claims.sheet.parties import Parties
from claims.sheet.sent import Sent
from claims.sheet.shapes import Concept, Extension, Money, Reference
from claims.sheet.values import cents, day
from fhir_profiles.systems import CLAIM_EXTENSIONS


class Info(NamedTuple):
    """What a piece of supporting information says."""

    code: str | None
    text: str | None
    start: int | None
    end: int | None
    amount: int | None


Values = tuple[Any, ...]
"""The values of a row, in the order of the names of its collection."""


Layout = tuple[str | tuple[str, ...], ...]
"""The names of values; a tuple of names is a tuple of values, which many rows have alike."""


def names(text: str) -> tuple[str, ...]:
    """Names that are written one after the other."""
    return tuple(text.split())


class Reading:
    """One Claim being read; `odd` and `bad` tell of amounts and dates that cannot be taken as they are.

    `first` and `last` are the days of its lines between which all of them are, `charged` is what they charge.
    """

    __slots__ = ("bad", "by_category", "charged", "claim", "first", "last", "near", "odd", "received", "row")

    def __init__(self, claim: Sent, near: Parties, row: int, received: int | None) -> None:
        self.claim, self.near, self.row, self.received = claim, near, row, received
        self.odd = self.bad = False
        self.first: int | None = None
        self.last: int | None = None
        self.charged = 0
        self.by_category: dict[str, Info] = {}

    def day(self, text: str | None) -> int | None:
        """A date in days."""
        if text is None:
            return None
        found = day(text)
        if found is None:
            self.bad = True
        return found

    def cents(self, money: Money | None) -> int | None:
        """An amount in cents."""
        found, odd = amount(money)
        self.odd = self.odd or odd
        return found

    def said(self, category: str) -> str | None:
        """The code or text of the supporting information of a category."""
        info = self.by_category.get(category)
        return None if info is None else info.code or info.text


def amount(money: Money | None) -> tuple[int | None, bool]:
    """(cents, whether it is odd): an amount; odd too when it is not of US dollars."""
    if money is None:
        return None, False
    found, odd = cents(bytes(money.value))
    return found, odd or money.currency not in (None, "USD")


def code_of(concept: Concept | None, system: str | None = None) -> str | None:
    """The first code, of a system where one is asked for."""
    if concept is None:
        return None
    if system is None:
        return concept.coding[0].code if concept.coding else None
    return next((coding.code for coding in concept.coding if coding.system == system), None)


def system_of(concept: Concept | None) -> str | None:
    """The system of the first code."""
    return concept.coding[0].system if concept is not None and concept.coding else None


def said_code(extensions: Sequence[Extension], name: str) -> str | None:
    """The code or text of an extension of ours."""
    if not extensions:
        return None
    url = f"{CLAIM_EXTENSIONS}{name}"
    return next((e.value_code or e.value_string for e in extensions if e.url == url), None)


def said_flag(extensions: Sequence[Extension], name: str) -> bool | None:
    """The flag of an extension of ours."""
    if not extensions:
        return None
    url = f"{CLAIM_EXTENSIONS}{name}"
    return next((e.value_boolean for e in extensions if e.url == url), None)


def said_money(extensions: Sequence[Extension], name: str) -> Money | None:
    """The amount of an extension of ours."""
    if not extensions:
        return None
    url = f"{CLAIM_EXTENSIONS}{name}"
    return next((e.value_money for e in extensions if e.url == url), None)


def named(reference: Reference | None) -> str | None:
    """Whom a reference names, by address or number; a display alone names nobody."""
    if reference is None:
        return None
    return reference.reference or (reference.identifier.value if reference.identifier else None)


def said_whole(extensions: Sequence[Extension], name: str) -> int | None:
    """The whole number of one of our extensions."""
    if not extensions:
        return None
    url = f"{CLAIM_EXTENSIONS}{name}"
    return next((e.value_integer for e in extensions if e.url == url), None)


CODES = kept(Concept | None, code_of)
"""JSON of a concept → its first code."""
