"""Write Claims as an X12 interchange 837P and 837I (https://x12.org); see docs/claims.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec

from claims.sheet.parties import Parties, Resolve
from claims.sheet.reading import code_of
from claims.x12.account import Account, account
from claims.x12.codes import Kind
from claims.x12.elements import Draft, segment
from claims.x12.envelope import Envelope
from claims.x12.names import provider
from claims.x12.opened import open_sent
from claims.x12.write837i import institutional
from claims.x12.write837p import professional
from fhir_profiles.errors import Category, FhirError

MOST_IN_TRANSACTION = 5_000
MOST_UNDER_SUBSCRIBER = 100
Refused = Callable[[int, FhirError], None]
"""Told of a claim that cannot be written: its number from 0, and why."""


_KINDS: dict[str, Kind] = {"professional": "professional", "institutional": "institutional"}


class Written(NamedTuple):
    """One claim as X12, still without its place in the hierarchy."""

    kind: Kind
    account: Account
    body: str


def write_claim(body: bytes, resolve: Resolve | None = None) -> Written:
    """One Claim, or a Bundle that begins with one; FhirError tells every element that X12 needs or cannot carry."""
    claim, beside = open_sent(body)
    near, draft = Parties(beside, resolve), Draft()
    kind = _KINDS.get(code_of(claim.type) or "")
    if kind is None:
        text = "Only professional and institutional claims are written as X12: give one of these types"
        raise FhirError.of(Category.UNSUPPORTED, "not-supported", text, "Claim.type")
    try:
        who = account(draft, claim, near, kind, provider(near, claim.provider, bills=True))
        write = professional if kind == "professional" else institutional
        found = Written(kind, who, write(draft, claim, near))
    except (msgspec.ValidationError, TypeError, AttributeError) as error:
        text = "What the claim refers to is not as FHIR R4 has it: validate it first"
        raise FhirError.of(Category.INCORRECT, "structure", text) from error
    draft.finish()
    return found


def interchange(
    claims: Iterable[bytes], kind: Kind, envelope: Envelope, resolve: Resolve | None = None,
    refused: Refused | None = None,
) -> Iterator[str]:  # fmt: skip
    """The text of a file with many claims of one kind, in parts.

    A claim that cannot be written ends the file with a FhirError, or is left out where `refused` is there to be told.
    FhirError also where no claim is left.
    """
    envelope = envelope.checked()
    file = _File(kind, envelope)
    for number, body in enumerate(claims):
        try:
            found = write_claim(body, resolve)
            if found.kind != kind:
                text = "The claim is of the other kind, which goes into a file of its own"
                raise FhirError.of(Category.INCORRECT, "invalid", text, "Claim.type")
        except FhirError as error:
            if refused is None:
                raise
            refused(number, error)
            continue
        yield file.add(found)
    if not file.transactions:
        raise FhirError.of(Category.INCORRECT, "required", "No claim is left that can be written")
    yield file.end()


class _File:
    """Where a file stands: the counters of its envelopes and hierarchy."""

    def __init__(self, kind: Kind, envelope: Envelope) -> None:
        self.kind, self.envelope = kind, envelope
        self.transactions = self.claims = self.segments = self.level = self.under = 0
        self.billing_level = self.subscriber_level = 0
        self.last = Account("", "", "")

    def add(self, found: Written) -> str:
        """The next claim, with what opens before it."""
        text = ""
        if not self.transactions:
            text = self.envelope.opening() + self.envelope.group(self.kind, self.envelope.control)
        if not self.transactions or self.claims == MOST_IN_TRANSACTION:
            text += self._close() + self._open()
        body = self._levels(found.account) + found.body
        self.claims += 1
        self.segments += body.count("~")
        return text + body

    def _open(self) -> str:
        self.transactions += 1
        self.claims = self.level = 0
        self.last = Account("", "", "")
        text = self.envelope.transaction(self.kind, self.transactions)
        self.segments = text.count("~")
        return text

    def _close(self) -> str:
        if not self.transactions:
            return ""
        return segment("SE", str(self.segments + 1), f"{self.transactions:04d}")

    def _levels(self, who: Account) -> str:
        """HL of whoever is not the same as for the claim before."""
        text, last = "", self.last
        if who.billing != last.billing:
            text = self._hl("", "20", "1") + who.billing
            self.billing_level = self.level
        if text or who.subscriber != last.subscriber or bool(who.patient) != bool(last.patient) or self._full():
            text += self._hl(str(self.billing_level), "22", "1" if who.patient else "0") + who.subscriber
            self.subscriber_level, self.under = self.level, 0
        if who.patient and (not self.under or who.patient != last.patient):
            text += self._hl(str(self.subscriber_level), "23", "0") + who.patient
        self.under += 1
        self.last = who
        return text

    def _full(self) -> bool:
        return self.under >= MOST_UNDER_SUBSCRIBER

    def _hl(self, parent: str, level: str, children: str) -> str:
        self.level += 1
        return f"HL*{self.level}*{parent}*{level}*{children}~"

    def end(self) -> str:
        """What closes the file."""
        control = self.envelope.control
        return (
            self._close() + segment("GE", str(self.transactions), str(control)) + segment("IEA", "1", f"{control:09d}")
        )
