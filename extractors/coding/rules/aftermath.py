"""What is left behind: sequelae of a stroke, joints that were replaced, and drugs taken wrongly."""

from __future__ import annotations

import re

from extractors.coding.case import Case, Rule
from extractors.coding.drugs_named import drug_in, stem

SEQUELA = Rule("stroke-sequela", "I.C.9.d")
JOINT = Rule("joint-replaced", "I.C.21.c.3")
POISON = Rule("poisoning", "I.C.19.e.5.b")
_STROKE = re.compile(
    r"\b(?:following|after|from|due to|secondary to|residual from|sequelae? of)(?: an?| the| his| her)?"
    r"(?: old| prior| previous| remote| past)?"
    r" (?:cerebral infarction|stroke|cva|cerebrovascular accident)\b"
)
_DEFICITS = {
    "aphasia": "I69.320", "dysphasia": "I69.321", "dysarthria": "I69.322", "dysphagia": "I69.391", "ataxia": "I69.393",
    "facial weakness": "I69.392", "facial droop": "I69.392", "cognitive deficit": "I69.319",
}  # fmt: skip
_HALF = re.compile(r"\b(?:hemiplegia|hemiparesis|hemi-?paralysis)\b")
_SIDE = re.compile(r"\b(right|left)\b(?:[ -]sided)?(?: (non-?)?dominant)?")
_JOINT = re.compile(
    r"\b(?:status[ -]post|s/p|history of|hx of|h/o|prior|previous)(?: an?)? (?:(right|left|bilateral) )?(?:total )?"
    r"(?:(right|left) )?(knee|hip|shoulder) (?:joint )?(?:replacement|arthroplasty)\b"
)
_REPLACED = {"knee": "Z96.65", "hip": "Z96.64", "shoulder": "Z96.61"}
_SIDES = {"right": "1", "left": "2", "bilateral": "3", "": "9"}
_OVERDOSE = re.compile(
    r"\b(?:over-?dose|overdosed|poisoning|toxic ingestion|ingested too (?:much|many)|took too (?:much|many))\b"
)
_MEANT = re.compile(r"\b(?:intentional|intentionally|suicid\w+|self-harm|deliberate\w*)\b")
_UNKNOWN = re.compile(r"\bundetermined\b")


def stroke_sequela(case: Case) -> None:
    """A deficit that follows a stroke is one code of I69.3-, and the stroke itself is not coded."""
    match = _STROKE.search(case.text) if case.says("stroke", "cerebral infarction", "cva", "cerebrovascular") else None
    if match is None:
        return
    start = max(case.text.rfind(stop, 0, match.start()) for stop in ".;\n") + 1
    stop = next((p for mark in ".;\n" if (p := case.text.find(mark, match.end())) >= 0), len(case.text))
    clause = case.text[start:stop]
    codes = [code for word, code in _DEFICITS.items() if word in clause]
    if _HALF.search(clause):
        side = _SIDE.search(clause)
        codes.append("I69.35" + (_half(side[1], bool(side[2])) if side else "9"))
    for code in codes:
        at = start + len(clause) - len(clause.lstrip())
        case.add(code, at, match.end(), SEQUELA, "A deficit left by a stroke")
    if codes:
        for candidate in case.accepted("I63", "I64", "G81", "R47", "R13", "R27", "R29.810", "Z86.73"):
            if start <= candidate.start < stop:
                case.reject(candidate, SEQUELA, f"{codes[0]} says it")


def _half(side: str, other: bool) -> str:
    """Fifth character by side and dominance; the right side is dominant unless the text says otherwise (I.C.6.a)."""
    if side == "right":
        return "3" if other else "1"
    return "4"


def joint_replaced(case: Case) -> None:
    """A joint that was replaced is a status with its side."""
    if not case.says("replacement", "arthroplasty"):
        return
    for match in case.search(_JOINT):
        side = match[1] or match[2] or ""
        code = _REPLACED[match[3]] + _SIDES[side]
        case.add(code, *match.span(), JOINT, "An artificial joint is a status")


def poisoning(case: Case) -> None:
    """Too much of a drug, or the wrong one: by drug and intent, accidental unless the text says otherwise."""
    if not case.says("overdos", "over-dos", "poisoning", "ingest", "took too"):
        return
    for match in case.search(_OVERDOSE):
        low = max(case.text.rfind(stop, 0, match.start()) for stop in ".;\n") + 1
        left = max(low, match.start() - 40)
        drug = drug_in(case, match.end(), 50) or drug_in(case, left, match.start() - left)
        if drug is None:
            continue
        start, end, group, name = drug
        base = stem(group, name)
        if base is None:
            continue
        clause = case.text[low : max(end, match.end()) + 60].split(".")[0]
        intent = "2" if _MEANT.search(clause) else "4" if _UNKNOWN.search(clause) else "1"
        why = "Poisoning by a drug, first-listed; the intent is accidental unless stated"
        new = case.add(f"{base}{intent}A", min(start, match.start()), max(end, match.end()), POISON, why)
        if new is not None:
            new.rank = min(new.rank, -2)


RULES = (stroke_sequela, joint_replaced, poisoning)
