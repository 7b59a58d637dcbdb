"""The rows of a Claim's lines (https://hl7.org/fhir/R4/claim-definitions.html#Claim.item)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import msgspec

from claims.sheet import parties as who
from claims.sheet.kept import Kept, kept
from claims.sheet.reading import (
    CODES,
    Layout,
    Reading,
    Values,
    amount,
    code_of,
    names,
    said_code,
    said_money,
    said_whole,
)
from claims.sheet.sent import SentItem
from claims.sheet.shapes import Concept, Detail, Money, Quantity
from claims.sheet.values import MOST_CENTS, day
from fhir_profiles.systems import CONFIDENCE, EVIDENCE_BOX

LINES: Layout = (
    "row", "charge", "unit_price", "expected", "pointed",
    names("code system note evidence confidence confirmed"),
    names("units unit minutes"),
    names("start end pos service_zip revenue site factor bad_dates"),
    names("seq mods pointers teams infos procedures"),
    names("""
        rendering_npi ordering_npi referring_npi supervising_npi specialty performer ndc ndc_units ndc_unit
        authorisation noncovered purchased treated_minutes allowed capped
        """),
)  # fmt: skip
"""The names of the values of a row, in their order; what a line is allowed comes from its price."""

_DOLLARS = re.compile(rb'\{"value":(0|[1-9][0-9]{0,11})(?:\.([0-9]{1,2}))?,"currency":"USD"\}')
_money = msgspec.json.Decoder(Money | None).decode
_MINUTES = frozenset({"min", "MJ"})
_NO_DRUG: Values = (None, None, None)
_NOTHING_SAID: Values = (None, None, None, None)
_UNPRICED: Values = (None, None)
_PLAIN = _NO_DRUG + _NOTHING_SAID + _UNPRICED


def line_rows(at: Reading, codes: Mapping[int, str | None], team: list[Values], provider: str | None) -> list[Values]:
    """The lines, each with the codes that it points to and those who rendered it, or the billing `provider`."""
    row, place = at.row, said_code(at.claim.extension, "place-of-service")
    people: dict[tuple[int, ...], Values] = {}
    rows: list[Values] = []
    for item in at.claim.item:
        service, quantity = _SERVICES[bytes(item.product_or_service)], _QUANTITIES[bytes(item.quantity)]
        priced, charged = bytes(item.unit_price), bytes(item.net)
        price, odd = _AMOUNTS[priced]
        if odd:
            at.odd = True
        charge = price
        if charged != priced:
            charge, odd = _AMOUNTS[charged]
            if odd:
                at.odd = True
        if charge is not None:
            at.charged += charge
        factor = item.factor
        product = price if quantity[0] == 1.0 and factor is None else _product(price, quantity[0], factor)
        numbers, pointers = item.care_team_sequence, item.diagnosis_sequence
        who_did = people.get(numbers)
        if who_did is None:
            by_seq = {member[1][0]: member for member in team}
            members = [by_seq[n] for n in numbers if n in by_seq] or team
            who_did = people[numbers] = _people(members, provider) + _PLAIN
        if item.detail or item.extension:
            who_did = who_did[:6] + _drug(item.detail) + _said(at, item) + _UNPRICED
        rows.append((
            row, charge, price, product, tuple([found for n in pointers if (found := codes.get(n))]),
            service, quantity, _where(at, item, place, factor),
            (item.sequence, _MARKS[bytes(item.modifier)], pointers, numbers, item.information_sequence,
             item.procedure_sequence),
            who_did,
        ))  # fmt: skip
    return rows


def _where(at: Reading, item: SentItem, place: str | None, factor: float | None) -> Values:
    """When and where it was done, and by which factor it counts."""
    period, site = item.serviced_period, item.location_address
    if period is None:
        text = item.serviced_date
        start = end = day(text)
        bad = start is None and text is not None
    else:
        start, end = day(period.start), day(period.end)
        bad = (start is None and period.start is not None) or (end is None and period.end is not None)
        end = end or start
    if bad:
        at.bad = True
    if start is not None and (at.first is None or start < at.first):
        at.first = start
    if end is not None and (at.last is None or end > at.last):
        at.last = end
    if site is None and item.location_reference is not None:
        site = who.address(at.near.of(item.location_reference))
    return (
        start, end, CODES[bytes(item.location_codeable_concept)] or place,
        None if site is None else site.postal_code,
        None if item.revenue is None else code_of(item.revenue),
        None if item.body_site is None else code_of(item.body_site),
        1.0 if factor is None else factor, bad,
    )  # fmt: skip


def _people(members: Sequence[Values], provider: str | None) -> Values:
    """Who rendered a line, who ordered, referred and supervised, the specialty, and who performed it."""
    roles = {role: (npi, specialty) for _, (_, role, npi, specialty, _, _) in reversed(members)}
    rendering, specialty = roles.get("rendering") or roles.get("primary") or (None, None)
    ordering, referring, supervising = (roles.get(role, (None,))[0] for role in ("ordering", "referring", "supervisor"))
    return (rendering, ordering, referring, supervising, specialty, rendering or provider)


def _service(concept: Concept | None) -> Values:
    """Code, system and text, and where the code comes from: the place in a document, how sure the program was, whether
    a person chose it."""
    if concept is None:
        return (None, None, None, False, None, False)
    first = concept.coding[0] if concept.coding else None
    said = [e for coding in concept.coding for e in coding.extension or ()]
    return (
        first.code if first else None,
        first.system if first else None,
        concept.text,
        any(e.url == EVIDENCE_BOX for e in said),
        next((e.value_decimal for e in said if e.url == CONFIDENCE), None),
        any(coding.user_selected for coding in concept.coding),
    )


def _quantity(quantity: Quantity | None) -> Values:
    """How many, in which unit, and how many minutes that is."""
    if quantity is None:
        return (1.0, None, None)
    units = quantity.value
    minutes = int(units) if units and quantity.code in _MINUTES else None
    return (units, quantity.code or quantity.unit, minutes)


def _amount(raw: bytes) -> tuple[int | None, bool]:
    """As `amount` of the JSON, most of which is written in one way."""
    found = _DOLLARS.fullmatch(raw)
    if found is not None:
        return int(found[1] + (found[2] or b"").ljust(2, b"0")), False
    return amount(_money(raw) if raw else None)


def _marks(modifiers: Sequence[Concept] | None) -> tuple[str, ...]:
    return tuple(mark for one in modifiers or () if (mark := code_of(one)))


_SERVICES = kept(Concept | None, _service)
_QUANTITIES = kept(Quantity | None, _quantity)
_AMOUNTS = Kept(_amount, most=32_768)
_MARKS = kept(list[Concept], _marks)


def _drug(details: Sequence[Detail]) -> Values:
    """The first drug of a line, how much of it and in which unit."""
    if not details:
        return _NO_DRUG
    size = details[0].quantity
    code = code_of(details[0].product_or_service)
    return (code, size.value, size.code or size.unit) if size else (code, None, None)


def _said(at: Reading, item: SentItem) -> Values:
    """What extensions of ours say of a line."""
    said = item.extension
    if not said:
        return _NOTHING_SAID
    noncovered, purchased = at.cents(said_money(said, "noncovered")), at.cents(said_money(said, "purchased"))
    return (said_code(said, "authorisation"), noncovered, purchased, said_whole(said, "minutes"))


def _product(price: int | None, units: float | None, factor: float | None) -> int | None:
    """Unit price times units, or one where they have no number, times factor in cents, half a cent up; None where that
    is beyond every amount."""
    if price is None:
        return None
    exact = price * (1.0 if units is None else units) * (1.0 if factor is None else factor)
    return math.floor(round(exact, 4) + 0.5) if abs(exact) <= MOST_CENTS else None
