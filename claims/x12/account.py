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
from claims.x12.opened import shared
from fhir_profiles.systems import X12_FILING


class Account(NamedTuple):
    """The segments after the HL of each level; `patient` is empty when the subscriber is the patient."""

    billing: str
    subscriber: str
    patient: str


def account(draft: Draft, claim: Claim, near: Parties, kind: Kind, billing: Provider) -> Account:
    """The levels above one claim."""
    ordered = claim.insurance
    if len(ordered) > 1:
        ordered = sorted(ordered, key=lambda one: one.sequence)
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
    dead = patient.deceased_date_time is not None
    died = ""
    if dead:
        died = segment("PAT", "", "", "", "", "D8", draft.date(patient.deceased_date_time, "Patient.deceasedDateTime"))
    text = sbr(draft, rank, coverage, kind, "18" if own else "") + (died if own else "")
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
        return Account(_billing(draft, billing.party, billing.taxonomy), text, "")
    relation = RELATIONSHIPS.get(code_of(coverage.relationship) or "", "G8")
    pat = segment("PAT", relation, "", "", "", *(("D8", died[:-1].split("*")[-1]) if dead else ()))
    ill = (
        pat
        + named(draft, "QC", patient, "Patient")
        + address(draft, patient, "Patient")
        + birth(draft, patient, "Patient")
    )
    return Account(_billing(draft, billing.party, billing.taxonomy), text, ill)


def sbr(draft: Draft, rank: int, coverage: Party, kind: Kind, relation: str) -> str:
    """SBR: which payer in order, how the patient is related, the group, the kind of plan."""
    if rank >= len(RANKS):
        draft.wrong("Claim.insurance", "X12 holds at most eleven payers: send fewer")
    group = _group(coverage)
    code = _kind(coverage)
    number = draft.number(group.get("value"), 50, "Coverage.class.value")
    title = "" if number else draft.maybe(group.get("name"), 60, "Coverage.class.name")
    why = (said_code(coverage.extension, "medicare-secondary") or "") if kind == "professional" else ""
    if why and why not in SECONDARY:
        why = draft.wrong("Coverage.extension", "Not a reason why Medicare pays second that X12 knows: correct it")
    return f"SBR*{RANKS[min(rank, 10)]}*{relation}*{number}*{title}*{why}****{filing(code, kind)}~"


def _group(coverage: Party) -> dict[str, Any]:
    """The first class that is a group."""
    for one in coverage.groups if isinstance(coverage.groups, list) else ():
        if isinstance(one, dict) and code_of_class(one) == "group":
            return one
    return {}


def _kind(coverage: Party) -> str | None:
    """The kind of plan: in the words of X12 where it has them, else the first."""
    kinds = coverage.type.get("coding") if isinstance(coverage.type, dict) else None
    codings = [c for c in kinds or () if isinstance(c, dict)]
    for one in codings:
        if one.get("system") == X12_FILING:
            return one.get("code") or codings[0].get("code")
    return codings[0].get("code") if codings else None


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
    title = None if who.title(found) else coverage.payor[0].display if coverage.payor else None
    return _paying(draft, found, title, one.sequence - 1)


@shared
def _paying(draft: Draft, found: Party, called: str | None, n: int) -> str:
    """`called` is how the coverage calls a payer that has no name."""
    number = found.identifier[0].value if found.identifier else None
    place = f"Claim.insurance[{n}].coverage.payor"
    text = draft.number(number, 80, f"{place}.identifier", "the identifier of the payer")
    if text and len(text) < 2:
        text = draft.wrong(f"{place}.identifier", "The identifier of a payer has at least two characters: correct it")
    name = draft.text(who.title(found) or called, 60, f"{place}.name", "the name of the payer")
    segments = segment("NM1", "PR", "2", name, "", "", "", "", "PI", text)
    return segments + (address(draft, found, place) if who.address(found).line else "")


@shared
def _billing(draft: Draft, party: Party, taxonomy: str | None) -> str:
    at = "Claim.provider"
    if party is NOBODY:
        draft.missing(at, "who bills, with name, address, NPI and tax identifier")
        return ""
    taxonomy = draft.number(taxonomy, 10, f"{at}.specialty")
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
