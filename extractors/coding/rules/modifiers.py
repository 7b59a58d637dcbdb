"""Modifiers that the text gives a service: 24, 25, 57, 59, 76, 91, 95 and the like (CPT appendix A, in our words)."""

from __future__ import annotations

import re

from extractors.coding.case import Candidate, Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.tables import table
from fhir_profiles.systems import CPT, HCPCS

SEPARATE = Rule(
    "modifier-25",
    "CPT modifier 25",
    "A visit beside a minor procedure takes 25 where the text says that it stood by itself",
)
UNRELATED = Rule(
    "modifier-24", "CPT modifier 24", "A visit in the global period that has nothing to do with the surgery takes 24"
)
AGAIN = Rule(
    "modifier-76",
    "CPT modifiers 76, 77, 91",
    "A service repeated the same day, by the same or another person; 91 a test",
)
TURNED = Rule(
    "modifier-pt", "CMS modifiers PT, 33", "A screening colonoscopy in which something was done takes PT or 33"
)
DECIDED = Rule("modifier-57", "CPT modifier 57", "A visit that led to major surgery that day or the next takes 57")
APART = Rule(
    "modifier-59",
    "CPT modifier 59, NCCI policy manual ch. I",
    "A service that is part of another takes 59 where the text says that it was at another place",
)
FAR = Rule("modifier-95", "CPT modifiers 93, 95; HCPCS modifier GT", "A visit by video takes 95 or GT, by telephone 93")
WAIVED = Rule(
    "modifier-qw", "CMS modifier QW", "A test that the text calls waived takes QW, but for the few that need none"
)
PREVENTING = Rule("modifier-33", "CMS Pub 100-04 ch. 18, 140.8", "Advance care planning at a wellness visit takes 33")
ASK = Rule("separate-visit", "CPT modifier 25", "Asks whether a visit beside a procedure was significant and separate")
_SEPARATE = asked(
    r"\b(?:separate(?:ly)?|significant|distinct|unrelated|in addition|additionally|also (?:had|has"
    r"|complain\w+|addressed|evaluated|destr\w+|remov\w+|inject\w+|shav\w+|punch|drain\w+"
    r"|excis\w+|biops\w+|repair\w*|cryo\w*)|as well as)\b"
)
_UNRELATED = asked(r"\bunrelated\b[^.;\n]{0,60}|\bnot related to (?:the |her |his )?(?:surgery|operation|procedure)")
_GLOBAL = asked(
    r"\bpost-?op\w*|\bglobal(?: period)?\b|\bpod ?#?\d+\b|\b(?:days?|weeks?|wks?) (?:after|since|s/p|status post)\b"
)
_REPEATED = re.compile(r"\b(?:repeat(?:ed)?|second|again)\b")
_SAME_DAY = re.compile(
    r"\bsame (?:day|date|visit|physician|doctor|provider)|\blater (?:that|the same) day"
    r"|\b(?:another|different) (?:physician|doctor|provider)|\bsame (?:radiologist|cardiologist|surgeon)"
)
_DECISION = asked(
    r"\bdecision (?:was )?(?:made )?(?:for|to (?:operate|proceed|perform|do|take))\b[^.;\n]{0,60}"
    r"|\bdecided (?:to operate|on surgery)\b"
)
_OPERATION = re.compile(
    r"\b(?:surg\w+|operat\w+|laparoscop\w*|orif|\w+(?:ectomy|plasty|otomy)|repair|fixation|bypass)\b"
)
_SOON = asked(
    r"\b(?:today|tonight|tomorrow|in the morning|now|this (?:morning|afternoon|evening)|urgent\w*|emergen\w+"
    r"|next day|same day)\b"
)
_VIDEO = asked(
    r"\b(?:telehealth|telemedicine|tele-?visit|(?:video|virtual) (?:visit|encounter|call|appointment|session)"
    r"|audio[- /]*(?:and |& )?(?:video|visual)|(?:by|via|over|through) (?:secure |live |two-way )?video)\b"
)
_NO_VIDEO = asked(
    r"\b(?:audio[- ]only|telephone[- ]only|by (?:tele)?phone only|no video|video (?:failed|not available))\b"
)
_NOT_TODAY = re.compile(
    r"\b(?:declin\w+|refus\w+|offered|last|prior|previous\w*|instead of|next|schedul\w+|future|in person|was a"
    r"|prefers?)\b"
)
_GT = re.compile(
    r"\b(?:modifier|requires?|wants?|asks? for|needs?|append|bill(?:s|ed)? with)\b[^.;\n]{0,16}\bgt\b|\bgt modifier\b"
)
_WAIVED = asked(r"\b(?:clia[- ])?waived\b")
_DISTANT = ("9920", "9921", "9083", "9084", "9079", "99406", "99407", "99497", "G0438", "G0439", "G0447", "G0444")
_ELSEWHERE = asked(
    r"\b(?:separate|different|distinct|another|other|second) (?:\w+ ){0,2}?(?:sites?|lesions?|areas?|locations?|polyps?"
    r"|anatomic\w*|wounds?|joints?|incisions?|sessions?|segments?|intervals?)\b|\bseparate (?:rectal|sigmoid"
    r"|cecal|colon\w*) polyp"
)
_ANOTHER = re.compile(r"\b(?:another|different) (?:physician|doctor|provider)")
_VISITS = ("99202", "99203", "99204", "99205", "99211", "99212", "99213", "99214", "99215")
_MINOR = ("10", "11", "12", "13", "17", "2055", "206", "6920", "6921", "5830", "4608", "5170", "3010")
_OTHER_VISITS = ("9922", "9923", "9928", "9924", "9925")
_PREVENTIVE = ("9938", "9939", "G0438", "G0439", "G0402")


