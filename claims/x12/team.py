"""Who treats: the care team as the provider loops 2310 of a claim and 2420 of its lines."""

from __future__ import annotations

from claims.sheet.parties import NOBODY, Parties
from claims.sheet.reading import code_of
from claims.sheet.shapes import CareTeam, Claim, Party
from claims.x12.codes import CLAIM_ROLES, LINE_ROLES, PERSONS, ROLES, TAXONOMIES, Kind
from claims.x12.elements import Draft, segment
from claims.x12.names import is_person, provider, provider_name
from claims.x12.opened import shared
from fhir_profiles.systems import NUCC

Members = dict[str, CareTeam]
"""NM101 → who has the role."""

NOBODY_ELSE: Members = {}


def teams(claim: Claim, kind: Kind) -> tuple[Members, list[Members]]:
    """Those of the claim, and of each line those who are others than the claim's.

    A line without careTeamSequence has the whole team. What every line has is said once, for the claim.
    """
    by_number = {member.sequence: member for member in claim.care_team}
    whole = _roles(claim.care_team)
    asked = [item.care_team_sequence for item in claim.item]
    for_claim: Members
    if kind == "professional" and "DK" not in whole and all(not one or len(one) == len(by_number) for one in asked):
        return {role: whole[role] for role in CLAIM_ROLES[kind] if role in whole}, [NOBODY_ELSE] * len(asked)
    if not any(asked):
        for_claim = {role: whole[role] for role in CLAIM_ROLES[kind] if role in whole}
        rest = {role: whole[role] for role in LINE_ROLES[kind] if role in whole and role not in for_claim}
        return for_claim, [rest] * len(asked)
    lines = [
        _roles([by_number[n] for n in item.care_team_sequence if n in by_number]) if item.care_team_sequence else whole
        for item in claim.item
    ]
    for_claim = {}
    for role in CLAIM_ROLES[kind]:
        if role in whole and (role in ("71",) or all(role in line for line in lines)):
            for_claim[role] = lines[0][role] if lines and role in lines[0] else whole[role]
    own = LINE_ROLES[kind]
    return for_claim, [
        {role: line[role] for role in own if role in line and line[role] is not for_claim.get(role)} for line in lines
    ]


def _roles(members: list[CareTeam]) -> Members:
    found: Members = {}
    for member in members:
        role = ROLES.get(code_of(member.role) or "")
        if role:
            found.setdefault(role, member)
    return found


def member_text(draft: Draft, near: Parties, kind: Kind, role: str, member: CareTeam) -> str:
    """NM1 of one of the team, and PRV where X12 has it."""
    found = provider(near, member.provider)
    if found.party is NOBODY:
        return draft.missing(f"Claim.careTeam[{member.sequence - 1}].provider", "the name and NPI of who treats")
    as_who = TAXONOMIES.get((kind, role))
    taxonomy = code_of(member.qualification, NUCC) or found.taxonomy if as_who else None
    return _member(draft, found.party, role, as_who, taxonomy, member.sequence - 1)


@shared
def _member(draft: Draft, party: Party, role: str, as_who: str | None, taxonomy: str | None, n: int) -> str:
    at = f"Claim.careTeam[{n}].provider"
    if role in PERSONS and not is_person(party):
        return draft.wrong(at, "X12 holds only a person in this role: name the Practitioner")
    text = provider_name(draft, role, party, at)
    if as_who is None or not taxonomy:
        return text
    if len(taxonomy) != 10:
        return draft.wrong(f"Claim.careTeam[{n}].qualification", "A taxonomy code has ten characters")
    return text + segment("PRV", as_who, "PXC", draft.number(taxonomy, 10, at))
