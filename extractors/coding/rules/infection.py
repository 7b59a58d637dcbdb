"""Infections and their organisms, and the sepsis chain (I.C.1)."""

from __future__ import annotations

import re
from functools import cache

from extractors.coding.case import Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.tables import table
from extractors.findings.cues import Cued

ORGANISM = Rule("organism", "I.B.7", "A local infection takes the code of its named organism")
SEPSIS = Rule(
    "sepsis-chain",
    "I.C.1.d",
    "Sepsis by organism first, R65.2- for failing organs, then the local infection and the organs",
)
COVID = Rule("covid-pneumonia", "I.C.1.g", "Pneumonia with COVID-19 is J12.82 after U07.1")
PNEUMONIA = Rule("pneumonia-organism", "I.B.2", "Pneumonia of a named organism is that organism's code")
CONFIRMED = Rule(
    "confirmed-only", "I.C.1.a.1, I.C.1.g.1.b, I.C.10.c", "HIV, COVID-19 and named influenza only when confirmed"
)
ONLY_NAMED = Rule(
    "infection-only-named",
    "I.C.1.g.1, I.C.10.c, IV.H",
    "The name of an infection beside a test, a place, a time or a record of vaccines is not the infection",
)
_NAMES_ELSE = re.compile(
    r"^[ -]*(?:(?:virus|rapid|disease) )?(?:pandemic|era\b|clinic|center|precaution"
    r"|restriction|protocol|guideline|setting|situation|lockdown|season"
    r"|(?:test(?:ing)?|evaluation) (?:site|clinic|center)|outbreak|crisis|times?\b|unit\b|ward\b)"
)
_TESTED = re.compile(
    r"^[ -]*(?:(?:virus|rapid|disease|igg|igm|a|b) )*(?:titers?|titres?|serolog\w*|antibod\w*|pcr|western blot"
    r"|culture)\b(?! (?:was |is |came back |returned )?(?:positive|reactive|detected))"
)
_POSITIVE = re.compile(r"\bpositive(?: for)?(?: rapid)? $")
_WHILE = re.compile(
    r"\b(?:since|during|before|prior to|amid|throughout)(?: the)?(?: start| onset| beginning| height)?"
    r"(?: of)?(?: the)? $"
)
_PREVENTED = re.compile(r"\b(?:vaccin\w*|immuniz\w*)(?:(?!\b(?:has|had|with|but|now|got|positive)\b)[^;\n]){0,40}$")
_INFECTED = re.compile(r"^[ -]*(?:\w+ )?(?:infection|pneumonia|illness|pneumonitis|exposure|positive)")
_BY = re.compile(r"^[ ,]*(?:due to|from|secondary to|caused by|with)? ?(?:an? |the )?([a-z][a-z. -]{2,40})")
_DUE_TO = asked(r"\b(?:sepsis|septic shock) (?:due to|from|secondary to|caused by) ([a-z][a-z. ]{2,40})")
_FAILURE = ("N17", "J96.0", "K72.0", "D65", "G93.41", "I51.81", "R57")


@cache
def _organisms() -> list[tuple[str, Cued]]:
    rows = table("organisms")["organisms"]
    return [(row["code"], asked("|".join(rf"\b{re.escape(w)}" for w in row["words"]))) for row in rows]


def organism(case: Case) -> None:
    """A local infection whose organism is named takes the organism's code as well."""
    local = case.accepted(*table("organisms")["infections"])
    if not local or case.has("A40", "A41"):
        return
    for code, pattern in _organisms():
        for match in case.search(pattern):
            why = "The organism of the infection is an additional code"
            new = case.add(code, match.start(), match.end(), ORGANISM, why)
            if new is not None:
                new.rank = max(new.rank, 1)
            break


def sepsis_organism(case: Case) -> None:
    """Sepsis due to a named organism has that organism's code; severe sepsis alone implies a sepsis code."""
    if not case.has("A40", "A41", "R65.2"):
        return
    match = case.first(_DUE_TO)
    code = None
    if match:
        rows = table("organisms")["sepsis"]
        code = next((row["code"] for row in rows if match[1].startswith(tuple(row["words"]))), None)
    plain = [c for c in case.accepted("A41.9") if not c.printed]
    if code is not None and match is not None:
        for candidate in plain:
            case.replace(candidate, code, SEPSIS, "The organism of the sepsis is named")
        case.add(code, *match.span(), SEPSIS, "The organism of the sepsis is named")
    elif not case.has("A40", "A41"):
        severe = case.accepted("R65.2")[0]
        case.add("A41.9", severe.start, severe.end, SEPSIS, "Severe sepsis needs the infection's code first")