def modifiers(case: Case) -> None:
    """25 and 24 on the visit of the day."""
    lines = _open_lines(case)
    visit = next((c for c in lines if c.code in _VISITS), None)
    if visit is None:
        return
    unrelated = case.first(_UNRELATED)
    if unrelated and case.first(_GLOBAL):
        _give(visit, "24", UNRELATED, "It has nothing to do with the surgery")
    beside = next((c for c in lines if c.code.startswith((*_MINOR, *_PREVENTIVE))), None)
    if beside is None:
        return
    said = case.first(_SEPARATE)
    if said is not None:
        _give(visit, "25", SEPARATE, f"It stood by itself beside {beside.code}")
        visit.evidence.append(said.span())
    else:
        case.ask(ASK, "Was the visit significant and separate from the procedure?", visit.start, visit.end)


def again(case: Case) -> None:
    """76 on what the same physician repeats that day, 77 on what another one does, 91 on a repeated test."""
    if case.setting != "outpatient" or not case.says("repeat", "second", "again"):
        return
    for line in case.candidates:
        if line.system != CPT or line.status != "accepted" or line.printed or line.code.startswith(("99", "9637")):
            continue
        low, high = bounds(case.text, line.start, line.end)
        if not _REPEATED.search(case.text, low, high) or not _SAME_DAY.search(case.text, low, high):
            continue
        test = line.code.startswith("8")
        modifier = "91" if test else "77" if _ANOTHER.search(case.text, low, high) else "76"
        _give(line, modifier, AGAIN, "It was repeated that day")


def screening_turned(case: Case) -> None:
    """PT for Medicare and 33 for other payers on a colonoscopy that began as a screening."""
    if not case.says("screening"):
        return
    for line in case.candidates:
        if (
            line.code in ("45380", "45381", "45384", "45385", "45390")
            and line.system == CPT
            and line.status == "accepted"
        ):
            if case.says("medicare"):
                _give(line, "PT", TURNED, "It began as a screening")
            elif case.says("commercial", "private insurance"):
                _give(line, "33", TURNED, "It began as a screening")


def _give(visit: Candidate, modifier: str, rule: Rule, why: str) -> None:
    if modifier not in visit.modifiers:
        visit.modifiers = (*visit.modifiers, modifier)
        visit.reasons.append(f"{why}: modifier {modifier} ({rule.id}; {rule.cites})")


def decided(case: Case) -> None:
    """57 on the visit at which a major operation of that day or the next was decided on."""
    said = case.first(_DECISION) if case.says("decision", "decided") else None
    if said is None or not case.first(_SOON) or not _OPERATION.search(case.text, *bounds(case.text, *said.span())):
        return
    visit = next((c for c in _open_lines(case) if c.code in _VISITS or c.code.startswith(_OTHER_VISITS)), None)
    if visit is not None and not any(c.code.startswith(_MINOR) for c in _open_lines(case)):
        _give(visit, "57", DECIDED, "It led to the operation")
        visit.evidence.append(said.span())


def apart(case: Case) -> None:
    """59 on what would be part of another service, had it not been at another place."""
    lines = _open_lines(case)
    for whole, parts in table("services")["apart"]:
        if not any(c.code.startswith(tuple(whole)) for c in lines):
            continue
        for line in lines:
            if line.code in parts and line.code not in whole and case.first(_ELSEWHERE):
                _give(line, "59", APART, "It was at another place")


def distant(case: Case) -> None:
    """95 on a visit by video, GT where the payer wants that, 93 where there was sound alone."""
    if not case.says("video", "tele", "virtual", "audio", "phone"):
        return
    video, sound = next(case.search(_VIDEO), None), case.first(_NO_VIDEO)
    said = sound or video
    if said is None or _NOT_TODAY.search(case.text, *bounds(case.text, *said.span())):
        return
    modifier = "93" if sound else "GT" if _GT.search(case.text) else "95"
    for line in _open_lines(case):
        if line.code.startswith(_DISTANT) and line.code != "99211":
            _give(line, modifier, FAR, "Patient and physician were apart")
            line.evidence.append(said.span())


def waived(case: Case) -> None:
    """QW on tests that the text calls waived."""
    if not case.says("waived"):
        return
    for line in _open_lines(case):
        if line.code in table("services")["waived"] and case.first(_WAIVED):
            _give(line, "QW", WAIVED, "The test is waived")


def preventing(case: Case) -> None:
    """33 on advance care planning at a wellness visit."""
    lines = _open_lines(case)
    if any(c.code in ("G0438", "G0439") for c in lines):
        for line in lines:
            if line.code in ("99497", "99498"):
                _give(line, "33", PREVENTING, "It was part of the wellness visit")


def _open_lines(case: Case) -> list[Candidate]:
    return [c for c in case.candidates if c.system in (CPT, HCPCS) and c.status == "accepted" and not c.printed]


RULES = (modifiers, decided, again, apart, screening_turned, distant, waived, preventing)
