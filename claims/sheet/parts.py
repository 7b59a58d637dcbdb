"""The rows of what a Claim has many of."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from claims.sheet import parties as who
from claims.sheet.parties import NOBODY
from claims.sheet.reading import EMPTY, Reading, Row, code_of, said_code, said_money, said_whole, system_of
from claims.sheet.shapes import Concept, Diagnosis, Info, Insurance, Item, Party
from claims.sheet.values import cents, day
from fhir_profiles.systems import CONFIDENCE, EVIDENCE_BOX

_MINUTES = frozenset({"min", "MJ"})
_MUTE: Row = {"evidence": False, "confidence": None, "confirmed": False}
"""Of a code that says nothing of where it comes from."""

_UNLISTED = frozenset({"admitting", "patientreasonforvisit"})


def info_row(at: Reading, info: Info) -> Row:
    """One piece of supporting information."""
    period = info.timing_period
    start = at.day(info.timing_date) or (at.day(period.start) if period else None)
    quantity = info.value_quantity
    amount = round(quantity.value * 100) if quantity and quantity.value is not None else None
    return {
        **EMPTY["infos"],
        "row": at.row,
        "seq": info.sequence,
        "category": code_of(info.category),
        "code": code_of(info.code),
        "text": info.value_string,
        "quantity": quantity.value if quantity else None,
        "amount": amount,
        "start": start,
        "end": at.day(period.end) if period else None,
        "reference": info.value_reference is not None,
        "document": at.near.of(info.value_reference).status if info.value_reference is not None else None,
    }


def diagnosis_rows(at: Reading) -> list[Row]:
    """The diagnoses in the order of their numbers."""
    rows = [
        _diagnosis_row(at, one, place)
        for place, one in enumerate(sorted(at.claim.diagnosis, key=lambda one: one.sequence), 1)
    ]
    told = any("principal" in row["types"] for row in rows)
    for row in rows:
        row["principal"] = "principal" in row["types"] if told else row["place"] == 1
    return rows


def _diagnosis_row(at: Reading, one: Diagnosis, place: int) -> Row:
    concept, verification, clinical = one.diagnosis_codeable_concept, None, None
    if one.diagnosis_reference is not None:
        condition = at.near.of(one.diagnosis_reference)
        verification, clinical = code_of(condition.verification_status), code_of(condition.clinical_status)
        if concept is None and isinstance(condition.code, dict):
            concept = msgspec.convert(condition.code, Concept)
    types = [code for kind in one.type if (code := code_of(kind))]
    return {
        "row": at.row,
        "seq": one.sequence,
        "place": place,
        "code": code_of(concept),
        "system": system_of(concept),
        "on_admission": code_of(one.on_admission),
        "verification": verification,
        "clinical": clinical,
        "listed": _UNLISTED.isdisjoint(types),
        "types": types,
    }


def member_row(at: Reading, member: Any) -> Row:
    """One of the care team."""
    party = at.near.of(member.provider)
    specialty = code_of(member.qualification) or who.taxonomy(party)
    if party.resource_type == "PractitionerRole":
        party = at.near.of(party.practitioner)
    is_person = party.resource_type == "Practitioner" if party.resource_type else None
    return {
        "row": at.row,
        "seq": member.sequence,
        "role": code_of(member.role),
        "npi": who.npi(party),
        "taxonomy": specialty,
        "name": who.title(party),
        "person": is_person,
    }


def insurance_row(at: Reading, one: Insurance) -> Row:
    """One coverage."""
    coverage = at.near.of(one.coverage)
    payor = at.near.of(coverage.payor[0]) if coverage.payor else NOBODY
    response = at.near.of(one.claim_response)
    period = coverage.period
    kind = coverage.type if isinstance(coverage.type, dict) else {}
    codings = kind.get("coding") or [{}]
    return {
        **EMPTY["insurances"],
        "row": at.row,
        "seq": one.sequence,
        "coverage": one.coverage.reference if one.coverage else None,
        "order": one.sequence,
        "focal": one.focal,
        "member_id": coverage.subscriber_id,
        "payer_id": payor.identifier[0].value if payor.identifier else None,
        "payer_name": who.title(payor) or (coverage.payor[0].display if coverage.payor else None),
        "status": coverage.status,
        "type": codings[0].get("code"),
        "relationship": code_of(coverage.relationship),
        "start": at.day(period.start) if period else None,
        "end": at.day(period.end) if period else None,
        "has_response": one.claim_response is not None,
        "secondary": said_code(coverage.extension, "medicare-secondary"),
        **_response(response),
    }


def _response(response: Party) -> Row:
    """What another payer has paid and adjusted."""
    payment = response.payment if isinstance(response.payment, dict) else {}
    amount = payment.get("amount", {}).get("value")
    return {
        "response_date": day(payment.get("date")),
        "response_paid": None if amount is None else cents(str(amount).encode())[0],
    }


def line_row(
    at: Reading, item: Item, codes: dict[int, Any], by_seq: dict[int, Row], team: list[Row], place: str | None
) -> Row:
    """One line, with the codes that it points to and those who rendered it."""
    bad, at.bad = at.bad, False
    price = at.cents(item.unit_price)
    service = item.product_or_service
    plain = service is None or all(one.extension is None and not one.user_selected for one in service.coding)
    period = item.serviced_period
    start = at.day(item.serviced_date) if period is None else at.day(period.start)
    end = start if period is None else at.day(period.end) or start
    quantity = item.quantity
    detail = item.detail[0] if item.detail else None
    numbers = tuple(item.care_team_sequence)
    people = at.rendered.get(numbers)
    if people is None:
        people = at.rendered[numbers] = _people([by_seq[n] for n in numbers if n in by_seq] or team)
    site = item.location_address or (
        who.address(at.near.of(item.location_reference)) if item.location_reference else None
    )
    amount = detail.quantity if detail else None
    row = {
        **EMPTY["lines"],
        "row": at.row,
        "seq": item.sequence,
        "code": code_of(service),
        "system": system_of(service),
        "revenue": code_of(item.revenue),
        "mods": [code for modifier in item.modifier if (code := code_of(modifier))],
        "units": 1.0 if quantity is None else quantity.value,
        "unit": quantity.code or quantity.unit if quantity else None,
        "minutes": int(quantity.value) if quantity and quantity.value and quantity.code in _MINUTES else None,
        "factor": 1.0 if item.factor is None else item.factor,
        "charge": at.cents(item.net),
        "unit_price": price,
        "expected": _product(price, item),
        "start": start,
        "end": end,
        "pos": code_of(item.location_codeable_concept) or place,
        "service_zip": site.postal_code if site else None,
        "pointers": item.diagnosis_sequence,
        "pointed": [codes[n] for n in item.diagnosis_sequence if codes.get(n)],
        "teams": item.care_team_sequence,
        "infos": item.information_sequence,
        "procedures": item.procedure_sequence,
        "ndc": code_of(detail.product_or_service) if detail else None,
        "ndc_units": amount.value if amount else None,
        "ndc_unit": amount.code or amount.unit if amount else None,
        **people,
        "authorisation": said_code(item.extension, "authorisation"),
        "noncovered": at.cents(said_money(item.extension, "noncovered")),
        "note": service.text if service else None,
        "site": code_of(item.body_site),
        "purchased": at.cents(said_money(item.extension, "purchased")),
        "treated_minutes": said_whole(item.extension, "minutes"),
        "bad_dates": at.bad,
        **(_MUTE if plain else _origin(service)),
    }
    at.bad = at.bad or bad
    return row


def _people(members: list[Row]) -> Row:
    """Who rendered a line, with the specialty, and who ordered, referred and supervised."""
    roles = {member["role"]: member for member in reversed(members)}
    rendering = roles.get("rendering") or roles.get("primary") or EMPTY["team"]
    named = {f"{role}_npi": roles.get(role, EMPTY["team"])["npi"] for role in ("ordering", "referring")}
    return {
        **named,
        "rendering_npi": rendering["npi"],
        "supervising_npi": roles.get("supervisor", EMPTY["team"])["npi"],
        "specialty": rendering["taxonomy"],
    }


def _origin(concept: Concept | None) -> Row:
    """Where a code comes from: the place in a document, how sure the program was, whether a person chose it."""
    codings = concept.coding if concept is not None else ()
    said = [e for coding in codings for e in coding.extension or ()]
    return {
        "evidence": any(e.url == EVIDENCE_BOX for e in said),
        "confidence": next((e.value_decimal for e in said if e.url == CONFIDENCE), None),
        "confirmed": any(coding.user_selected for coding in codings),
    }


def _product(price: int | None, item: Item) -> int | None:
    """Unit price times units times factor in cents, half a cent up."""
    if price is None:
        return None
    units = 1.0 if item.quantity is None or item.quantity.value is None else item.quantity.value
    factor = 1.0 if item.factor is None else item.factor
    return math.floor(round(price * units * factor, 4) + 0.5)
