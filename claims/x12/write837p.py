"""A professional claim as loop 2300 of an 837P (005010X222A1)."""

from __future__ import annotations

import re
from collections import Counter

from claims.sheet.parties import Parties
from claims.sheet.reading import code_of, said_code
from claims.sheet.shapes import Claim
from claims.x12.codes import ACCIDENTS, CLAIM_ROLES, EVENTS, STAYS
from claims.x12.diagnoses import pointed
from claims.x12.elements import Draft, composite, segment
from claims.x12.lines import line_text
from claims.x12.others import others
from claims.x12.team import member_text, teams
from claims.x12.whole import Infos, clm, facility, frequency, infos, references, said

MOST_LINES = 50
_PLACE = re.compile(r"[0-9A-Z]{2}")


def professional(draft: Draft, claim: Claim, near: Parties) -> str:
    """The segments from CLM to the last line."""
    if not 1 <= len(claim.item) <= MOST_LINES:
        draft.wrong("Claim.item", "A professional claim has 1 to 50 lines: part it")
    known = infos(claim) if claim.supporting_info else {}
    place = said_code(claim.extension, "place-of-service")
    if place is None:
        places = [code_of(item.location_codeable_concept) for item in claim.item]
        place = places[0] if len(set(places)) == 1 else Counter(places).most_common(1)[0][0] if places else None
    if not place:
        draft.missing("Claim.item.locationCodeableConcept", "the place of service")
    elif not _PLACE.fullmatch(place):
        draft.wrong("Claim.item.locationCodeableConcept", "A place of service has two characters: correct it")
    late = said(draft, known, "delay-reason", 2)
    how = composite(place or "", "B", frequency(draft, claim))
    more = ("", _accident(draft, claim), "", "", "", "", "", "", "", "", late) if claim.accident or late else ()
    diagnoses, numbered = pointed(draft, claim)
    for_claim, for_lines = teams(claim, "professional")
    text = clm(draft, claim, how, "Y", more) + _dates(draft, claim, known)
    if "patient-paid" in known:
        n, info = known["patient-paid"]
        amount = info.value_quantity.value if info.value_quantity else None
        at = f"Claim.supportingInfo[{n}].valueQuantity"
        paid = draft.missing(at, "the amount") if amount is None else draft.cents(round(amount * 100), at)
        text += segment("AMT", "F5", paid)
    text += references(draft, claim, near, known, "professional") + diagnoses
    for role in CLAIM_ROLES["professional"]:
        if role == "DQ":
            text += facility(draft, claim, near)
        if role in for_claim:
            text += member_text(draft, near, "professional", role, for_claim[role])
    paid_by = others(draft, claim, near, "professional")
    parts = [text, paid_by.text]
    for n, item in enumerate(claim.item, 1):
        parts.append(line_text(draft, item, near, "professional", n, numbered, place, for_lines[n - 1], paid_by))
    return "".join(parts)


def _accident(draft: Draft, claim: Claim) -> str:
    if claim.accident is None:
        return ""
    kind = ACCIDENTS.get(code_of(claim.accident.type) or "", "OA")
    where = claim.accident.location_address
    state = draft.number(where.state if where else None, 2, "Claim.accident.location.state")
    if kind == "AA" and not state:
        draft.missing("Claim.accident.location.state", "the state of an automobile accident")
    return composite(kind, "", "", state)


def _dates(draft: Draft, claim: Claim, known: Infos) -> str:
    if not known and claim.accident is None:
        return ""
    text = ""
    for category in ("onset", "initial-treatment", "last-seen"):
        text += _event(draft, known, category)
    if claim.accident is not None:
        day = draft.date(claim.accident.date, "Claim.accident.date", "the day of the accident")
        text += segment("DTP", "439", "D8", day)
    text += _event(draft, known, "last-menstrual-period")
    for category in STAYS & known.keys():
        n, info = known[category]
        period = info.timing_period
        start = draft.date(
            period.start if period else None, f"Claim.supportingInfo[{n}].timing", "the day of admission"
        )
        end = draft.date(period.end if period else None, f"Claim.supportingInfo[{n}].timing")
        text += segment("DTP", "435", "D8", start) + (segment("DTP", "096", "D8", end) if end else "")
        break
    return text


def _event(draft: Draft, known: Infos, category: str) -> str:
    if category not in known:
        return ""
    n, info = known[category]
    day = draft.date(info.timing_date, f"Claim.supportingInfo[{n}].timing", "the day")
    return segment("DTP", EVENTS[category], "D8", day)
