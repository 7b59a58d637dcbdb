"""What reading one Claim needs at every step, and what it notices on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from claims.sheet.parties import Parties
from claims.sheet.schema import CLAIM, COLLECTIONS
from claims.sheet.shapes import Claim, Concept, Extension, Money, Reference
from claims.sheet.values import cents, day
from fhir_profiles.systems import CLAIM_EXTENSIONS

Row = dict[str, Any]
EMPTY: dict[str, Row] = {name: dict.fromkeys(columns) for name, columns in {"claim": CLAIM, **COLLECTIONS}.items()}
"""A row of each table in which nothing is known."""


class Reading:
    """One Claim being read; `odd` and `bad` tell of amounts and dates that cannot be taken as they are."""

    def __init__(self, claim: Claim, near: Parties, row: int, received: int | None) -> None:
        self.claim, self.near, self.row, self.received = claim, near, row, received
        self.odd = self.bad = False
        self.by_category: dict[str, Row] = {}
        self.rendered: dict[tuple[int, ...], Row] = {}

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
        if money is None:
            return None
        found, odd = cents(bytes(money.value))
        self.odd = self.odd or odd or money.currency not in (None, "USD")
        return found

    def said(self, category: str) -> str | None:
        """The code or text of the supporting information of a category."""
        info = self.by_category.get(category)
        return None if info is None else info["code"] or info["text"]


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