def sepsis_chain(case: Case) -> None:
    """Severe sepsis: the systemic infection first, then R65.2-, the local infection and the failing organs."""
    sepsis = case.accepted("A40", "A41", "A02.1", "B37.7")
    if not sepsis:
        return
    for candidate in sepsis:
        candidate.rank = -3
    at = case.text.find("septic shock")
    severe = at if at >= 0 else case.text.find("severe sepsis")
    code, length = ("R65.21", 12) if at >= 0 else ("R65.20", 13)
    if severe < 0:
        failing = case.accepted(*_FAILURE)
        linked = re.search(
            r"sepsis (?:due to [^.;,]{2,40} )?(?:with|and associated|complicated by) [^.;]{0,60}"
            r"(?:failure|shock|injury|dysfunction|encephalopathy)"
            r"|(?:failure|injury|dysfunction|encephalopathy|coagulopathy) (?:due|secondary) to (?:the "
            r"|her |his )?sepsis",
            case.text,
        )
        if not failing or linked is None:
            return
        severe, length = linked.start(), linked.end() - linked.start()
    new = case.add(code, severe, severe + length, SEPSIS, "Sepsis with a failing organ is severe sepsis")
    if new is not None:
        new.rank = max(new.rank, 0)


def covid_pneumonia(case: Case) -> None:
    """COVID-19 with pneumonia is U07.1 and J12.82."""
    for candidate in case.accepted("J12.82"):
        why = "The pneumonia is that of COVID-19, which comes first"
        case.add("U07.1", candidate.start, candidate.end, COVID, why, finding=candidate.finding)
    if not case.has("U07.1"):
        return
    for candidate in case.accepted("J18.9", "J12.9"):
        case.replace(candidate, "J12.82", COVID, "Pneumonia with COVID-19 is due to it")
    for candidate in case.accepted("U07.1"):
        candidate.rank = -2


def pneumonia_organism(case: Case) -> None:
    """Pneumonia of a named organism is that organism's pneumonia."""
    plain = case.accepted("J18.9", "J15.9", "J12.9")
    if not plain or case.has("J95.851", "J10", "J11", "U07.1"):
        return
    for candidate in plain:
        low, high = bounds(case.text, candidate.start, candidate.end)
        after = _BY.match(case.text[candidate.end : high])
        before = case.text[max(low, candidate.start - 30) : candidate.start]
        for row in table("organisms")["pneumonia"]:
            near = after is not None and after[1].startswith(tuple(row["words"]))
            if near or any(re.search(rf"\b{re.escape(w)}\w* $", before) for w in row["words"]):
                case.replace(candidate, row["code"], PNEUMONIA, "The organism of the pneumonia is named")
                for other in case.accepted("B95", "B96", "B97"):
                    if low <= other.start < high:
                        case.reject(other, PNEUMONIA, f"{row['code']} names the organism")
                break


def confirmed_only(case: Case) -> None:
    """HIV, COVID-19, Zika and named influenza viruses are coded only when confirmed, in any setting."""
    for candidate in case.accepted("B20", "Z21", "U07.1", "J12.82", "A92.5", "J09", "J10"):
        finding = case.of(candidate)
        if finding is None or not finding.assertion.possible:
            continue
        if candidate.code.startswith(("J09", "J10")):
            case.replace(candidate, "J11.1", CONFIRMED, "A virus that is only suspected is not named")
        else:
            case.reject(candidate, CONFIRMED, "It is coded only when confirmed")


_HERPES = ("A60", "B00")  # they break out in one who has them


def infection_only_named(case: Case) -> None:
    """A test for it, a clinic for it, the time of a pandemic, a record of vaccines: none of them is the infection."""
    for candidate in case.accepted("A", "B", "J0", "J1", "U07.1"):
        before = case.text[max(0, candidate.start - 48) : candidate.start]
        after = case.text[candidate.end : candidate.end + 48]
        apart = _WHILE.search(before) if not _INFECTED.match(after) else None
        apart = apart if candidate.code == "U07.1" else None
        apart = apart or _PREVENTED.search(before)
        named_else = _NAMES_ELSE.match(after) and not (candidate.code[:3] in _HERPES and " outbreak" in after[:10])
        if apart or named_else or (_TESTED.match(after) and not _POSITIVE.search(before)):
            case.reject(candidate, ONLY_NAMED, "The words are not about having it")


RULES = (
    infection_only_named,
    confirmed_only,
    pneumonia_organism,
    sepsis_organism,
    organism,
    sepsis_chain,
    covid_pneumonia,
)
