"""What is left behind: sequelae of a stroke, joints that were replaced, and drugs taken wrongly."""

from __future__ import annotations

import re

from extractors.coding.case import Case, Rule, asked
from extractors.coding.clauses import dominant
from extractors.coding.drugs_named import drug_in, stem

SEQUELA = Rule("stroke-sequela", "I.C.9.d", "A deficit left by a stroke is one code of I69.3-; the stroke is not coded")
JOINT = Rule("joint-replaced", "I.C.21.c.3", "A joint that was replaced is a status with its side")
POISON = Rule(
    "poisoning",
    "I.C.19.e.5.b",
    "Too much of a drug or the wrong one: by drug and intent, first-listed, accidental unless stated",
)
RASH = Rule("drug-rash", "I.C.19.e.5.a, L27.0", "A rash that a drug caused is L27.0 before the drug")
ALCOHOL = Rule(
    "drug-with-alcohol",
    "I.C.19.e.5.b",
    "An interaction of a drug with alcohol is a poisoning by both, not an adverse effect",
)
_ALCOHOL = re.compile(
    r"^ (?:and|with|together with|combined with|plus) (?:\w+ )?(alcohol|wine|beer|liquor|vodka|whiskey)\b"
)
DRUGS = tuple(f"T{number}" for number in range(36, 51))
_STROKE = asked(
    r"\b(?:following|after|from|due to|secondary to|residual from|sequelae? of|late effects? of"
    r"|as a result of)(?: an?| the| his| her)?"
    r"(?: old| prior| previous| remote| past)?"
    r" (?:cerebral infarction|stroke|cva|cerebrovascular accident)\b"
)
_DEFICITS = {
    "aphasia": "I69.320", "dysphasia": "I69.321", "dysarthria": "I69.322", "dysphagia": "I69.391", "ataxia": "I69.393",
    "facial weakness": "I69.392", "facial droop": "I69.392", "cognitive deficit": "I69.319",
}  # fmt: skip
_HALF = re.compile(r"\b(?:hemiplegia|hemiparesis|hemi-?paralysis)\b")
_SIDE = re.compile(r"\b(right|left)\b(?![ -]?hand)")
_JOINT = asked(
    r"\b(?:status[ -]post|s/p|history of|hx of|h/o|prior|previous|following|after|aftercare of"
    r"|aftercare for)(?: an?| the| her| his)? (?:(right|left|bilateral) )?(?:total )?"
    r"(?:(right|left) )?(knee|hip|shoulder) (?:joint )?(?:replacement|arthroplasty)\b"
)
_REPLACED = {"knee": "Z96.65", "hip": "Z96.64", "shoulder": "Z96.61"}
_SIDES = {"right": "1", "left": "2", "bilateral": "3", "": "9"}
_OVERDOSE = asked(
    r"\b(?:over-?dose|overdosed|poisoning|toxic ingestion|ingested too (?:much|many)|(?:took|taken"
    r"|swallowed) (?:too (?:much|many)|twice|double"
    r"|two times|three times|triple|extra|an extra|the wrong|someone else's|his wife's|her husband's)"
    r"|in error|by mistake|mistakenly took)\b"
)
_MEANT = re.compile(r"\b(?:intentional|intentionally|suicid\w+|self-harm|deliberate\w*)\b")
_UNKNOWN = re.compile(r"\bundetermined\b")


def stroke_sequela(case: Case) -> None:
    """A deficit that follows a stroke is one code of I69.3-, and the stroke itself is not coded."""
    match = case.first(_STROKE) if case.says("stroke", "cerebral infarction", "cva", "cerebrovascular") else None
    if match is None:
        return
    start = max(case.text.rfind(stop, 0, match.start()) for stop in ".;\n") + 1
    stop = next((p for mark in ".;\n" if (p := case.text.find(mark, match.end())) >= 0), len(case.text))
    clause = case.text[start:stop]
    codes = [code for word, code in _DEFICITS.items() if word in clause]
    if _HALF.search(clause):
        side = _SIDE.search(clause)
        other = "non" in dominant(clause, case.text)
        codes.append("I69.35" + (_half(side[1], other) if side else "9"))
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
    return "4" if other else "2"


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
    if not case.says("overdos", "over-dos", "poisoning", "ingest", "took ", "taken ", "swallowed", "mistake", "error"):
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


def drug_rash(case: Case) -> None:
    """A rash whose adverse effect is coded beside it is the eruption by a drug."""
    for rash in case.accepted("R21"):
        drug = next((c for c in case.accepted(*DRUGS) if c.code.endswith("5A") and 0 <= c.start - rash.end < 60), None)
        if drug is not None and not rash.printed:
            case.replace(rash, "L27.0", RASH, f"The text lays it to a drug: {drug.code}")


def taken_with_alcohol(case: Case) -> None:
    """A drug that did harm together with alcohol: a poisoning by both, first-listed."""
    for drug in case.accepted(*DRUGS):
        match = _ALCOHOL.match(case.text[drug.end : drug.end + 40])
        if not drug.code.endswith("5A") or match is None:
            continue
        start, end = drug.end + match.start(1), drug.end + match.end(1)
        why = "A drug and alcohol that act together are a poisoning"
        case.replace(drug, f"{drug.code[:-2]}1A", ALCOHOL, why)
        drug.rank = min(drug.rank, -2)
        new = case.add("T51.0X1A", start, end, ALCOHOL, why)
        if new is not None:
            new.rank = min(new.rank, -1)


RULES = (stroke_sequela, joint_replaced, poisoning, drug_rash, taken_with_alcohol)
