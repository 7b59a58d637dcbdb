"""What was done: injections with their units, excisions with their margins, procedures that the text names."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from functools import cache

from extractors.coding.case import Case, Rule
from extractors.coding.tables import table
from extractors.findings.cues import Cues
from fhir_profiles.systems import CPT, HCPCS

UNITS = Rule("injection-units", "HCPCS Level II, amount per unit")
GIVEN = Rule("injection-given", "CPT 96372-96374")
EXCISION = Rule("excision-with-margins", "CPT excision rules")
NAMED = Rule("procedure-named", "starter tables")
_EXCISION = re.compile(
    r"\bexcis(?:ion|ed)\b[^.;\n]{0,20}?(\d+(?:\.\d+)?) ?cm ([^.;\n]{3,80}?)"
    r"\b(?:of|from) the (arm|leg|trunk|back|chest|abdomen|forearm|thigh|shoulder)"
    r"[^.;\n]{0,20}?(\d+(?:\.\d+)?) ?cm margins?"
)
_MALIGNANT = re.compile(r"carcinoma|melanoma|malignan|\bbcc\b|\bscc\b|sarcoma")
_AT_HOME = re.compile(
    r"^[^.;\n]{0,20}\b(?:daily|bid|tid|qid|q\d+|qhs|qd|nightly|weekly|monthly|every|prn|at bedtime|twice)\b"
)
_FACTOR = {"g": Decimal(1000), "mg": Decimal(1), "mcg": Decimal("0.001"), "unit": Decimal(1), "units": Decimal(1)}


@cache
def _injection() -> re.Pattern[str]:
    names = "|".join(sorted(map(re.escape, table("injectables")["drugs"]), key=len, reverse=True))
    return re.compile(
        rf"\b({names})\b[^.;\n\d]{{0,20}}(\d[\d,]*(?:\.\d+)?) ?(g|mg|mcg|units?)\b[^.;\n]{{0,12}}?"
        r"\b(im|iv|ivp|sc|sq|subq|intramuscular(?:ly)?|intravenous(?:ly)?|subcutaneous(?:ly)?|intra-?articular)\b"
    )


@cache
def _injectables() -> Cues:
    return Cues(table("injectables")["drugs"])


def injections(case: Case) -> None:
    """A drug given by needle: its J-code with units rounded up, and how it was given."""
    if case.setting != "outpatient" or not case.says(" im", " iv", " sc", " sq", "subq", "subcut", "intra"):
        return
    for match in case.search(_injection(), _injectables()):
        if _AT_HOME.match(case.text[match.end() : match.end() + 30]):
            continue
        code = table("injectables")["drugs"][match[1]]
        per, unit = case.lexicon.properties(HCPCS, code)["per"].split()
        amount = Decimal(match[2].replace(",", "")) * _FACTOR[match[3]]
        units = math.ceil(amount / (Decimal(per) * _FACTOR[unit]))
        why = f"{match[2]} {match[3]} at {per} {unit} a unit is {units}"
        case.add(code, *match.span(), UNITS, why, system=HCPCS, units=units)
        given = table("injectables")["routes"].get(match[4].replace("ly", "").replace("-", ""))
        if given:
            case.add(given, *match.span(4), GIVEN, "The drug was given by this route", system=CPT, confidence=0.8)


def excisions(case: Case) -> None:
    """The size of an excision is the lesion and twice the narrowest margin."""
    if not case.says("margin"):
        return
    for match in _EXCISION.finditer(case.text):
        size = Decimal(match[1]) + 2 * Decimal(match[4])
        kind = "malignant" if _MALIGNANT.search(match[2]) else "benign"
        code = next(
            c for limit, c in table("injectables")["excisions"][kind] if limit is None or size <= Decimal(str(limit))
        )
        case.add(code, *match.span(), EXCISION, f"{match[1]} cm and margins of {match[4]} cm are {size} cm", system=CPT)


def named(case: Case) -> None:
    """A procedure that the text names: accepted from a list of procedures, else suggested to the coder."""
    for number, finding in enumerate(case.findings.items):
        if finding.kind not in ("problem", "procedure") or not finding.assertion.present:
            continue
        best = next((c for c in finding.concepts if c[0] in (CPT, HCPCS)), None)
        if best is None or any(c.code == best[1] and c.system == best[0] for c in case.candidates):
            continue
        why = f'"{finding.text}" names it; whether it was done here is for the coder to say'
        new = case.add(best[1], finding.start, finding.end, NAMED, why, system=best[0], finding=number, confidence=0.4)
        if new is not None:
            new.status = "suggested"


RULES = (injections, excisions, named)
