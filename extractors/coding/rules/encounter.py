"""Why the patient came: the level of an office visit (AMA/CMS 2021/2023 rules), the global period."""

from __future__ import annotations

import re

from extractors.coding.case import Candidate, Case, Rule, asked
from extractors.coding.done import add_service
from extractors.coding.rules.decision import LEVELS, by_decision
from extractors.coding.tables import table
from fhir_profiles.systems import CPT, HCPCS

LEVEL = Rule(
    "office-em",
    "CMS/AMA office E/M 2021",
    "An office visit by total time, stated decision making or two of its three elements",
)
GLOBAL = Rule(
    "global-period", "CMS global surgery", "A check after surgery within the global period is 99024 and no visit"
)
FIRST = Rule(
    "reason-for-encounter",
    "I.C.2.e.2, I.C.21.c.5",
    "Chemotherapy, screening, aftercare and examinations are first-listed",
)
OTHER_DAY = Rule(
    "examination-of-another-day", "I.C.21.c.13", "An examination of another day is not the reason for this encounter"
)
WHO = Rule("new-or-established", "CPT new and established patients", "Asks whether the patient is new or established")
HOW = Rule("visit-level", "CMS/AMA office E/M 2021", "Asks for the time or the decision making of a visit")
PROLONGED = Rule(
    "prolonged-payer",
    "CPT 99417, HCPCS G2212",
    "Asks for the payer of a prolonged visit: payers count from other minutes",
)
LASTING = Rule(
    "visit-complexity", "CMS G2211", "A Medicare visit that is part of lasting care of a serious condition takes G2211"
)
_LASTING = asked(
    r"\b(?:visit )?complexity add-?on\b|\blongitudinal (?:\w+ ){0,3}(?:relationship"
    r"|care)\b[^.;\n]{0,50}\b(?:serious|complex)"
    r"|\b(?:continuing|ongoing) focal point\b"
)
_NEW = asked(
    r"\bnew (?:adult |pediatric |clinic |medicare )?(?:patient|pt)\b"
    r"|\bnew to (?:the |our |this |my )?(?:practice|clinic|office|group)\b"
    r"|\b(?:first|initial) (?:office )?visit (?:to|in|with|at) (?:the|our|this|my)\b"
    r"|\bnever (?:been )?seen (?:here|before|in this|by (?:this|our|the))\b"
)
_KNOWN = asked(
    r"\best(?:ab(?:lished)?)?\.? (?:adult |pediatric |clinic |medicare )?(?:patient|pt)\b"
    r"|\bestablished with (?:the|our|this) (?:practice|clinic)\b"
    r"|\bestablished (?:office |clinic |video |audio )*visit\b|(?:^|[.;,\n] ?)established(?=[,.;:]"
    r"| (?:office )?visit| \d)"
)
_NURSE = asked(
    r"\bnurse(?:'s)?(?:[- ]only)? visit\b|\bnurse[- ]only\b"
    r"|\bseen (?:only )?by (?:the |a )?(?:nurse|medical assistant|ma|rn|lpn)(?! pract)\b"
)
_NUMBER = {
    w: n
    for n, w in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    )
}
_SPAN = r"(\d+|" + "|".join(_NUMBER) + r") (mos?|months?|yrs?|years?)"
_LAST_SEEN = asked(
    rf"\b(?:last seen|seen|last visit(?:ed)?|was here|previous visit|prior visit)\b[^.;\n]{{0,90}}?\b{_SPAN} ago"
    rf"|\bnot (?:been )?seen[^.;\n]{{0,40}}\b(?:in|for) (?:over |more than )?{_SPAN}"
)
_OTHER_SPECIALTY = asked(r"\b(?:different|another|other) specialty\b")
_TIME = asked(
    r"\b(\d{2,3}) min(?:ute)?s?\b[^.;\n]{0,30}\b(?:total|in all|of my time|on the (?:date|day))"
    r"|\btime spent(?: today| on (?:the )?(?:dos|day|date)(?: of (?:service|the encounter"
    r"|the visit))?)?:? (\d{2,3}) ?min"
    r"|\btotal(?: of|:)? (\d{2,3}) ?min|\btotal (?:visit |encounter )?time\b[^.;\n\d]{0,30}(\d{2,3}) ?min"
    r"|\bspent(?: a total of| about)? (\d{2,3}) ?min"
)
_LEVEL_SAID = asked(
    r"\blevel ([2-5]) (?:office |outpatient |clinic |e/?m |established |new )*(?:visit|service|patient|e/?m)\b"
    r"|\b(?:visit|service|e/?m),? level ([2-5])\b"
)
_POST_OP = asked(
    r"\bpost-?op(?:erative)?(?: visit| check| follow-?up)?(?: day| week)? ?#?\d{0,2}\b[^.;\n]{0,60}"
    r"|\b(?:weeks?|days?) (?:after|following|status post)"
    r"\b[^.;\n]{0,40}"
    r"|(?<!outside )(?<!after )\b(?:within|in|during|inside) (?:the |her |his )?(?:\d{2}[- ]day )?"
    r"global(?: surgical)? period\b"
)
_SURGERY = asked(r"surg(?:ery|eon|ical)|\w+ectomy|\w+plasty|repair|\w+otomy|post-?op|replacement|fusion|fixation")
_COMPLICATED = asked(
    r"(?<!no )(?<!without )\bcomplication|\bunrelated\b|\binfect(?!ion: no)|\bdehisc"
    r"|return to (?:the )?(?:or|operating)"
)
_VISIT = asked(r"\b(?:office|clinic|outpatient) visit\b|\bseen (?:today|in (?:the )?(?:office|clinic))\b")


