"""The row of a Claim itself: who, by whom, for whose account, when."""

from __future__ import annotations

from claims.sheet import parties as who
from claims.sheet.reading import EMPTY, Reading, Row, code_of, named, said_flag
from claims.sheet.values import day, years

_MEDICARE = frozenset({"MEDICARE", "MB", "MA"})
_INPATIENT = frozenset({"11", "18", "21", "28", "41", "65", "66", "86"})
"""Facility and kind of care of stays."""

_OUTPATIENT = frozenset({"12", "13", "14", "22", "23", "34", "74", "75", "76", "85"})
_SUPPLIERS = frozenset({"332B00000X", "332BC3200X", "332BD1200X", "332BN1400X", "332BP3500X", "332BX2000X"})
_MEDICAID = frozenset({"MCAID", "SUBSIDIZ", "MC"})


def claim_row(at: Reading, lines: list[Row], diagnoses: list[Row], insurances: list[Row], team: list[Row]) -> Row:
    """The row of the claim."""
    claim = at.claim
    starts = [line["start"] for line in lines if line["start"] is not None]
    ends = [line["end"] for line in lines if line["end"] is not None]
    period = claim.billable_period
    start = at.day(period.start) if period else None
    end = at.day(period.end) if period else None
    first = min(starts) if starts else start
    roles = {member["role"]: member["npi"] for member in reversed(team)}
    row = {
        **EMPTY["claim"],
        "row": at.row,
        "id": claim.id,
        "status": claim.status,
        "type": code_of(claim.type),
        "use": claim.use,
        "control": who.control_number(claim.identifier),
        "currency": claim.total.currency if claim.total else None,
        "priority": code_of(claim.priority),
        "patient": named(claim.patient),
        "provider": named(claim.provider),
        "created": at.day(claim.created),
        "start": start,
        "end": end,
        "first_service": first,
        "last_service": max(ends) if ends else end,
        "lines": len(lines),
        "diagnoses": len(diagnoses),
        "insurances": len(insurances),
        "focal": sum(1 for one in insurances if one["focal"]),
        "total": at.cents(claim.total),
        "lines_total": sum(line["charge"] for line in lines if line["charge"] is not None),
        "referral": claim.referral.reference if claim.referral else None,
        "attending_npi": roles.get("attending"),
        "operating_npi": roles.get("operating"),
        "profiles": [str(p) for p in claim.meta.get("profile", ())],
        "authorisations": [number for one in claim.insurance for number in one.pre_auth_ref],
        "other_currencies": [],
    }
    row.update(_people(at, first))
    row.update(_payer(at, insurances))
    row.update(_events(at))
    row.update(_bill(at, row))
    row["setting"] = _setting(row)
    row["odd_amounts"], row["bad_dates"] = at.odd, at.bad
    return row


def _bill(at: Reading, row: Row) -> Row:
    """The type of bill and what follows from it."""
    bill = code_of(at.claim.sub_type) or at.said("typeofbill")
    if bill is not None and len(bill) == 3:
        bill = f"0{bill}"
    institutional = row["type"] == "institutional"
    inpatient = institutional and (None if bill is None else bill[1:3] in _INPATIENT)
    return {
        "bill_type": bill,
        "frequency": bill[3:] or None if bill else None,
        "inpatient": inpatient,
        "outpatient": institutional and (None if inpatient is None else not inpatient),
        "coded_on": row["last_service"] if not institutional else row["discharge"] or row["end"] or row["last_service"],
    }


def _setting(row: Row) -> str | None:
    """Whose NCCI edits hold: a practitioner, a supplier of equipment, an outpatient department; of a stay nobody."""
    if row["type"] == "professional":
        return "dme" if row["provider_taxonomy"] in _SUPPLIERS else "practitioner"
    bill = (row["bill_type"] or "").lstrip("0")
    return "outpatient" if row["type"] == "institutional" and bill[:2] in _OUTPATIENT else None


def _people(at: Reading, first: int | None) -> Row:
    """The patient, the billing provider and the facility."""
    claim, near = at.claim, at.near
    patient, provider, facility = near.of(claim.patient), near.of(claim.provider), near.of(claim.facility)
    specialty = who.taxonomy(provider)
    if provider.resource_type == "PractitionerRole":
        provider = near.of(provider.organization or provider.practitioner)
    home, place, site = who.address(patient), who.address(provider), who.address(facility)
    family, given = who.person(patient)
    born = at.day(patient.birth_date)
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


def _payer(at: Reading, insurances: list[Row]) -> Row:
    """The coverage that is billed."""
    claim = at.claim
    focal_at = next((n for n, one in enumerate(insurances) if one["focal"]), 0)
    if not insurances:
        return {"has_response": False}
    focal = insurances[focal_at]
    coverage = at.near.of(claim.insurance[focal_at].coverage)
    insurer = at.near.of(claim.insurer)
    subscriber = at.near.of(coverage.subscriber)
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
        "participating": said_flag(claim.extension, "participating"),
        "qualifying_apm": said_flag(claim.extension, "qualifying-apm"),
        "has_response": any(one["has_response"] for one in insurances),
    }


def _events(at: Reading) -> Row:
    """Accident, stay and what else stands in supportingInfo."""
    claim, info = at.claim, at.by_category
    stay = info.get("admissionperiod") or info.get("hospitalized") or {}
    related = claim.related[0] if claim.related else None
    accident = claim.accident
    return {
        "accident_date": at.day(accident.date) if accident else None,
        "accident_type": code_of(accident.type) if accident else None,
        "accident_state": accident.location_address.state if accident and accident.location_address else None,
        "related_number": related.reference.value if related and related.reference else None,
        "related_how": code_of(related.relationship) if related else None,
        "admission": stay.get("start"),
        "discharge": (info.get("discharge") or {}).get("start") or stay.get("end"),
        "admission_hour": at.said("admission-hour"),
        "admission_type": at.said("admtype"),
        "admission_source": at.said("pointoforigin"),
        "discharge_status": at.said("discharge-status"),
        "drg": at.said("drg"),
        "clia": at.said("clia"),
        "trial": at.said("clinical-trial"),
        "delay_reason": at.said("delay-reason"),
        "onset": (info.get("onset") or {}).get("start"),
        "last_menses": (info.get("last-menstrual-period") or {}).get("start"),
        "last_seen": (info.get("last-seen") or {}).get("start"),
        "received": (info.get("clmrecvddate") or {}).get("start") or at.received,
        "paid": (info.get("patient-paid") or {}).get("amount"),
    }


def _is_box(street: str) -> bool:
    words = street.upper().replace(".", "").replace(" ", "")
    return words.startswith(("POBOX", "POSTOFFICEBOX", "LOCKBOX"))
