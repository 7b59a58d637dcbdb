"""Lay Claims out as the rows of a sheet (https://hl7.org/fhir/R4/claim.html); see docs/claims.md."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import msgspec

from claims.sheet import parties as who
from claims.sheet.parties import NOBODY, Parties, Resolve
from claims.sheet.schema import CLAIM, COLLECTIONS
from claims.sheet.shapes import Bundle, Claim, Concept, Extension, Info, Insurance, Item, Money, Party, Reference
from claims.sheet.values import cents, day, years
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import CLAIM_EXTENSIONS, EVIDENCE_BOX

Row = dict[str, Any]
Record = dict[str, Any]
MAX_LINES = 2_000
_claim = msgspec.json.Decoder(Claim)
_bundle = msgspec.json.Decoder(Bundle)
_kind = msgspec.json.Decoder(dict[str, msgspec.Raw])
_empty = {name: dict.fromkeys(columns) for name, columns in {"claim": CLAIM, **COLLECTIONS}.items()}


def read_claim(body: bytes, row: int = 0, resolve: Resolve | None = None, received: int | None = None) -> Record:
    """The rows of one Claim, or of a Bundle whose first entry is one: `claim` is a row, the collections are lists.

    FhirError when the JSON cannot be read or the Claim has more than 2,000 lines. `received` is the day it came.
    """
    try:
        claim, near = _opened(body)
    except msgspec.MsgspecError as error:
        text = f"The claim cannot be read as FHIR JSON: {str(error).split(' - at ')[-1][:80]}"
        raise FhirError.of(Category.INCORRECT, "structure", text) from None
    if claim.resource_type != "Claim":
        raise FhirError.of(Category.INCORRECT, "invalid", "A Claim, or a Bundle whose first entry is one, is expected")
    if len(claim.item) > MAX_LINES:
        raise FhirError.of(Category.INCORRECT, "too-costly", f"A claim has at most {MAX_LINES} lines", "Claim.item")
    try:
        return _Reader(claim, Parties(near, resolve), row, received).record()
    except msgspec.ValidationError as error:
        text = f"What the claim refers to cannot be read: {str(error).split(' - at ')[-1][:80]}"
        raise FhirError.of(Category.INCORRECT, "structure", text) from None


def _opened(body: bytes) -> tuple[Claim, dict[str, Any]]:
    claim = _claim.decode(body)
    near: dict[str, Any] = {}
    if claim.resource_type == "Bundle":
        entries = _bundle.decode(body).entry
        resources = [(entry.full_url, entry.resource) for entry in entries if bytes(entry.resource)]
        if not resources:
            return Claim(), {}
        claim = _claim.decode(resources[0][1])
        for url, resource in resources[1:]:
            head = msgspec.json.decode(resource, type=Party)
            if url:
                near[url] = head
            if head.id:
                near[f"{head.resource_type}/{head.id}"] = head
    for one in claim.contained:
        near[f"#{one.id}"] = one
    return claim, near


def _code(concept: Concept | None, system: str | None = None) -> str | None:
    """The first code, of a system where one is asked for."""
    if concept is not None:
        for coding in concept.coding:
            if system is None or coding.system == system:
                return coding.code
    return None


class _Reader:
    """Reads one Claim."""

    def __init__(self, claim: Claim, near: Parties, row: int, received: int | None) -> None:
        self.claim, self.near, self.row, self.received = claim, near, row, received
        self.odd = self.bad = False
        self.infos = [self._info(info) for info in claim.supporting_info]
        self.by_category: dict[str, Row] = {}
        for info in reversed(self.infos):
            self.by_category[info["category"] or ""] = info

    def record(self) -> Record:
        """The rows."""
        claim = self.claim
        diagnoses = self._diagnoses()
        team = [self._member(member) for member in claim.care_team]
        insurances = [self._insurance(one) for one in claim.insurance]
        codes = {d["seq"]: d["code"] for d in diagnoses}
        by_seq = {member["seq"]: member for member in team}
        place = _code_of(claim.extension, "place-of-service")
        lines = [self._line(item, codes, by_seq, team, place) for item in claim.item]
        procedures = [
            {
                **_empty["procedures"], "row": self.row, "seq": one.sequence, "date": self._day(one.date),
                "code": _code(one.procedure_codeable_concept), "system": _system(one.procedure_codeable_concept),
            }
            for one in claim.procedure
        ]  # fmt: skip
        return {
            "claim": self._claim_row(lines, diagnoses, insurances, team),
            "lines": lines,
            "diagnoses": diagnoses,
            "team": team,
            "procedures": procedures,
            "infos": self.infos,
            "insurances": insurances,
            "history": [],
        }

    def _day(self, text: str | None) -> int | None:
        found = day(text)
        if text is not None and found is None:
            self.bad = True
        return found

    def _cents(self, money: Money | None) -> int | None:
        if money is None:
            return None
        found, odd = cents(bytes(money.value))
        self.odd = self.odd or odd or money.currency not in (None, "USD")
        return found

    def _claim_row(self, lines: list[Row], diagnoses: list[Row], insurances: list[Row], team: list[Row]) -> Row:
        claim = self.claim
        starts = [line["start"] for line in lines if line["start"] is not None]
        ends = [line["end"] for line in lines if line["end"] is not None]
        period = claim.billable_period
        start = self._day(period.start) if period else None
        end = self._day(period.end) if period else None
        first = min(starts) if starts else start
        roles = {member["role"]: member["npi"] for member in reversed(team)}
        row = {
            **_empty["claim"],
            "row": self.row,
            "id": claim.id,
            "status": claim.status,
            "type": _code(claim.type),
            "use": claim.use,
            "control": who.control_number(claim.identifier),
            "currency": claim.total.currency if claim.total else None,
            "priority": _code(claim.priority),
            "patient": _named(claim.patient),
            "provider": _named(claim.provider),
            "created": self._day(claim.created),
            "start": start,
            "end": end,
            "first_service": first,
            "last_service": max(ends) if ends else end,
            "lines": len(lines),
            "diagnoses": len(diagnoses),
            "insurances": len(insurances),
            "focal": sum(1 for one in insurances if one["focal"]),
            "total": self._cents(claim.total),
            "lines_total": sum(line["charge"] for line in lines if line["charge"] is not None),
            "referral": claim.referral.reference if claim.referral else None,
            "bill_type": _code(claim.sub_type) or self._said("typeofbill"),
            "attending_npi": roles.get("attending"),
            "operating_npi": roles.get("operating"),
            "profiles": [str(p) for p in claim.meta.get("profile", ())],
            "authorisations": [number for one in claim.insurance for number in one.pre_auth_ref],
            "other_currencies": [],
        }
        row |= self._people(first) | self._payer(insurances) | self._events()
        row["odd_amounts"], row["bad_dates"] = self.odd, self.bad
        return row

    def _people(self, first: int | None) -> Row:
        """The patient, the billing provider and the facility."""
        claim, near = self.claim, self.near
        patient, provider, facility = near.of(claim.patient), near.of(claim.provider), near.of(claim.facility)
        specialty = who.taxonomy(provider)
        if provider.resource_type == "PractitionerRole":
            provider = near.of(provider.organization or provider.practitioner)
        home, place, site = who.address(patient), who.address(provider), who.address(facility)
        family, given = who.person(patient)
        born = self._day(patient.birth_date)
        known = born is not None and first is not None
        street = place.line[0] if place.line else None
        return {
            "patient_family": family,
            "patient_given": given,
            "gender": patient.gender,
            "patient_line": home.line[0] if home.line else None,
            "patient_city": home.city,
            "patient_state": home.state,
            "patient_zip": home.postal_code,
            "patient_country": home.country,
            "ssn": who.ssn(patient),
            "birth": born,
            "death": day(patient.deceased_date_time),
            "age": years(born, first) if known and first is not None and born is not None else None,
            "age_days": first - born if first is not None and born is not None else None,
            "provider_npi": who.npi(provider),
            "provider_name": who.title(provider),
            "provider_line": street,
            "provider_city": place.city,
            "provider_state": place.state,
            "provider_zip": place.postal_code,
            "provider_tax": who.tax(provider),
            "provider_taxonomy": specialty or who.taxonomy(provider),
            "provider_is_box": street is not None and _is_box(street),
            "facility_npi": who.npi(facility),
            "facility_name": who.title(facility),
            "facility_state": site.state,
            "facility_zip": site.postal_code,
        }

    def _payer(self, insurances: list[Row]) -> Row:
        """The coverage that is billed."""
        claim = self.claim
        at = next((n for n, one in enumerate(insurances) if one["focal"]), 0)
        if not insurances:
            return {"has_response": False}
        focal = insurances[at]
        coverage = self.near.of(claim.insurance[at].coverage)
        insurer = self.near.of(claim.insurer)
        subscriber = self.near.of(coverage.subscriber)
        same = coverage.subscriber is not None and coverage.subscriber.reference == (
            claim.patient.reference if claim.patient else None
        )
        return {
            "payer_name": who.title(insurer) or focal["payer_name"],
            "payer_id": (insurer.identifier[0].value if insurer.identifier else None) or focal["payer_id"],
            "member_id": focal["member_id"],
            "relationship": focal["relationship"],
            "coverage_status": focal["status"],
            "coverage_type": focal["type"],
            "coverage_start": focal["start"],
            "coverage_end": focal["end"],
            "has_subscriber": coverage.subscriber is not None,
            "subscriber_is_same": same if coverage.subscriber is not None else None,
            "subscriber_is_patient": same or focal["relationship"] == "self",
            "subscriber_family": who.person(subscriber)[0],
            "medicare": focal["type"] in _MEDICARE,
            "medicaid": focal["type"] in _MEDICAID,
            "participating": _flag_of(claim.extension, "participating"),
            "qualifying_apm": _flag_of(claim.extension, "qualifying-apm"),
            "has_response": any(one["has_response"] for one in insurances),
        }

    def _events(self) -> Row:
        """Accident, stay and what else stands in supportingInfo."""
        claim, info = self.claim, self.by_category
        stay = info.get("admissionperiod") or info.get("hospitalized") or {}
        related = claim.related[0] if claim.related else None
        accident = claim.accident
        return {
            "accident_date": self._day(accident.date) if accident else None,
            "accident_type": _code(accident.type) if accident else None,
            "accident_state": accident.location_address.state if accident and accident.location_address else None,
            "related_number": related.reference.value if related and related.reference else None,
            "related_how": _code(related.relationship) if related else None,
            "admission": stay.get("start"),
            "discharge": (info.get("discharge") or {}).get("start") or stay.get("end"),
            "admission_hour": self._said("admission-hour"),
            "admission_type": self._said("admtype"),
            "admission_source": self._said("pointoforigin"),
            "discharge_status": self._said("discharge-status"),
            "drg": self._said("drg"),
            "clia": self._said("clia"),
            "delay_reason": self._said("delay-reason"),
            "onset": (info.get("onset") or {}).get("start"),
            "last_menses": (info.get("last-menstrual-period") or {}).get("start"),
            "last_seen": (info.get("last-seen") or {}).get("start"),
            "received": (info.get("clmrecvddate") or {}).get("start") or self.received,
            "paid": (info.get("patient-paid") or {}).get("amount"),
        }

    def _said(self, category: str) -> str | None:
        info = self.by_category.get(category)
        return None if info is None else info["code"] or info["text"]

    def _info(self, info: Info) -> Row:
        period = info.timing_period
        start = self._day(info.timing_date) or (self._day(period.start) if period else None)
        quantity = info.value_quantity
        amount = round(quantity.value * 100) if quantity and quantity.value is not None else None
        return {
            **_empty["infos"],
            "row": self.row,
            "seq": info.sequence,
            "category": _code(info.category),
            "code": _code(info.code),
            "text": info.value_string,
            "quantity": quantity.value if quantity else None,
            "amount": amount,
            "start": start,
            "end": self._day(period.end) if period else None,
            "reference": info.value_reference is not None,
        }

    def _diagnoses(self) -> list[Row]:
        ordered = sorted(self.claim.diagnosis, key=lambda one: one.sequence)
        return [
            {
                "row": self.row,
                "seq": one.sequence,
                "place": place,
                "code": _code(one.diagnosis_codeable_concept),
                "system": _system(one.diagnosis_codeable_concept),
                "on_admission": _code(one.on_admission),
                "types": [code for kind in one.type if (code := _code(kind))],
            }
            for place, one in enumerate(ordered, 1)
        ]

    def _member(self, member: Any) -> Row:
        party = self.near.of(member.provider)
        specialty = _code(member.qualification) or who.taxonomy(party)
        if party.resource_type == "PractitionerRole":
            party = self.near.of(party.practitioner)
        is_person = party.resource_type == "Practitioner" if party.resource_type else None
        return {
            "row": self.row,
            "seq": member.sequence,
            "role": _code(member.role),
            "npi": who.npi(party),
            "taxonomy": specialty,
            "name": who.title(party),
            "person": is_person,
        }

    def _insurance(self, one: Insurance) -> Row:
        coverage = self.near.of(one.coverage)
        payor = self.near.of(coverage.payor[0]) if coverage.payor else NOBODY
        response = self.near.of(one.claim_response)
        period = coverage.period
        kind = coverage.type if isinstance(coverage.type, dict) else {}
        codings = kind.get("coding") or [{}]
        return {
            **_empty["insurances"],
            "row": self.row,
            "seq": one.sequence,
            "coverage": one.coverage.reference if one.coverage else None,
            "order": one.sequence,
            "focal": one.focal,
            "member_id": coverage.subscriber_id,
            "payer_id": payor.identifier[0].value if payor.identifier else None,
            "payer_name": who.title(payor) or (coverage.payor[0].display if coverage.payor else None),
            "status": coverage.status,
            "type": codings[0].get("code"),
            "relationship": _code(coverage.relationship),
            "start": self._day(period.start) if period else None,
            "end": self._day(period.end) if period else None,
            "has_response": one.claim_response is not None,
            **self._response(response),
        }

    def _response(self, response: Party) -> Row:
        """What another payer has paid and adjusted."""
        payment = response.payment if isinstance(response.payment, dict) else {}
        amount = payment.get("amount", {}).get("value")
        return {
            "response_date": day(payment.get("date")),
            "response_paid": None if amount is None else cents(str(amount).encode())[0],
        }

    def _line(
        self, item: Item, codes: dict[int, Any], by_seq: dict[int, Row], team: list[Row], place: str | None
    ) -> Row:
        bad, self.bad = self.bad, False
        price = self._cents(item.unit_price)
        period = item.serviced_period
        start = self._day(item.serviced_date) if period is None else self._day(period.start)
        end = start if period is None else self._day(period.end) or start
        quantity = item.quantity
        detail = item.detail[0] if item.detail else None
        members = [by_seq[n] for n in item.care_team_sequence if n in by_seq] or team
        roles = {member["role"]: member["npi"] for member in reversed(members)}
        site = item.location_address or (
            who.address(self.near.of(item.location_reference)) if item.location_reference else None
        )
        amount = detail.quantity if detail else None
        row = {
            **_empty["lines"],
            "row": self.row,
            "seq": item.sequence,
            "code": _code(item.product_or_service),
            "system": _system(item.product_or_service),
            "revenue": _code(item.revenue),
            "mods": [code for modifier in item.modifier if (code := _code(modifier))],
            "units": 1.0 if quantity is None else quantity.value,
            "unit": quantity.code or quantity.unit if quantity else None,
            "minutes": int(quantity.value) if quantity and quantity.value and quantity.code in _MINUTES else None,
            "factor": 1.0 if item.factor is None else item.factor,
            "charge": self._cents(item.net),
            "unit_price": price,
            "expected": _product(price, item),
            "start": start,
            "end": end,
            "pos": _code(item.location_codeable_concept) or place,
            "service_zip": site.postal_code if site else None,
            "pointers": item.diagnosis_sequence,
            "pointed": [codes[n] for n in item.diagnosis_sequence if codes.get(n)],
            "teams": item.care_team_sequence,
            "infos": item.information_sequence,
            "procedures": item.procedure_sequence,
            "ndc": _code(detail.product_or_service) if detail else None,
            "ndc_units": amount.value if amount else None,
            "ndc_unit": amount.code or amount.unit if amount else None,
            "rendering_npi": roles.get("rendering") or roles.get("primary"),
            "ordering_npi": roles.get("ordering"),
            "referring_npi": roles.get("referring"),
            "supervising_npi": roles.get("supervisor"),
            "authorisation": _code_of(item.extension, "authorisation"),
            "noncovered": self._cents(_money_of(item.extension, "noncovered")),
            "bad_dates": self.bad,
            "evidence": _has_evidence(item.product_or_service),
        }
        self.bad = self.bad or bad
        return row


_MEDICARE = frozenset({"MCPOL", "MEDICARE", "MB", "MA"})
_MEDICAID = frozenset({"MCAID", "SUBSIDIZ", "MC"})
_MINUTES = frozenset({"min", "MJ"})


def _system(concept: Concept | None) -> str | None:
    return concept.coding[0].system if concept is not None and concept.coding else None


def _product(price: int | None, item: Item) -> int | None:
    """Unit price times units times factor in cents, half a cent up."""
    if price is None:
        return None
    units = 1.0 if item.quantity is None or item.quantity.value is None else item.quantity.value
    factor = 1.0 if item.factor is None else item.factor
    return math.floor(round(price * units * factor, 4) + 0.5)


def _named(reference: Reference | None) -> str | None:
    """Whom a reference names, by address or number; a display alone names nobody."""
    if reference is None:
        return None
    return reference.reference or (reference.identifier.value if reference.identifier else None)


def _code_of(extensions: Iterable[Extension], name: str) -> str | None:
    url = f"{CLAIM_EXTENSIONS}{name}"
    return next((e.value_code or e.value_string for e in extensions if e.url == url), None)


def _money_of(extensions: Iterable[Extension], name: str) -> Money | None:
    url = f"{CLAIM_EXTENSIONS}{name}"
    return next((e.value_money for e in extensions if e.url == url), None)


def _flag_of(extensions: Iterable[Extension], name: str) -> bool | None:
    url = f"{CLAIM_EXTENSIONS}{name}"
    return next((e.value_boolean for e in extensions if e.url == url), None)


def _has_evidence(concept: Concept | None) -> bool:
    codings = concept.coding if concept is not None else ()
    return any(e.url == EVIDENCE_BOX for coding in codings for e in coding.extension or ())


def _is_box(street: str) -> bool:
    words = street.upper().replace(".", "").replace(" ", "")
    return words.startswith(("POBOX", "POSTOFFICEBOX", "LOCKBOX"))
