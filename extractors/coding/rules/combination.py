"""One code for two conditions: the "with" convention and the combination codes (I.A.15, I.B.9)."""

from __future__ import annotations

import re
from functools import lru_cache

from extractors.coding.case import Candidate, Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.tables import table

STAGES = {"1": "1", "2": "2", "3": "30", "3a": "31", "3b": "32", "4": "4", "5": "5", "i": "1", "ii": "2", "iii": "30",
          "iiia": "31", "iiib": "32", "iv": "4", "v": "5"}  # fmt: skip
_KIDNEY = asked(
    r"\b(?:ckd|chronic kidney disease|kidney disease)\b(?:[ ,(]*(?:stage )?(3a|3b|[1-5]|iii[ab]?|ii|iv|i|v)\b)?"
)
STAGE = Rule(
    "kidney-stage", "I.C.14.a, E11.22 note", "A combination code that says kidney disease takes its stage as well"
)
DIABETES = Rule(
    "diabetes-with",
    "I.A.15, I.C.4.a",
    'Diabetes and what the index lists under "with" are linked unless the text denies it',
)
PRESSURE = Rule(
    "hypertension-family", "I.C.9.a", "Hypertension with heart failure or kidney disease is I11, I12 or I13, first"
)
COPD = Rule(
    "copd",
    "J44 notes",
    "COPD with a lower respiratory infection is J44.0 with the infection; an exacerbation adds J44.1",
)
ANGINA = Rule("coronary-angina", "I.C.9.b", "Coronary disease and angina are one code by the kind of angina")
_NOT_DIABETIC = asked(
    r"(?:not|un)[ -]?(?:due|related|caused|attributed|associated)[^.;]{0,24} (?:diabet|dm\b)|non-?diabetic|not diabetic"
    r"|(?:, not|rather than) (?:to |by |from )?(?:the |her |his )?(?:diabet|dm\b)"
)
_NOT_PRESSURE = asked(
    r"\b(?:not|un) ?-?(?:due|related|caused|attributed)[^.;]{0,20} (?:hypertension|htn)"
    r"|\b(?:not|rather than) (?:to |from |by )?(?:the |her |his )?(?:hypertension|htn)\b|\bnon-?hypertensive\b"
)
_LOWER_INFECTION = ("J10.0", "J11.0", "J12", "J13", "J14", "J15", "J16", "J17", "J18", "J20", "J21", "J22")


@lru_cache(maxsize=8192)
def _linked(code: str) -> frozenset[int]:
    """The numbers of the links of which a code is the other condition."""
    links = table("diabetes_with")["links"]
    return frozenset(n for n, link in enumerate(links) if code.startswith(tuple(link["with"])))


def diabetes_with(case: Case) -> None:
    """Diabetes and a condition that the index lists under "with" are linked unless the text denies the link."""
    diabetes = case.accepted("E08", "E09", "E10", "E11", "E13")
    if not diabetes:
        return
    live = set().union(*(_linked(c.code) for c in case.accepted("")))
    if not live or case.first(_NOT_DIABETIC):
        return
    plain = [c for c in diabetes if c.code.endswith(".9")]
    links = table("diabetes_with")["links"]
    first = plain[0] if plain else diabetes[0]
    base = first.code[:3]
    for number in sorted(live):
        link = links[number]
        said = link.get("said", "")
        others = [
            c for c in case.accepted(*link["with"]) if c not in diabetes and said in case.text[c.start : c.end].lower()
        ]
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


def angiopathy_with_gangrene(case: Case) -> None:
    """Gangrene of diabetes says the angiopathy as well."""
    for gangrene in case.accepted("E08.52", "E09.52", "E10.52", "E11.52", "E13.52"):
        for plain in case.accepted(gangrene.code[:-1] + "1"):
            case.reject(plain, DIABETES, f"{gangrene.code} says it")


_DEMENTING = ("G30", "G20", "G31.0", "G31.83", "G10", "B20", "G35", "G21", "A81.0")
DEMENTIA = Rule("dementia-in-disease", "I.A.13", "Dementia of a named disease keeps its severity and behavior as F02")


def dementia_in_disease(case: Case) -> None:
    """Dementia beside the disease that it comes of is F02 with the same severity and behavior."""
    if case.has("F03") and case.has(*_DEMENTING):
        for dementia in case.accepted("F03"):
            rest = "8" + dementia.code[5:] if dementia.code[4] == "9" else dementia.code[4:]
            if case.lexicon.billable(f"F02.{rest}"):
                case.replace(dementia, f"F02.{rest}", DEMENTIA, "The disease that it comes of is named")


_DUE_TO_DIABETES = re.compile(
    r"^[ ,]*(?:is |are )?(?:due to|secondary to|related to|from|d/t|2/2) (?:her |his |the "
    r"|poorly controlled )?(?:(?:type (?:1|2|i|ii)|t[12]) ?)?(?:dm|diabetes)"
)


def due_to_diabetes(case: Case) -> None:
    """A condition that the text ascribes to the diabetes, though no index line links the two: .69 and the condition."""
    diabetes = case.accepted("E08", "E09", "E10", "E11", "E13")
    plain = [c for c in diabetes if c.code.endswith(".9")]
    if not diabetes:
        return
    for other in case.accepted(""):
        if other.code[0] in "ERZSTO" or not _DUE_TO_DIABETES.match(case.text[other.end : other.end + 60]):
            continue
        code, why = f"{diabetes[0].code[:3]}.69", "The text ascribes the condition to the diabetes"
        if not plain and _linked(other.code):
            continue  # an index line has joined them
        if plain:
            case.replace(plain[0], code, DIABETES, why)
            plain[0].rank = min(plain[0].rank, -1)
        else:
            case.add(code, other.start, other.end, DIABETES, why, finding=other.finding)
        if other.code == "N52.9":
            case.replace(other, "N52.1", DIABETES, "It is due to a disease that is coded first")


