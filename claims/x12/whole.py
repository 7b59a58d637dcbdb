"""What professional and institutional claims say alike in loop 2300 of an 837."""

from __future__ import annotations

from claims.sheet.parties import NOBODY, Parties
from claims.sheet.reading import code_of, said_flag
from claims.sheet.shapes import Claim, Info
from claims.x12.codes import FREQUENCIES, NUMBERS, Kind
from claims.x12.elements import Draft, number, segment
from claims.x12.names import address, provider, provider_name

Infos = dict[str, tuple[int, Info]]


def infos(claim: Claim) -> Infos:
    """Category → its first supporting information and where that stands."""
    found: Infos = {}
    for n, info in enumerate(claim.supporting_info):
        found.setdefault(code_of(info.category) or "", (n, info))
    return found


def said(draft: Draft, known: Infos, category: str, most: int, what: str | None = None) -> str:
    """The code or text of a category."""
    if category not in known:
        return draft.missing("Claim.supportingInfo", what) if what else ""
    n, info = known[category]
    value = code_of(info.code) or info.value_string
    if value and (found := number(value)) and len(found) <= most:
        return found
    return draft.number(value, most, f"Claim.supportingInfo[{n}]", what)


def clm(draft: Draft, claim: Claim, place: str, signed: str, more: tuple[str, ...] = ()) -> str:
    """CLM; who takes part or does not say accepts what the payer allows."""
    control = claim.identifier[0].value if claim.identifier else None
    number = draft.number(control, 38, "Claim.identifier", "the number that the submitter gave the claim")
    total = draft.money(claim.total, "Claim.total", "the total charge")
    accepts = "C" if said_flag(claim.extension, "participating") is False else "A"
    if more:
        return segment("CLM", number, total, "", "", place, signed, accepts, "Y", "Y", *more)
    return f"CLM*{number}*{total}***{place}*{signed}*{accepts}*Y*Y~"


def frequency(draft: Draft, claim: Claim) -> str:
    """CLM05-3: 1, or what the claim does to an earlier one."""
    if not claim.related:
        return "1"
    how = FREQUENCIES.get(code_of(claim.related[0].relationship) or "")
    if how is None:
        text = "A claim is related as replaces, or as 7 or 8: say which"
        return draft.wrong("Claim.related[0].relationship", text)
    return how


def references(draft: Draft, claim: Claim, near: Parties, known: Infos, kind: Kind) -> str:
    """REF: referral, authorisation, the payer's number of an earlier claim, certificates and studies."""
    text = ""
    if claim.referral is not None:
        referral = near.of(claim.referral)
        number = referral.identifier[0].value if referral is not NOBODY and referral.identifier else None
        value = draft.number(number, 50, "Claim.referral", "the number of the referral")
        text += segment("REF", "9F", value)
    authorised = next((number for one in claim.insurance for number in one.pre_auth_ref), None)
    if authorised:
        text += segment("REF", "G1", draft.number(authorised, 50, "Claim.insurance.preAuthRef"))
    if claim.related:
        reference = claim.related[0].reference
        number = reference.value if reference else None
        what = "the number that the payer gave the claim it changes"
        text += segment("REF", "F8", draft.number(number, 50, "Claim.related[0].reference", what))
    for category, qualifier in NUMBERS.items() if known else ():
        if category in known and (kind == "professional" or category == "clinical-trial"):
            text += segment("REF", qualifier, said(draft, known, category, 50, "the number"))
    return text


def facility(draft: Draft, claim: Claim, near: Parties) -> str:
    """NM1, N3 and N4 of where the services were rendered."""
    if claim.facility is None:
        return ""
    party = provider(near, claim.facility, bills=True).party
    if party is NOBODY:
        return draft.missing("Claim.facility", "the name, address and NPI of the facility")
    return provider_name(draft, "77", party, "Claim.facility") + address(draft, party, "Claim.facility")
