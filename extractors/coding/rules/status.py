"""What the text says beside the diseases: weeks of pregnancy, BMI, smoking, an old infarction, one high reading."""

from __future__ import annotations

import re

from extractors.coding.case import Candidate, Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.gestation import week_of, weeks

BMI = Rule("bmi-with-diagnosis", "I.B.14", "A BMI is coded only beside a diagnosis of weight")
WEEKS = Rule("weeks-of-pregnancy", "I.C.21.c.11", "A pregnancy takes its week")
SMOKING = Rule(
    "tobacco", "I.C.5.b, J44 note", "Present cigarette smoking is dependence; a history of it falls beside it"
)
OLD_MI = Rule(
    "old-infarction",
    "I.C.9.e.1",
    "An infarction of more than four weeks is I25.2, a past stroke without deficits Z86.73",
)
READING = Rule("elevated-reading", "I.C.9.a.7", "A high reading without the diagnosis is R03.0")
CONTROL = Rule("pain-control", "I.C.6.b.1.a", "Pain is first-listed where its control is what the patient came for")
_CONTROL = asked(
    r"\b(?:admitted|admission|visit|here|seen|encounter|presents?|comes)\b[^.;\n]{0,16}\bfor "
    r"(?:management|control|pain (?:control|management))\b"
)
ALCOHOL = Rule("blood-alcohol", "Y90 note, F10 note", "The alcohol in the blood stands beside a disorder that it makes")
_ALCOHOL = asked(
    r"\b(?:blood alcohol(?: level| content| concentration)?|serum (?:alcohol|etoh|ethanol)|bac|bal"
    r"|etoh level|alcohol level)\b[ :=]*(?:level |of |was |is |at )*(0?\.\d{1,3}|\d{2,3})\b(?! ?(?:ml|cc)\b)"
)
_BMI = asked(r"\b(?:bmi|body mass index)\b[^.\n\d]{0,20}(\d{2}(?:\.\d+)?)")
_SMOKES = asked(
    r"\bsmokes?\b[^.;\n]{0,40}\b(?:cigarettes?|packs?|ppd)\b|\bsmoking [^.;\n]{0,20}\b(?:packs?|cigarettes?)\b"
    r"|\b\d+(?:\.\d+)? ?ppd\b|\bcurrent (?:every[- ]day |daily |heavy )?cigarette smoker\b"
)
_AGO = re.compile(r"\b(\d+|one|two|three|four|five|six|several|many)[ -]*(months?|years?|yrs?)\b (?:ago|back|prior)")
_OLD = asked(
    r"\b(?:status[- ]post|s/p|history of|h/o|hx of|prior|previous|old|remote)(?: an?)? (?:\w+ ){0,2}"
    r"(?:mi|myocardial infarction|heart attack|stemi|nstemi)\b"
    r"|\b(?:mi|myocardial infarction|heart attack|stemi|nstemi) (?:\w+ )?(?:in|of) (?:\w+ )?(?:19|20)\d\d\b",
    ("mi ", "mi.", "mi,", "infarction", "heart attack", "stemi"),
)
_NOT_OLD = re.compile(r"\b(?:family|mother|father|brother|sister|no|denies|without|days? ago|weeks? ago|today)\b")
_PRESSURE = asked(r"\b(?:bp|blood pressure)\b[^.\n\d]{0,12}(\d{2,3}) ?/ ?(\d{2,3})")
_NO_DIAGNOSIS = asked(r"(?:no|without)(?: a| prior| known)? (?:diagnosis|history|dx) of (?:hypertension|htn)")


def bmi_with_diagnosis(case: Case) -> None:
    """The BMI is coded only beside a diagnosis of weight."""
    weight = case.accepted("E66", "E40", "E41", "E43", "E44", "E46", "R63.4", "R63.6", "E88.A", "R64", "F50", "O99.21")
    if not weight:
        return
    for match in case.each(_BMI):
        code = bmi_code(float(match[1]))
        if code:
            case.add(code, match.start(), match.end(), BMI, "The BMI is coded beside a diagnosis of weight")
            return


def bmi_code(bmi: float) -> str | None:
    """The adult Z68 code of a body mass index."""
    if bmi < 10 or bmi > 150:
        return None
    if bmi < 20:
        return "Z68.1"
    if bmi < 40:
        whole = int(bmi)
        return f"Z68.{whole}"
    return next(
        code
        for limit, code in ((45, "Z68.41"), (50, "Z68.42"), (60, "Z68.43"), (70, "Z68.44"), (151, "Z68.45"))
        if bmi < limit
    )


