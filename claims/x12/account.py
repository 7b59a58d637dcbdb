"""Who bills, who is insured and who is ill: loops 2000A, 2000B and 2000C of an 837."""

from __future__ import annotations

from typing import Any, NamedTuple

from claims.sheet import parties as who
from claims.sheet.parties import NOBODY, Parties
from claims.sheet.reading import code_of, said_code
from claims.sheet.shapes import Claim, Insurance, Party
from claims.x12.codes import RANKS, RELATIONSHIPS, SECONDARY, Kind, filing
from claims.x12.elements import Draft, segment
from claims.x12.names import Provider, address, birth, digits, named, provider_name
from fhir_profiles.systems import X12_FILING


class Account(NamedTuple):
    """The segments after the HL of each level; `patient` is empty when the subscriber is the patient."""

    billing: str
    subscriber: str
    patient: str


def account(draft: Draft, claim: Claim, near: Parties, kind: Kind, billing: Provider) -> Account:
    """The levels above one claim."""
    ordered = sorted(claim.insurance, key=lambda one: one.sequence)
    rank = next((n for n, one in enumerate(ordered) if one.focal), 0)
    if not ordered:
        draft.missing("Claim.insurance", "the coverage that is billed")
        return Account("", "", "")
    focal = ordered[rank]
    coverage = near.of(focal.coverage)
    patient = near.of(claim.patient)
    same = coverage.subscriber is not None and claim.patient is not None
    same = same and coverage.subscriber.reference == claim.patient.reference  # type: ignore[union-attr]
    own = same or code_of(coverage.relationship) == "self"
    insured = patient if own else near.of(coverage.subscriber)
    died = segment("PAT", "", "", "", "", "D8", draft.date(patient.deceased_date_time, "Patient.deceasedDateTime"))
    dead = patient.deceased_date_time is not None
    text = sbr(draft, rank, coverage, kind, "18" if own else "") + (died if dead and own else "")
    member = draft.number(coverage.subscriber_id, 80, "Coverage.subscriberId", "the number of the member")
    if member and len(member) < 2:
        member = draft.wrong("Coverage.subscriberId", "The number of a member has at least two characters: correct it")
    element = "Patient" if own else "Coverage.subscriber"
    if insured is NOBODY:
        draft.missing(element, "who is insured")
    text += named(draft, "IL", insured, element, "MI", member)
    if own or (who.address(insured).line and insured.birth_date):
        text += address(draft, insured, element) + birth(draft, insured, element)
    text += payer(draft, claim, near, focal, coverage)
    if own:
        return Account(_billing(draft, billing), text, "")
    relation = RELATIONSHIPS.get(code_of(coverage.relationship) or "", "G8")
    pat = segment("PAT", relation, "", "", "", *(("D8", died[:-1].split("*")[-1]) if dead else ()))
    ill = (
        pat
        + named(draft, "QC", patient, "Patient")
        + address(draft, patient, "Patient")
        + birth(draft, patient, "Patient")
    )
    return Account(_billing(draft, billing), text, ill)


def sbr(draft: Draft, rank: int, coverage: Party, kind: Kind, relation: str) -> str:
    """SBR: which payer in order, how the patient is related, the group, the kind of plan."""
    if rank >= len(RANKS):
        draft.wrong("Claim.insurance", "X12 holds at most eleven payers: send fewer")
    group = next((g for g in _groups(coverage) if code_of_class(g) == "group"), {})
    kinds = coverage.type.get("coding") if isinstance(coverage.type, dict) else None
    codings = [c for c in kinds or () if isinstance(c, dict)]
    code = next((c.get("code") for c in codings if c.get("system") == X12_FILING), None)
    code = code or (codings[0].get("code") if codings else None)
    number = draft.number(group.get("value"), 50, "Coverage.class.value")
    title = "" if number else draft.maybe(group.get("name"), 60, "Coverage.class.name")
    why = (said_code(coverage.extension, "medicare-secondary") or "") if kind == "professional" else ""
    if why and why not in SECONDARY:
        why = draft.wrong("Coverage.extension", "Not a reason why Medicare pays second that X12 knows: correct it")
    return segment("SBR", RANKS[min(rank, 10)], relation, number, title, why, "", "", "", filing(code, kind))


def _groups(coverage: Party) -> list[dict[str, Any]]:
    return [g for g in coverage.groups or () if isinstance(g, dict)] if isinstance(coverage.groups, list) else []


def code_of_class(group: dict[str, Any]) -> str | None:
    """The code of a Coverage.class."""
    kind = group.get("type")
    codings = kind.get("coding") if isinstance(kind, dict) else None
    return codings[0].get("code") if codings else None


def payer(draft: Draft, claim: Claim | None, near: Parties, one: Insurance, coverage: Party) -> str:
    """NM1 of who pays, with the address where it is known."""
    found = near.of(claim.insurer) if claim is not None else NOBODY
    if found is NOBODY or not found.identifier:
        found = near.of(coverage.payor[0]) if coverage.payor else found
    number = found.identifier[0].value if found.identifier else None
    place = f"Claim.insurance[{one.sequence - 1}].coverage.payor"
    text = draft.number(number, 80, f"{place}.identifier", "the identifier of the payer")
    if text and len(text) < 2:
        text = draft.wrong(f"{place}.identifier", "The identifier of a payer has at least two characters: correct it")
    title = who.title(found) or (coverage.payor[0].display if coverage.payor else None)
    name = draft.text(title, 60, f"{place}.name", "the name of the payer")
    segments = segment("NM1", "PR", "2", name, "", "", "", "", "PI", text)
    return segments + (address(draft, found, place) if who.address(found).line else "")


def _billing(draft: Draft, billing: Provider) -> str:
    party, at = billing.party, "Claim.provider"
    if party is NOBODY:
        draft.missing(at, "who bills, with name, address, NPI and tax identifier")
        return ""
    taxonomy = draft.number(billing.taxonomy, 10, f"{at}.specialty")
    if taxonomy and len(taxonomy) != 10:
        taxonomy = draft.wrong(f"{at}.specialty", "A taxonomy code has ten characters: correct it")
    tax, ssn = digits(who.tax(party)), digits(who.ssn(party))
    number, kind = (tax, "EI") if tax or not ssn else (ssn, "SY")
    if not number:
        draft.missing(f"{at}.identifier", "the tax identifier of who bills (EIN or SSN)")
    elif len(number) != 9 or not number.isdigit():
        number = draft.wrong(f"{at}.identifier", "A tax identifier has nine digits: correct it")
    return (
        (segment("PRV", "BI", "PXC", taxonomy) if taxonomy else "")
        + provider_name(draft, "85", party, at)
        + address(draft, party, at)
        + segment("REF", kind, number)
    )
