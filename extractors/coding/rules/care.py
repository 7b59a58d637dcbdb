"""Visits of other kinds: hospital, emergency, critical care, preventive, and what Medicare codes by itself."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from extractors.coding.case import Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.done import add_service, done_here
from extractors.coding.rules.decision import LEVELS, by_decision
from extractors.coding.rules.encounter import is_new, minutes_of, years_of
from extractors.coding.tables import table
from extractors.coding.weigh import ALONE
from extractors.findings.cues import Cued
from fhir_profiles.systems import HCPCS

CARE = Rule(
    "care-level",
    "CPT 99221-99350",
    "Hospital, emergency, consultation, nursing and home visits by decision making or time",
)
DISCHARGE = Rule("discharge-day", "CPT 99238-99239", "Discharge management by whether it took more than 30 minutes")
CRITICAL = Rule("critical-care", "CPT 99291-99292", "Critical care: the first 74 minutes, then each 30")
PREVENTIVE = Rule("preventive-visit", "CPT 99381-99397", "A preventive visit by age and whether the patient is new")
WELLNESS = Rule(
    "medicare-wellness", "CMS wellness visits, G0402, G0438, G0439", "Medicare's wellness visits: welcome, first, later"
)
SCREEN = Rule("medicare-screening", "CMS preventive services", "Medicare's own numbers for screenings")
ASK_LEVEL = Rule("care-level-missing", "CPT 99221-99350", "Asks for the decision making or time of a visit")
ASK_DISCHARGE = Rule("discharge-minutes", "CPT 99238-99239", "Asks for the minutes of discharge management")
ASK_AGE = Rule("age", "CPT 99381-99397", "Asks for the age and whether the patient is new")
ASK_FIRST = Rule("wellness-first-or-later", "CMS wellness visits", "Asks whether it is the first wellness visit")
_DISCHARGE = asked(r"\bdischarge day\b(?: management)?|\b(?:hospital )?discharge (?:day )?management\b")
_CRITICAL = asked(r"\bcritical care\b(?: time)?(?! (?:unit|nurse|transport))")
_MINUTES = re.compile(r"\b(\d{1,3}) ?min(?:ute)?s?\b")
_PREVENTIVE = asked(
    r"\bpreventive (?:medicine |health )?(?:visit|exam\w*|service)"
    r"|\bannual (?:preventive |well[- ]woman )?(?:physical|exam)(?: exam\w*)?\b|\bwell[- ](?:child"
    r"|baby) (?:visit|check|exam|care)"
    r"|\bwcc\b|\bwell[- ]woman (?:visit|exam)|\b(?:yearly|complete|routine) physical(?: exam\w*)?\b"
    r"|\bhealth (?:maintenance|supervision) (?:visit|exam)"
)
_WELLNESS = asked(r"\b(?:annual )?wellness (?:visit|exam)|\bawv\b")
_WELCOME = asked(r"\bwelcome to medicare\b|\bippe\b|\binitial preventive physical exam")
_LEVEL_SAID = re.compile(r"\blevel ([1-5])\b")
_REMOVED = re.compile(r"\b(?:snare\w*|biops\w+|bx|forceps|polypectomy|mucosal resection)\b")
_TRACING = asked(r"\b(?:ekg|ecg|electrocardiogram)\b")
_READ_ONLY = re.compile(r"\b(?:interp\w*|reading)(?: (?:and|&) report)? only\b")
_LATER = re.compile(r"\bsubsequent\b|\bfollow-?up (?:annual )?wellness|\b(?:second|third|repeat) (?:annual )?wellness")
_EARLIER = re.compile(r"\b(?:initial|first)\b")


@cache
def _visits() -> list[tuple[dict[str, Any], tuple[str, ...], Cued]]:
    return [(row, tuple(row["cues"]), asked(rf"\b(?:{row['words']})")) for row in table("office_em")["care"]]


def care_levels(case: Case) -> None:
    """Visits whose kind the text names, by decision making, else by time."""
    for row, cues, words in _visits():
        match = next(case.search(words), None) if case.says(*cues) else None
        if match is None:
            continue
        if row["id"] == "emergency" and (level := _LEVEL_SAID.search(case.text, *bounds(case.text, *match.span()))):
            add_service(case, f"9928{level[1]}", match.span(), CARE, "The level is given")
            continue
        decided, timed = by_decision(case), minutes_of(case) or _only_minutes(case)
        reached = [c for least, c in row["minutes"] if timed and timed[0] >= least]
        if decided is not None:
            add_service(case, row["levels"][decided[0]], match.span(), CARE, f"{LEVELS[decided[0]]} decision making")
        elif reached:
            add_service(case, reached[-1], match.span(), CARE, f"{timed[0] if timed else 0} minutes in total")
        else:
            case.ask(ASK_LEVEL, "How much time, or which decision making?", *match.span())


def _only_minutes(case: Case) -> tuple[int, tuple[int, int]] | None:
    """The minutes of a short text that names no others."""
    said = list(_MINUTES.finditer(case.text)) if len(case.text) <= ALONE else []
    return (int(said[0][1]), said[0].span()) if len(said) == 1 else None


def discharge_and_critical(case: Case) -> None:
    """Discharge management and critical care go by minutes."""
    if case.says("discharge") and (match := case.first(_DISCHARGE)):
        minutes = _MINUTES.search(case.text, *bounds(case.text, *match.span()))
        if minutes is None and len(case.text) <= ALONE:
            minutes = _MINUTES.search(case.text)
        if minutes is None:
            case.ask(ASK_DISCHARGE, "More than 30 minutes?", *match.span())
        else:
            add_service(
                case, "99239" if int(minutes[1]) > 30 else "99238", match.span(), DISCHARGE, f"{minutes[1]} minutes"
            )
    if case.says("critical care") and (match := next(case.search(_CRITICAL), None)):
        minutes = _MINUTES.search(case.text, *bounds(case.text, *match.span()))
        if minutes and int(minutes[1]) >= 30:
            add_service(case, "99291", match.span(), CRITICAL, f"{minutes[1]} minutes")
            if int(minutes[1]) > 74:
                further = -(-(int(minutes[1]) - 74) // 30)
                add_service(case, "99292", match.span(), CRITICAL, f"{minutes[1]} minutes", units=further)


def preventive(case: Case) -> None:
    """A preventive visit by age; for Medicare the wellness visit takes its place."""
    match = next(case.search(_PREVENTIVE), None)
    if match is None or case.setting != "outpatient" or case.says("medicare", "wellness"):
        return
    years, new = years_of(case), is_new(case)
    if years is None or new is None:
        case.ask(ASK_AGE, "How old is the patient, and is he new?", *match.span())
        return
    codes = table("office_em")["preventive"]["new" if new[1] else "established"]
    code = [c for least, c in codes if years >= least][-1]
    add_service(case, code, match.span(), PREVENTIVE, f"{'New' if new[1] else 'Established'}, {years} years")


def medicare(case: Case) -> None:
    """Welcome visit, first and later wellness visits, and the screenings that Medicare counts by itself."""
    if case.setting != "outpatient" or not case.says("medicare", "wellness", "awv", "ippe"):
        return
    if match := case.first(_WELCOME):
        add_service(case, "G0402", match.span(), WELLNESS, "The welcome visit", system=HCPCS)
        if (tracing := next(case.search(_TRACING), None)) and done_here(case, *tracing.span()):
            part = case.text[slice(*bounds(case.text, *tracing.span()))]
            traced = "G0404" if "tracing only" in part else "G0405" if _READ_ONLY.search(part) else "G0403"
            add_service(case, traced, tracing.span(), WELLNESS, "The ECG of the welcome visit", system=HCPCS)
    elif match := next(case.search(_WELLNESS), None):
        clause = case.text[slice(*bounds(case.text, *match.span()))]
        code = "G0439" if _LATER.search(clause) else "G0438" if _EARLIER.search(clause) else None
        if code is None:
            case.ask(ASK_FIRST, "Is it the first wellness visit or a later one?", *match.span())
        else:
            add_service(case, code, match.span(), WELLNESS, "A wellness visit", system=HCPCS)
    for pattern, code, *reasons in _SCREENINGS:
        match = next(case.search(pattern), None)
        if code in ("G0105", "G0121") and _REMOVED.search(case.text):
            continue  # what was done there is the service
        if match is not None:
            add_service(case, code, match.span(), SCREEN, "A screening by Medicare's number", system=HCPCS)
            for reason in reasons:
                case.add(reason, *match.span(), SCREEN, "What was screened for")


_SCREENINGS = (
    (asked(r"\b(?:annual )?depression screening\b"), "G0444", "Z13.31"),
    (asked(r"\b(?:annual )?alcohol(?: misuse)? screening\b"), "G0442", "Z13.39"),
    (asked(
        r"\bscreening pelvic\b[^.;\n]{0,20}\bbreast exam\w*|\bpelvic and (?:clinical )?breast (?:screening"
        r"|exam\w* for (?:cancer )?screening)"
        r"|\bscreening[:,]? (?:\w+ )?(?:pelvic|breast)(?: exam\w*)? (?:and|&|\+) (?:clinical )?(?:breast"
        r"|pelvic)\b"), "G0101"),
    (asked(
        r"\b(?:pap smear|pap test|pap|cervical smear)\b[^.;\n]{0,20}\b(?:collected|obtained|taken)\b"
        r"|\b(?:collected|obtained)\b[^.;\n]{0,12}\bpap\b"), "Q0091"),
    (asked(
        r"\bscreening colonoscopy\b(?=[^.;\n]{0,30}\bhigh[- ]risk)"
        r"|\bhigh[- ]risk (?:colorectal )?screening colon"), "G0105"),
    (asked(
        r"\bscreening colonoscopy\b(?=[^.;\n]{0,30}\b(?:average|not high|normal)[- ]?risk)"
        r"|\baverage[- ]risk screening colonoscopy"), "G0121"),
    (asked(
        r"\b(?:psa screening|screening psa)\b"
        r"|\bpsa\b[^.;\n]{0,24}\bscreening|\bscreening\b[^.;\n]{0,30}\bpsa\b"), "G0103"),
    (asked(r"\b(?:fit|fecal immunochemical|immunochemical (?:fecal|stool)|ifobt)\b[^.;\n]{0,40}\bscreening"
           r"|\bscreening\b[^.;\n]{0,30}\b(?:fit|fecal immunochemical|ifobt)\b"), "G0328"),
    (asked(r"\b(?:lung cancer screening|low[- ]dose ct)\b[^.;\n]{0,24}\b(?:counsel\w+|shared decision|visit)"
           r"|\b(?:counsel\w+|shared decision)[^.;\n]{0,40}\blung cancer screening"), "G0296"),
    (asked(r"\bscreening (?:digital )?rectal exam|\bprostate cancer screening by (?:digital )?rectal"), "G0102"),
    (asked(r"\bobesity counsel\w+|\bbehaviou?ral counsel\w+ for obesity"), "G0447"),
)  # fmt: skip

RULES = (care_levels, discharge_and_critical, preventive, medicare)