def blood_alcohol(case: Case) -> None:
    """The alcohol in the blood stands beside a disorder that alcohol makes."""
    if not case.has("F10"):
        return
    for match in case.each(_ALCOHOL):
        level = float(match[1]) * (1000 if match[1].startswith(("0.", ".")) else 1)
        code = f"Y90.{sum(level >= limit for limit in _LEVELS)}"
        new = case.add(code, *match.span(), ALCOHOL, "The alcohol in the blood is an additional code")
        if new is not None:
            new.rank = 7
        return


def pain_first(case: Case) -> None:
    """Pain stands first where its control is what the patient came for."""
    if not case.has("G89") or next(case.search(_CONTROL), None) is None:
        return
    for candidate in case.accepted("G89"):
        candidate.rank = min(candidate.rank, -5)
        case.note(candidate, CONTROL, "Its control is the reason for the encounter")


_LEVELS = (20, 40, 60, 80, 100, 120, 200, 240)  # mg/100 ml


def weeks_of_pregnancy(case: Case) -> None:
    """A chapter 15 code takes the week of gestation."""
    for named in case.accepted("Z3A"):
        if not any(ch.isdigit() for ch in case.text[named.start : named.end]):
            case.reject(named, WEEKS, "The words name no week")
    if not case.has("Z34") and not any(c.code[:3] not in _ENDED for c in case.accepted("O")):
        return  # of a pregnancy that ended as an abortion no week is coded
    match = weeks(case)
    if match is None:
        return
    week = week_of(match)
    code = "Z3A.01" if week < 8 else f"Z3A.{week:02d}" if week <= 42 else "Z3A.49"
    case.add(code, match.start(), match.end(), WEEKS, "The week of gestation is an additional code")
    for other in case.accepted("Z3A"):
        if other.code != code:
            case.reject(other, WEEKS, f"The text says {code}")


_ENDED = frozenset({"O00", "O01", "O02", "O03", "O04", "O07", "O08"})


def smoking(case: Case) -> None:
    """Smoking cigarettes now is nicotine dependence; a history of it is only that."""
    for match in case.search(_SMOKES) if case.says("smok", "ppd") else ():
        sentence = case.text[max(0, match.start() - 40) : match.end() + 30]
        if re.search(r"\b(?:(?<!to )(?<!on )quit|former|used to|stopped|ex-|previously|history of|until)\b", sentence):
            continue
        case.add("F17.210", match.start(), match.end(), SMOKING, "Present cigarette smoking")
        break
    if case.has("F17"):
        for candidate in case.accepted("Z87.891", "Z72.0"):
            case.reject(candidate, SMOKING, "Present dependence is coded")
        return
    for match in case.search(_SMOKED) if case.says("smok", "cigarette", "tobacco") else ():
        if not _TO_QUIT.search(case.text, *bounds(case.text, *match.span())):
            new = case.add("Z87.891", match.start(), match.end(), SMOKING, "Smoking that has ended is a history")
            if new is not None:
                new.rank = max(new.rank, 6)
            return


_SMOKED = asked(
    r"\b(?:smoked|smoker|smoking|cigarettes|tobacco|packs?)\b[^.;\n]{0,60}\b(?:quit|stopped|gave (?:it|them) up)\b"
    r"|\b(?:quit|stopped|gave up|used to) (?:smok(?:e|ing)|cigarettes|tobacco)\b",
    ("smoked", "smoker", "smoking", "cigarettes", "tobacco", "pack", "packs", "quit", "stopped", "gave up", "used to"),
)
_TO_QUIT = re.compile(
    r"\b(?:try|tries|trying|tried|wants?|wish\w*|ready|plans?|planning|would|will|should|like|advis\w*|counsel\w*"
    r"|encourag\w*|discuss\w*|help|never|not|yet|unable|attempt\w*|father|mother|husband|wife|partner|parents?"
    r"|marijuana|cannabis)\b"
)


def old_infarction(case: Case) -> None:
    """An infarction more than four weeks ago is I25.2; a past stroke without deficits is Z86.73."""
    for candidate in case.accepted("I21", "I22", "I63"):
        match = _AGO.search(case.text, candidate.end, candidate.end + 40)
        if match is None or "." in case.text[candidate.end : match.start()]:
            continue
        code = "Z86.73" if candidate.code.startswith("I63") else "I25.2"
        case.replace(candidate, code, OLD_MI, "It lies more than four weeks back")
        candidate.evidence.append(match.span())
    for told in case.search(_OLD):
        low, high = bounds(case.text, *told.span())
        if not _NOT_OLD.search(case.text, low, high):
            new = case.add("I25.2", *told.span(), OLD_MI, "It lies more than four weeks back")
            if new is not None:
                new.rank = max(new.rank, 6)
            break


