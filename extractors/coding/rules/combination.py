"""One code for two conditions: the "with" convention and the combination codes (I.A.15, I.B.9)."""

from __future__ import annotations

import re

from extractors.coding.case import Case, Rule
from extractors.coding.tables import table

STAGES = {"1": "1", "2": "2", "3": "30", "3a": "31", "3b": "32", "4": "4", "5": "5", "i": "1", "ii": "2", "iii": "30",
          "iiia": "31", "iiib": "32", "iv": "4", "v": "5"}  # fmt: skip
_KIDNEY = re.compile(
    r"\b(?:ckd|chronic kidney disease|kidney disease)\b(?:[ ,(]*(?:stage )?(3a|3b|[1-5]|iii[ab]?|ii|iv|i|v)\b)?"
)
STAGE = Rule("kidney-stage", "I.C.14.a, E11.22 note")
DIABETES = Rule("diabetes-with", "I.A.15, I.C.4.a")
PRESSURE = Rule("hypertension-family", "I.C.9.a")
COPD = Rule("copd", "J44 notes")
ANGINA = Rule("coronary-angina", "I.C.9.b")
_NOT_DIABETIC = re.compile(
    r"(?:not|un)[ -]?(?:due|related|caused|attributed)[^.;]{0,20} diabet|non-?diabetic|not diabetic"
)
_NOT_PRESSURE = re.compile(r"not (?:due|related|caused|attributed)[^.;]{0,20} (?:hypertension|htn)")
_LOWER_INFECTION = ("J12", "J13", "J14", "J15", "J16", "J17", "J18", "J20", "J21", "J22")


def diabetes_with(case: Case) -> None:
    """Diabetes and a condition that the index lists under "with" are linked unless the text denies the link."""
    diabetes = case.accepted("E08", "E09", "E10", "E11", "E13")
    if not diabetes or _NOT_DIABETIC.search(case.text):
        return
    plain = [c for c in diabetes if c.code.endswith(".9")]
    links = table("diabetes_with")["links"]
    first = plain[0] if plain else diabetes[0]
    base = first.code[:3]
    for link in links:
        others = [c for c in case.accepted(*link["with"]) if c not in diabetes]
        if not others:
            continue
        other, code = others[0], base + link["suffix"]
        why = "Diabetes with this condition is one code"
        if first.code.endswith(".9"):
            for candidate in plain:
                case.replace(candidate, code, DIABETES, why)
            first.evidence.append((other.start, other.end))
        else:
            case.add(code, other.start, other.end, DIABETES, why, finding=other.finding)
        if link["absorbs"]:
            for candidate in others:
                case.reject(candidate, DIABETES, f"{code} says it")


def kidney_stage(case: Case) -> None:
    """A combination code that says kidney disease takes the stage's code as well; the words may have been one term."""
    if case.has("N18") or not case.has("E08.22", "E09.22", "E10.22", "E11.22", "E13.22", "I12", "I13"):
        return
    found = [(m, STAGES.get(m[1] or "", "9")) for m in case.search(_KIDNEY)]
    if not found:
        return
    match, stage = max(found, key=lambda pair: pair[1] != "9")
    new = case.add(f"N18.{stage}", *match.span(), STAGE, "The stage is an additional code", confidence=0.9)
    if new is not None:
        new.rank = max(new.rank, 0)


def hypertension_family(case: Case) -> None:
    """Hypertension with heart failure or kidney disease is presumed linked: I11, I12, I13 come first."""
    pressure = [c for c in case.accepted("I10") if c.code == "I10"]
    failing, kidney = case.accepted("I50"), case.accepted("N18")
    if not pressure or not (failing or kidney) or _NOT_PRESSURE.search(case.text):
        return
    late = any(c.code in ("N18.5", "N18.6") for c in kidney)
    if failing and kidney:
        code = "I13.2" if late else "I13.0"
    elif failing:
        code = "I11.0"
    else:
        code = "I12.0" if late else "I12.9"
    for candidate in pressure:
        case.replace(candidate, code, PRESSURE, "Hypertension is presumed to be the cause")
        candidate.rank = min(candidate.rank, -1)
        candidate.evidence += [(c.start, c.end) for c in (*failing[:1], *kidney[:1])]


def copd_with_infection(case: Case) -> None:
    """COPD with an acute lower respiratory infection is J44.0 and the infection; an exacerbation adds J44.1."""
    copd = case.accepted("J44")
    infections = case.accepted(*_LOWER_INFECTION)
    if not copd or not infections:
        return
    infection = infections[0]
    why = "COPD with an acute lower respiratory infection"
    for candidate in copd:
        if candidate.code == "J44.9":
            case.replace(candidate, "J44.0", COPD, why)
    case.add("J44.0", infection.start, infection.end, COPD, why, finding=copd[0].finding)


def coronary_angina(case: Case) -> None:
    """Coronary disease and angina are presumed linked: one code from I25.11-."""
    vessels = [c for c in case.accepted("I25.10") if c.code == "I25.10"]
    angina = case.accepted("I20")
    if vessels and angina:
        code = "I25.110" if any(c.code == "I20.0" for c in angina) else "I25.119"
        case.replace(vessels[0], code, ANGINA, "Angina with coronary disease is one code")
        for candidate in angina:
            case.reject(candidate, ANGINA, f"{code} says it")


_BOTH = re.compile(r"\bacute and chronic ([a-z][a-z ]{3,40}?)(?=[.,;:\n)]|$| with | and )")
ACUTE_CHRONIC = Rule("acute-and-chronic", "I.B.8")


def acute_and_chronic(case: Case) -> None:
    """ "Acute and chronic X" is both codes, the acute one first."""
    if not case.says("acute and chronic"):
        return
    for match in case.search(_BOTH):
        codes = [_leaf(case, f"{word} {match[1]}") for word in ("acute", "chronic")]
        if None in codes:
            continue
        for candidate in case.accepted(""):
            if candidate.start >= match.start() and candidate.end <= match.end() and candidate.code not in codes:
                case.reject(candidate, ACUTE_CHRONIC, "The words name two conditions")
        for rank, code in enumerate(codes):
            why = "Acute and chronic are both coded, the acute one first"
            new = case.add(str(code), match.start(), match.end(), ACUTE_CHRONIC, why, confidence=0.9)
            if new is not None:
                new.rank = rank - 2


def _leaf(case: Case, phrase: str) -> str | None:
    entries = case.lexicon.entries(phrase)
    return case.lexicon.leaf(entries[0].code) if entries else None


RULES = (acute_and_chronic, diabetes_with, kidney_stage, hypertension_family, copd_with_infection, coronary_angina)
