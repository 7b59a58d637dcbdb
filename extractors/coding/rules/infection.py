"""Infections and their organisms, and the sepsis chain (I.C.1)."""

from __future__ import annotations

import re

from extractors.coding.case import Case, Rule
from extractors.coding.tables import table

ORGANISM = Rule("organism", "I.B.7")
SEPSIS = Rule("sepsis-chain", "I.C.1.d")
COVID = Rule("covid-pneumonia", "I.C.1.g")
_DUE_TO = re.compile(r"\bsepsis (?:due to|from|secondary to|caused by|with) ([a-z][a-z. ]{2,40})")
_FAILURE = ("N17", "J96.0", "K72.0", "D65", "G93.41", "I51.81", "R57")


def organism(case: Case) -> None:
    """A local infection whose organism is named takes the organism's code as well."""
    local = case.accepted(*table("organisms")["infections"])
    if not local or case.has("A40", "A41"):
        return
    for row in table("organisms")["organisms"]:
        if not case.says(*row["words"]):
            continue
        for match in case.search(re.compile("|".join(rf"\b{re.escape(w)}" for w in row["words"]))):
            why = "The organism of the infection is an additional code"
            new = case.add(row["code"], match.start(), match.end(), ORGANISM, why)
            if new is not None:
                new.rank = max(new.rank, 1)
            break


def sepsis_organism(case: Case) -> None:
    """Sepsis due to a named organism has that organism's code; severe sepsis alone implies a sepsis code."""
    if not case.has("A40", "A41", "R65.2"):
        return
    match = _DUE_TO.search(case.text)
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
            r"sepsis (?:with|and associated|complicated by) [^.;]{0,60}(?:failure|shock|injury)", case.text
        )
        if not failing or linked is None:
            return
        severe, length = linked.start(), linked.end() - linked.start()
    new = case.add(code, severe, severe + length, SEPSIS, "Sepsis with a failing organ is severe sepsis")
    if new is not None:
        new.rank = max(new.rank, 0)


def covid_pneumonia(case: Case) -> None:
    """COVID-19 with pneumonia is U07.1 and J12.82."""
    if not case.has("U07.1"):
        return
    for candidate in case.accepted("J18.9", "J12.9"):
        case.replace(candidate, "J12.82", COVID, "Pneumonia with COVID-19 is due to it")
    for candidate in case.accepted("U07.1"):
        candidate.rank = -2


RULES = (sepsis_organism, organism, sepsis_chain, covid_pneumonia)