def gastroparesis(case: Case) -> None:
    """Gastroparesis of diabetes is an additional code, though one term may have said both."""
    if case.has("E08.43", "E09.43", "E10.43", "E11.43", "E13.43") and (at := case.text.find("gastroparesis")) >= 0:
        new = case.add("K31.84", at, at + 13, DIABETES, "The condition is an additional code")
        if new is not None:
            new.rank = max(new.rank, 1)


def kidney_stage(case: Case) -> None:
    """A combination code that says kidney disease takes the stage's code as well; the words may have been one term."""
    if case.has("N18") or not case.has("E08.22", "E09.22", "E10.22", "E11.22", "E13.22", "I12", "I13", "D63.1"):
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
    if case.has("I16") and case.has("I50", "N18") and not case.has("I10", "I11", "I12", "I13", "I15"):
        crisis = case.accepted("I16")[0]
        case.add(
            "I10", crisis.start, crisis.end, PRESSURE, "A hypertensive crisis is hypertension", finding=crisis.finding
        )
    pressure = case.accepted("I10", "I11", "I12", "I13")
    failing, kidney = case.accepted("I50"), case.accepted("N18")
    if not pressure or not (failing or kidney) or case.first(_NOT_PRESSURE):
        return
    late = any(c.code in ("N18.5", "N18.6") for c in kidney)
    heart = failing or any(c.code.startswith(("I11", "I13")) for c in pressure)
    renal = kidney or any(c.code.startswith(("I12", "I13")) for c in pressure)
    if heart and renal:
        code = ("I13.2" if late else "I13.0") if failing else "I13.11" if late else "I13.10"
    elif heart:
        code = "I11.0"
    else:
        code = "I12.0" if late else "I12.9"
    for candidate in pressure:
        case.replace(candidate, code, PRESSURE, "Hypertension is presumed to be the cause")
        candidate.rank = min(candidate.rank, -1)
        candidate.evidence += [(c.start, c.end) for c in (*failing[:1], *kidney[:1])]
        for organ in case.accepted("N28.9", "I51.9"):  # "hypertensive heart and kidney disease"
            if 0 <= organ.start - candidate.end < 24:
                case.reject(organ, PRESSURE, f"{code} says it")


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
    low, high = bounds(case.text, copd[0].start, copd[0].end)
    worse = _WORSE.search(case.text, low, high)
    if worse:
        case.add("J44.1", *worse.span(), COPD, "An exacerbation is coded as well", finding=copd[0].finding)


_WORSE = re.compile(
    r"(?<!no )(?<!without )(?<!without acute )\bexacerbat(?:ion|ed)\b(?! of (?:\w+ )?(?:asthma|chf|heart))"
)
_ANGINA = (("spasm", "1"), ("prinzmetal", "1"), ("refractory", "2"), ("stable angina", "8"), ("exertion", "8"))


def coronary_angina(case: Case) -> None:
    """Coronary disease and angina are presumed linked: one code from I25.11-."""
    vessels = [c for c in case.accepted("I25.10", "I25.810") if c.code in ("I25.10", "I25.810")]
    angina = case.accepted("I20")
    if vessels and angina:
        low, high = bounds(case.text, angina[0].start, angina[0].end)
        clause = case.text[low:high]
        if any(c.code == "I20.0" for c in angina) or "unstable" in clause:
            kind = "0"
        else:
            kind = next((k for word, k in _ANGINA if word in clause), "9")
        graft = next((c for c in vessels if c.code == "I25.810"), None)
        stem = "I25.11" if graft is None else "I25.71" if _VEIN.search(case.text, *_about(graft)) else "I25.70"
        case.replace(graft or vessels[0], stem + kind, ANGINA, "Angina with coronary disease is one code")
        for candidate in angina:
            case.reject(candidate, ANGINA, f"{stem}{kind} says it")


def _about(candidate: Candidate) -> tuple[int, int]:
    return max(0, candidate.start - 40), candidate.end + 40


_VEIN = re.compile(r"\b(?:vein|venous|svg|saphenous)\b")
_BOTH = asked(r"\bacute (?:and|on) chronic ([a-z][a-z ]{3,40}?)(?=[.,;:\n)]|$| with | and )")
ACUTE_CHRONIC = Rule(
    "acute-and-chronic", "I.B.8", "Acute and chronic are both coded, the acute one first, unless one code says both"
)


def acute_and_chronic(case: Case) -> None:
    """ "Acute and chronic X" is both codes, the acute one first."""
    if not case.says("acute and chronic", "acute on chronic"):
        return
    for match in case.search(_BOTH):
        codes = [
            _leaf(case, f"{word} {match[1]}") or _leaf(case, f"{word} {match[1].split(' of ')[0]}")
            for word in ("acute", "chronic")
        ]
        if None in codes or codes[0] == codes[1] or case.lexicon.entries(match[0]):
            continue  # not both are known, or one code says both
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


RULES = (
    diabetes_with,
    angiopathy_with_gangrene,
    dementia_in_disease,
    gastroparesis,
    due_to_diabetes,
    kidney_stage,
    hypertension_family,
    copd_with_infection,
    coronary_angina,
)

FIRST = (acute_and_chronic,)
