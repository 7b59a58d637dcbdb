"""A Claim of which only that is read at once which differs between claims; the rest stays JSON until it is asked for.

It has the elements of `Claim`, and what they hold; whoever adds one there adds it here.
"""

from __future__ import annotations

import msgspec

from claims.sheet.shapes import (
    Accident,
    Address,
    Concept,
    Detail,
    Extension,
    Heading,
    Meta,
    Money,
    Number,
    Payee,
    Period,
    Reference,
    Related,
    Shape,
    Whole,
)

_UNSAID = msgspec.Raw()


class SentItem(Shape):
    """Claim.item."""

    sequence: Whole = 0
    care_team_sequence: tuple[Whole, ...] = ()
    diagnosis_sequence: tuple[Whole, ...] = ()
    procedure_sequence: tuple[Whole, ...] = ()
    information_sequence: tuple[Whole, ...] = ()
    revenue: Concept | None = None
    product_or_service: msgspec.Raw = _UNSAID
    modifier: msgspec.Raw = _UNSAID
    body_site: Concept | None = None
    serviced_date: str | None = None
    serviced_period: Period | None = None
    location_codeable_concept: msgspec.Raw = _UNSAID
    location_address: Address | None = None
    location_reference: Reference | None = None
    quantity: msgspec.Raw = _UNSAID
    unit_price: msgspec.Raw = _UNSAID
    factor: Number | None = None
    net: msgspec.Raw = _UNSAID
    detail: tuple[Detail, ...] = ()
    extension: tuple[Extension, ...] = ()


class Sent(Heading):
    """A Claim."""

    meta: Meta | None = None
    contained: tuple[msgspec.Raw, ...] = ()
    extension: tuple[Extension, ...] = ()
    status: str | None = None
    sub_type: Concept | None = None
    billable_period: Period | None = None
    created: str | None = None
    priority: msgspec.Raw = _UNSAID
    referral: Reference | None = None
    facility: Reference | None = None
    related: tuple[Related, ...] = ()
    payee: Payee | None = None
    care_team: msgspec.Raw = _UNSAID
    supporting_info: tuple[msgspec.Raw, ...] = ()
    diagnosis: tuple[msgspec.Raw, ...] = ()
    procedure: tuple[msgspec.Raw, ...] = ()
    insurance: msgspec.Raw = _UNSAID
    accident: Accident | None = None
    item: tuple[SentItem, ...] = ()
    total: Money | None = None