def global_period(case: Case) -> None:
    """A check after surgery by the surgeon within the global period is 99024 and no visit level."""
    match = (
        case.first(_POST_OP)
        if case.says(
            "post-op",
            "postop",
            "post op",
            "ays after",
            "eeks after",
            "ay after",
            "eek after",
            "ays following",
            "eeks following",
            "status post",
            "global",
        )
        else None
    )
    if match is None or not case.first(_SURGERY) or case.first(_COMPLICATED):
        return
    if re.search(
        r"\b(?:check|visit|follow-?up|recheck|seen|sees|suture removal|dressing change)\b", case.text
    ) and not case.says("emergency department"):
        add_service(case, "99024", match.span(), GLOBAL, "A visit within the global period of surgery")


def office_level(case: Case) -> None:
    """New or established, then the level: by stated time, stated decision making, or two of its three elements."""
    if case.setting != "outpatient" or any(c.code == "99024" for c in case.candidates):
        return
    if any(c.code.startswith("99") and c.system == CPT and c.status == "accepted" for c in case.candidates):
        return  # a visit of another kind, or a printed one
    new = is_new(case)
    if new is None:
        visit = case.first(_VISIT) if case.says(" visit", "seen ") else None
        if visit is not None and (by_decision(case) or minutes_of(case)):
            case.ask(WHO, "Was the patient seen by the group and specialty within three years?", *visit.span())
        return
    at, newly = new
    nurse = None if newly else next(case.search(_NURSE), None)
    if nurse is not None:
        case.add("99211", *nurse.span(), LEVEL, "A visit to the nurse", system=CPT, confidence=0.75)
        return
    timed = _by_time(case, is_new=newly) or _by_number(case, is_new=newly)
    decided = by_decision(case)
    if timed is not None:
        code, span, why = timed
    elif decided is not None:
        level, span = decided
        code = table("office_em")["levels"]["new" if newly else "established"][level]
        why = f"{LEVELS[level]} decision making, two of three elements"
    else:
        case.ask(HOW, "How much time, or which decision making?", *at)
        return
    candidate = case.add(code, *span, LEVEL, why, system=CPT, confidence=0.75)
    if candidate is not None:
        candidate.evidence.append(at)
        _prolonged(case, candidate)
        _longitudinal(case)


def is_new(case: Case) -> tuple[tuple[int, int], bool] | None:
    """Where the text says it, and whether the patient is new: not seen by group and specialty for three years."""
    seen = case.first(_LAST_SEEN)
    if seen:
        if case.first(_OTHER_SPECIALTY):
            return seen.span(), True
        count, unit = (seen[1], seen[2]) if seen[1] else (seen[3], seen[4])
        months = (int(count) if count.isdigit() else _NUMBER[count]) * (12 if unit.startswith("y") else 1)
        return seen.span(), months >= 36
    for pattern, newly in ((_KNOWN, False), (_NEW, True)):
        if match := case.first(pattern):
            return match.span(), newly
    return None


def minutes_of(case: Case) -> tuple[int, tuple[int, int]] | None:
    """The stated total of minutes and where it stands."""
    match = case.first(_TIME) if case.says("min") else None
    return (int(match[1] or match[2] or match[3] or match[4] or match[5]), match.span()) if match else None


