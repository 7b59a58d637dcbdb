"""An institutional claim as loop 2300 of an 837I (005010X223A2)."""

from __future__ import annotations

import re

from claims.sheet.parties import Parties
from claims.sheet.reading import code_of
from claims.sheet.shapes import Claim
from claims.x12.codes import CLAIM_ROLES, FREQUENCIES, STAYS
from claims.x12.diagnoses import billed, listed
from claims.x12.elements import Draft, composite, segment
from claims.x12.lines import line_text
from claims.x12.others import others
from claims.x12.team import member_text, teams
from claims.x12.whole import Infos, clm, facility, infos, references, said

MOST_LINES = 999
_BILL = re.compile(r"[0-9][0-9A-Z][0-9A-Z]")
_HOUR = re.compile(r"([01][0-9]|2[0-3])([0-5][0-9])?")


def institutional(draft: Draft, claim: Claim, near: Parties) -> str:
    """The segments from CLM to the last line."""
    if not 1 <= len(claim.item) <= MOST_LINES:
        draft.wrong("Claim.item", "An institutional claim has 1 to 999 lines: part it")
    known = infos(claim)
    for_claim, for_lines = teams(claim, "institutional")
    late = said(draft, known, "delay-reason", 2)
    more = ("", "", "", "", "", "", "", "", "", "", late) if late else ()
    text = clm(draft, claim, _bill(draft, claim, known), "", more) + _dates(draft, claim, known)
    text += _admission(draft, known)
    text += references(draft, claim, near, known, "institutional") + listed(draft, claim, known) + billed(draft, claim)
    if "71" not in for_claim:
        draft.missing("Claim.careTeam", "the attending provider, with the role attending")
    for role in CLAIM_ROLES["institutional"]:
        if role in for_claim:
            text += member_text(draft, near, "institutional", role, for_claim[role])
        if role == "82":
            text += facility(draft, claim, near)
    paid_by = others(draft, claim, near, "institutional")
    parts = [text, paid_by.text]
    for n, item in enumerate(claim.item, 1):
        parts.append(line_text(draft, item, near, "institutional", n, {}, None, for_lines[n - 1], paid_by))
    return "".join(parts)


def _bill(draft: Draft, claim: Claim, known: Infos) -> str:
    code = code_of(claim.sub_type) or said(draft, known, "typeofbill", 4)
    bill = (code or "").upper()
    bill = bill[1:] if len(bill) == 4 and bill[0] == "0" else bill
    if not bill:
        return draft.missing("Claim.subType", "the type of bill")
    if not _BILL.fullmatch(bill):
        return draft.wrong(
            "Claim.subType", "A type of bill has three characters, or four that begin with 0: correct it"
        )
    if claim.related and FREQUENCIES.get(code_of(claim.related[0].relationship) or "", bill[2]) != bill[2]:
        draft.wrong("Claim.subType", "The type of bill and Claim.related say different frequencies: correct one")
    return composite(bill[:2], "A", bill[2])


def _dates(draft: Draft, claim: Claim, known: Infos) -> str:
    text = ""
    left = said(draft, known, "discharge-hour", 4)
    if left:
        text += segment("DTP", "096", "TM", _time(draft, left))
    period = claim.billable_period
    start = draft.date(period.start if period else None, "Claim.billablePeriod.start", "the first day of the bill")
    end = draft.date(period.end if period else None, "Claim.billablePeriod.end", "the last day of the bill")
    text += segment("DTP", "434", "RD8", f"{start}-{end}")
    for category in STAYS & known.keys():
        n, info = known[category]
        stay = info.timing_period
        day = draft.date(stay.start if stay else None, f"Claim.supportingInfo[{n}].timing", "the day of admission")
        hour = said(draft, known, "admission-hour", 4)
        text += segment("DTP", "435", "DT", f"{day}{_time(draft, hour)}") if hour else segment("DTP", "435", "D8", day)
        break
    return text


def _time(draft: Draft, hour: str) -> str:
    if not _HOUR.fullmatch(hour):
        return draft.wrong("Claim.supportingInfo", "An hour is 00 to 23, with minutes or without: correct it")
    return hour.ljust(4, "0")


def _admission(draft: Draft, known: Infos) -> str:
    kind = said(draft, known, "admtype", 1, "the type of admission (category admtype)")
    source = said(draft, known, "pointoforigin", 1)
    status = said(draft, known, "discharge-status", 2, "the status of the patient (category discharge-status)")
    return segment("CL1", kind, source, status)