def elevated_reading(case: Case) -> None:
    """A high reading without a diagnosis of hypertension is R03.0."""
    if case.has("I1"):
        return
    denied = case.says("diagnosis of", "history of", "dx of") and case.first(_NO_DIAGNOSIS)
    if not denied:
        return
    for match in case.each(_PRESSURE):
        if int(match[1]) >= 140 or int(match[2]) >= 90:
            new = case.add("R03.0", match.start(), match.end(), READING, "A high reading without the diagnosis")
            if new is not None:
                new.evidence.append(denied.span())
            return


def history_at_screening(case: Case) -> None:
    """The word screening postpones no history: "screening colonoscopy, history of polyps"."""
    if not case.says("screening"):
        return
    for candidate in case.candidates:
        finding = case.of(candidate)
        if (
            candidate.status != "rejected"
            or finding is None
            or not candidate.code.startswith(("Z80", "Z83", "Z85", "Z86"))
        ):
            continue
        words = [case.text[a:b] for a, b, kind in finding.assertion.triggers if kind == "HYPOTHETICAL"]
        if words and all(w == "screening" for w in words) and not finding.assertion.negated:
            candidate.status = "accepted"
            candidate.reasons.append(f"A history is no less real at a screening ({PAST.id}; {PAST.cites})")


def family_at_screening(case: Case) -> None:
    """A relative's cancer is a reason to look out for it; other diseases of relatives are why a screening is done."""
    screened = case.has("Z12", "Z13")
    for candidate in list(case.candidates):
        finding = case.of(candidate)
        if (
            candidate.status == "rejected"
            and finding is not None
            and finding.assertion.family
            and not finding.assertion.negated
        ):
            code = next((z for stems, z in _RELATIVE if candidate.code.startswith(stems)), None)
            told = "family history of" in case.text[max(0, candidate.start - 60) : candidate.start]
            if code and (screened or told or code.startswith("Z80")):
                case.add(code, candidate.start, candidate.end, PAST, "A relative has it", finding=candidate.finding)


_RELATIVE = (
    (("C50",), "Z80.3"), (("C18", "C19", "C20", "C16", "C15", "C25", "C22", "C24"), "Z80.0"),
    (("C64", "C65"), "Z80.51"), (("C67",), "Z80.52"), (("C62",), "Z80.43"), (("C53", "C54", "C55"), "Z80.49"),
    (("C81", "C82", "C83", "C84", "C85", "C88", "C90"), "Z80.7"), (("C43", "C44", "C71", "C73"), "Z80.8"),
    (("C34",), "Z80.1"), (("C56",), "Z80.41"), (("C61",), "Z80.42"),
    (("C91", "C92", "C95"), "Z80.6"), (("E10", "E11"), "Z83.3"), (("I21", "I25"), "Z82.49"), (("M81",), "Z82.62"),
)  # fmt: skip
PAST = Rule(
    "history-at-screening", "I.C.21.c.4, I.C.21.c.5", "Histories, own and of relatives, stand beside a screening"
)
ABNORMAL = Rule("abnormal-found", "I.C.21.c.13", "An examination at which something new is found is abnormal")
_EXAMINED = {"Z00.00": "Z00.01", "Z00.129": "Z00.121", "Z01.419": "Z01.411"}
_FOUND = asked(
    r"\b(?:new(?:ly)?|found|noted|discovered|detected|identified|heard|revealed|reveals|shows|on exam(?:ination)?)\b",
    ("new", "found", "noted", "discovered", "detected", "identified", "heard", "reveal", "shows", "on exam"),
)
_SEEN = ("R00", "R01", "R03", "R19.0", "R22", "R59", "R7", "R8", "R9")


def abnormal_found(case: Case) -> None:
    """A preventive examination that finds something new has the code with abnormal findings."""
    for exam in case.accepted(*_EXAMINED):
        found = next((c for c in case.accepted("") if _is_new(case, c)), None)
        if found is not None:
            case.replace(exam, _EXAMINED[exam.code], ABNORMAL, f"The examination found {found.code}")
            exam.evidence.append((found.start, found.end))


def _is_new(case: Case, candidate: Candidate) -> bool:
    if candidate.code[0] in "ZVWXY":
        return False
    low, high = bounds(case.text, candidate.start, candidate.end)
    told = _FOUND.pattern.search(case.text, low, high) or _IS_NEW.match(case.text, high)
    return candidate.code.startswith(_SEEN) or told is not None


_IS_NEW = re.compile(r"[.;\n -]{1,4}(?:this|it|which)(?: finding)? (?:is|was) (?:a )?(?:new|not known|incidental)")


RULES = (
    history_at_screening,
    family_at_screening,
    bmi_with_diagnosis,
    blood_alcohol,
    pain_first,
    weeks_of_pregnancy,
    smoking,
    old_infarction,
    elevated_reading,
    abnormal_found,
)
