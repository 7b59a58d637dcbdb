"""The row of a Claim itself: who, by whom, for whose account, when."""

from __future__ import annotations

from collections.abc import Sequence

from claims.sheet import parties as who
from claims.sheet.events import EVENTS, event_values, received
from claims.sheet.parts import PAYS
from claims.sheet.people import FACILITIES, FACILITY, PATIENT, PROVIDER, patient_values
from claims.sheet.reading import CODES, Layout, Reading, Values, code_of, named, names, said_flag
from claims.sheet.shapes import Insurance
from claims.sheet.values import years

_PAYER = names("""
    payer_name payer_id relationship coverage_status coverage_type coverage_start coverage_end has_subscriber
    subscriber_is_same subscriber_is_patient subscriber_family medicare medicaid participating qualifying_apm
    has_response payer_kind
    """)
_KIND = names("""
    type use status currency priority provider lines diagnoses insurances focal referral attending_npi operating_npi
    profiles other_currencies payee grouped
    bill_type frequency inpatient outpatient setting
    odd_amounts bad_dates unresolved history_known
    """)
CLAIMS: Layout = (
    *names("row id control patient total lines_total age age_days member_id authorisations"), *PATIENT,
    names("created start end first_service last_service received coded_on"),
    PROVIDER, FACILITY, _PAYER, EVENTS, _KIND,
)  # fmt: skip
"""The names of the values of a row, in their order."""

_BIRTH, _DISCHARGE = PATIENT.index("birth"), EVENTS.index("discharge")
_TAXONOMY = PROVIDER.index("provider_taxonomy")
_MEDICARE = frozenset({"MEDICARE", "MB", "MA"})
_MEDICAID = frozenset({"MCAID", "SUBSIDIZ", "SUBSIDMC", "MC"})
_COMMERCIAL = names("""
    EHCPOL HMO PPO POS MCPOL HIP 12 13 14 15 16 17 BL CI FI HM DENTAL VISPOL MENTPOL SUBPOL DRUGPOL LTC
""")
_KINDS = {
    **dict.fromkeys(_MEDICARE, "medicare"),
    **dict.fromkeys(_MEDICAID, "medicaid"),
    **dict.fromkeys(_COMMERCIAL, "commercial"),
    **dict.fromkeys(("CH", "VA", "OF"), "federal"),
    **dict.fromkeys(("WCBPOL", "WC"), "workers"),
    **dict.fromkeys(("AUTOPOL", "COL", "UNINSMOT", "AM", "LM"), "auto"),
}
"""Coverage.type, as HL7 or X12 (claim filing indicator) writes it → kind of payer."""

_INPATIENT = frozenset({"11", "18", "21", "28", "41", "65", "66", "86"})
"""Facility and kind of care of stays."""

_OUTPATIENT = frozenset({"12", "13", "14", "22", "23", "34", "74", "75", "76", "85"})
_SUPPLIERS = frozenset({"332B00000X", "332BC3200X", "332BD1200X", "332BN1400X", "332BP3500X", "332BX2000X"})
_UNINSURED: Values = (*(None,) * 15, False, "other")


def claim_row(
    at: Reading,
    provider: Values,
    lines: Sequence[Values],
    diagnoses: Sequence[Values],
    insured: Sequence[Insurance],
    insurances: Sequence[Values],
    team: Sequence[Values],
    *,
    looked: bool,
) -> Values:
    """The row of the claim; `provider` as from `provider_values`, `looked` whether earlier claims were looked for."""
    claim, near = at.claim, at.near
    patient = patient_values(at, near.of(claim.patient))
    facility = FACILITIES[near.of(claim.facility)]
    period = claim.billable_period
    start, end = (at.day(period.start), at.day(period.end)) if period else (None, None)
    first, last = start if at.first is None else at.first, end if at.last is None else at.last
    born = patient[_BIRTH]
    age = age_days = None
    if born is not None and first is not None:
        age, age_days = years(born, first), first - born
    roles = {role: npi for _, (_, role, npi, _, _, _) in reversed(team)}
    member, payer = _payer(at, insured, insurances)
    kind, events = code_of(claim.type), event_values(at)
    coded_on = last if kind != "institutional" else events[_DISCHARGE] or end or last
    total = claim.total
    cents, created = at.cents(total), at.day(claim.created)
    return (
        at.row, claim.id, who.control_number(claim.identifier), named(claim.patient), cents,
        at.charged, age, age_days, member,
        tuple([number for one in insured for number in one.pre_auth_ref]), *patient,
        (created, start, end, first, last, received(at), coded_on),
        provider, facility, payer, events,
        (
            kind, claim.use, claim.status, None if total is None else total.currency, CODES[bytes(claim.priority)],
            named(claim.provider), len(lines), len(diagnoses), len(insured), sum([1 for one in insured if one.focal]),
            claim.referral.reference if claim.referral else None, roles.get("attending"), roles.get("operating"),
            claim.meta.profile if claim.meta else (), (), code_of(claim.payee.type) if claim.payee else None, None,
            *_bill(at, kind, provider[_TAXONOMY]), at.odd, at.bad, near.lost, looked,
        ),
    )  # fmt: skip


def _bill(at: Reading, kind: str | None, taxonomy: str | None) -> Values:
    """The type of bill and what follows from it.

    The setting says whose NCCI edits hold: a practitioner's, a supplier's of equipment, an outpatient department's; of
    a stay nobody's.
    """
    bill = code_of(at.claim.sub_type) or at.said("typeofbill")
    if bill is not None and len(bill) == 3:
        bill = f"0{bill}"
    frequency = bill[3:] or None if bill else None
    if kind != "institutional":
        setting = None if kind != "professional" else "dme" if taxonomy in _SUPPLIERS else "practitioner"
        return (bill, frequency, False, False, setting)
    inpatient = None if bill is None else bill[1:3] in _INPATIENT
    setting = "outpatient" if (bill or "").lstrip("0")[:2] in _OUTPATIENT else None
    return (bill, frequency, inpatient, None if inpatient is None else not inpatient, setting)


def _payer(at: Reading, insured: Sequence[Insurance], insurances: Sequence[Values]) -> tuple[str | None, Values]:
    """The number of the member, and the coverage that is billed."""
    claim = at.claim
    if not insurances:
        return None, _UNINSURED
    focal_at, answered = None, False
    for place, one in enumerate(insured):
        if one.focal and focal_at is None:
            focal_at = place
        answered = answered or one.claim_response is not None
    focal_at = focal_at or 0
    _, member, (_, _, _, _, payer_id, payer_name, status, kind, relationship, start, end, *_) = insurances[focal_at]
    coverage = at.near.of(insured[focal_at].coverage)
    number, name = PAYS[at.near.of(claim.insurer)]
    holder = coverage.subscriber
    subscriber = at.near.of(holder)
    same = holder is not None and holder.reference == (claim.patient.reference if claim.patient else None)
    return member, (
        name or payer_name, number or payer_id,
        relationship, status, kind, start, end, holder is not None,
        same if holder is not None else None, same or relationship == "self", who.person(subscriber)[0],
        kind in _MEDICARE, kind in _MEDICAID,
        said_flag(claim.extension, "participating"), said_flag(claim.extension, "qualifying-apm"),
        answered,
        _KINDS.get(kind, "other"),
    )  # fmt: skip
