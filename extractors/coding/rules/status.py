"""What the text says beside the diseases: weeks of pregnancy, BMI, smoking, an old infarction, one high reading."""

from __future__ import annotations

import re

from extractors.coding.case import Case, Rule

BMI = Rule("bmi-with-diagnosis", "I.B.14")
WEEKS = Rule("weeks-of-pregnancy", "I.C.21.c.11")
SMOKING = Rule("tobacco", "I.C.5.b, J44 note")
OLD_MI = Rule("old-infarction", "I.C.9.e.1")
READING = Rule("elevated-reading", "I.C.9.a.7")
_BMI = re.compile(r"\b(?:bmi|body mass index)\b[^.\n\d]{0,20}(\d{2}(?:\.\d+)?)")
_WEEKS = re.compile(
    r"\b(\d{1,2})(?: \d/7)?[ -]*(?:weeks?|wks?)[ -]*(?:pregnant|pregnancy|gestation|gestational age|ga\b|iup)"
)
_SMOKES = re.compile(
    r"\bsmokes?\b[^.;\n]{0,40}\b(?:cigarettes?|packs?|ppd)\b|\bsmoking [^.;\n]{0,20}\b(?:packs?|cigarettes?)\b"
    r"|\b\d+(?:\.\d+)? ?ppd\b"
)
_AGO = re.compile(r"\b(\d+|one|two|three|four|five|six|several|many)[ -]*(months?|years?|yrs?)\b (?:ago|back|prior)")
_PRESSURE = re.compile(r"\b(?:bp|blood pressure)\b[^.\n\d]{0,12}(\d{2,3}) ?/ ?(\d{2,3})")
_NO_DIAGNOSIS = re.compile(r"(?:no|without)(?: a| prior| known)? (?:diagnosis|history|dx) of (?:hypertension|htn)")


def bmi_with_diagnosis(case: Case) -> None:
    """The BMI is coded only beside a diagnosis of weight."""
    weight = case.accepted("E66", "E40", "E41", "E43", "E44", "E46", "R63.4", "R63.6", "E88.A", "R64", "O99.21")
    if not weight:
        return
    for match in _BMI.finditer(case.text):
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


def weeks_of_pregnancy(case: Case) -> None:
    """A chapter 15 code takes the week of gestation."""
    if not case.has("O"):
        return
    for match in _WEEKS.finditer(case.text):
        week = int(match[1])
        code = "Z3A.01" if week < 8 else f"Z3A.{week:02d}" if week <= 42 else "Z3A.49"
        case.add(code, match.start(), match.end(), WEEKS, "The week of gestation is an additional code")
        for other in case.accepted("Z3A"):
            if other.code != code:
                case.reject(other, WEEKS, f"The text says {code}")
        return


def smoking(case: Case) -> None:
    """Smoking cigarettes now is nicotine dependence; a history of it is only that."""
    for match in case.search(_SMOKES) if case.says("smok", "ppd") else ():
        sentence = case.text[max(0, match.start() - 40) : match.end() + 30]
        if re.search(r"\b(?:quit|former|used to|stopped|ex-|previously|history of|until)\b", sentence):
            continue
        case.add("F17.210", match.start(), match.end(), SMOKING, "Present cigarette smoking")
        break
    if case.has("F17"):
        for candidate in case.accepted("Z87.891", "Z72.0"):
            case.reject(candidate, SMOKING, "Present dependence is coded")


def old_infarction(case: Case) -> None:
    """An infarction more than four weeks ago is I25.2; a past stroke without deficits is Z86.73."""
    for candidate in case.accepted("I21", "I22", "I63"):
        match = _AGO.search(case.text, candidate.end, candidate.end + 40)
        if match is None or "." in case.text[candidate.end : match.start()]:
            continue
        code = "Z86.73" if candidate.code.startswith("I63") else "I25.2"
        case.replace(candidate, code, OLD_MI, "It lies more than four weeks back")
        candidate.evidence.append(match.span())


def elevated_reading(case: Case) -> None:
    """A high reading without a diagnosis of hypertension is R03.0."""
    if case.has("I1"):
        return
    denied = case.says("diagnosis of", "history of", "dx of") and _NO_DIAGNOSIS.search(case.text)
    if not denied:
        return
    for match in _PRESSURE.finditer(case.text):
        if int(match[1]) >= 140 or int(match[2]) >= 90:
            new = case.add("R03.0", match.start(), match.end(), READING, "A high reading without the diagnosis")
            if new is not None:
                new.evidence.append(denied.span())
            return


RULES = (bmi_with_diagnosis, weeks_of_pregnancy, smoking, old_infarction, elevated_reading)