_AGE = asked(
    r"\baged? (?P<years>\d{1,3})\b(?!\.\d)|\b(?P<years2>\d{1,3})[- ]?(?:years?|yrs?)[- ]?(?:old|wcc|well)\b"
    r"|\b(?P<years3>\d{1,3})[- ]?y\.?/?o\b|\b(?P<months>\d{1,2})[- ]?(?:months?|mos?)[- ]?(?:old|wcc|well)\b"
    r"|\b(?P<months2>\d{1,2})[- ]?m\.?/?o\b|\b(?P<weeks>\d{1,2})[- ]?(?:weeks?|wks?|days?)[- ]?old\b"
)


def years_of(case: Case) -> int | None:
    """The stated age in whole years."""
    match = case.first(_AGE)
    if match is None:
        return None
    said = match.groupdict()
    if said["weeks"]:
        return 0
    months = said["months"] or said["months2"]
    return int(months) // 12 if months else int(said["years"] or said["years2"] or said["years3"])


def _by_number(case: Case, *, is_new: bool) -> tuple[str, tuple[int, int], str] | None:
    """A visit whose level is given by its number."""
    match = next(case.search(_LEVEL_SAID), None) if case.says("level") else None
    if match is None:
        return None
    code = table("office_em")["levels"]["new" if is_new else "established"][int(match[1] or match[2]) - 2]
    return code, match.span(), "The level is given"


def _by_time(case: Case, *, is_new: bool) -> tuple[str, tuple[int, int], str] | None:
    found = minutes_of(case)
    if found is None:
        return None
    codes = table("office_em")["minutes"]["new" if is_new else "established"]
    reached = [code for least, code in codes if found[0] >= least]
    return (reached[-1], found[1], f"{found[0]} minutes in total") if reached else None


def _prolonged(case: Case, visit: Candidate) -> None:
    """Fifteen minutes beyond the longest visit are a further code, counted from another minute by Medicare."""
    found = minutes_of(case)
    if found is None or visit.code not in ("99205", "99215"):
        return
    beyond = found[0] - (60 if visit.code == "99205" else 40)
    if beyond < 15:
        return
    if case.says("medicare"):
        over = found[0] - (89 if visit.code == "99205" else 69)
        if over >= 0:
            add_service(
                case,
                "G2212",
                found[1],
                PROLONGED,
                "Prolonged beyond Medicare's minutes",
                system=HCPCS,
                units=over // 15 + 1,
            )
    elif case.says("commercial", "private insurance"):
        add_service(case, "99417", found[1], PROLONGED, "Prolonged by 15 minutes or more", units=beyond // 15)
    else:
        case.ask(PROLONGED, "Who pays? Medicare and others count prolonged time from different minutes", *found[1])


def other_day(case: Case) -> None:
    """An examination of another day, or one that is due, is not the reason for this encounter."""
    for candidate in case.accepted("Z00", "Z01.4"):
        if _OTHER_DAY.search(case.text, max(0, candidate.start - 40), candidate.start):
            case.reject(candidate, OTHER_DAY, "The words tell of another day")


_OTHER_DAY = re.compile(
    r"\b(?:last|prior|previous|recent|past|upcoming|next|due for(?: an?| his| her)?|(?:as )?part of (?:an?|his|her|the)"
    r"|(?:at|during|since|from|on|before|after) (?:an?|his|her|their|the)(?: last| recent| previous| prior)?)"
    r" (?:(?:annual|yearly|routine|adult|wellness|health|preventive) )*$"
)


def _longitudinal(case: Case) -> None:
    """Medicare counts by itself that a visit is part of the lasting care of a serious or complex condition."""
    said = next(case.search(_LASTING), None) if case.says("medicare") else None
    if said is not None:
        add_service(case, "G2211", said.span(), LASTING, "The text says that the care lasts", system=HCPCS)


def reason_first(case: Case) -> None:
    """Chemotherapy, screening and examination encounters are first-listed."""
    for candidate in case.accepted("Z51.0", "Z51.1", "Z12", "Z00", "Z01", "Z47", "Z48", "Z08", "Z09", "Z34"):
        candidate.rank = min(candidate.rank, -4)
        case.note(candidate, FIRST, "The reason for the encounter is first-listed")


RULES = (global_period, office_level, other_day, reason_first)
