"""What is left behind: sequelae of a stroke, joints that were replaced, and rashes of drugs."""

from __future__ import annotations

import re

from extractors.coding.case import Case, Rule, asked
from extractors.coding.clauses import bounds, dominant
from extractors.coding.drugs_named import DRUGS
from extractors.coding.shorthand import spelled

SEQUELA = Rule("stroke-sequela", "I.C.9.d", "A deficit left by a stroke is one code of I69.3-; the stroke is not coded")
JOINT = Rule("joint-replaced", "I.C.21.c.3", "A joint that was replaced is a status with its side")
RASH = Rule("drug-rash", "I.C.19.e.5.a, L27.0", "A rash that a drug caused is L27.0 before the drug")
_KIND = (
    r"(?:(?:old|prior|previous|past|remote|recent|acute|ischemic|embolic|cardioembolic|thrombotic|lacunar|hemorrhagic"
    r"|right|left|r|l|mca|aca|pca|(?:right|left)[- ]sided|pontine|cerebellar|basilar|\d{4}) )*"
)
_EVENT = r"(?:cerebral infarction|stroke|cva|cerebrovascular accident|(?:intra)?cerebral hemorrhage|intracranial bleed)"
_STROKE = asked(
    r"\b(?:following|after|from|due to|secondary to|residual (?:from|of)|sequelae? of|late effects? of|result of)"
    rf"(?: an?| the| his| her)? {_KIND}{_EVENT}\b"
    rf"|\b(?:old|prior|previous|past|remote|history of|hx of|h/o|s/p)(?: an?)? {_KIND}{_EVENT}\b"
    r"[^.;\n]{0,24}?(?:,| with| leaving| and)(?: \w+)? (?:residual|persistent|resulting|lingering|left with)\b"
    rf"|\b{_EVENT} (?:\w+ ){{0,4}}with (?:residual|persistent|lingering)\b"
)
_DEFICITS = {
    "aphasia": "20", "dysphasia": "21", "dysarthria": "22", "dysphagia": "91", "ataxia": "93", "facial weakness": "92",
    "facial droop": "92", "cognitive deficit": "19", "cognitive impairment": "19",
}  # fmt: skip
_NEW = re.compile(r"\b(?:acute|new|recurrent|current|second|another|today|this admission|tpa|thrombectomy)\b")
_NONE_LEFT = re.compile(r"\b(?:no|without)(?: any)? (?:residual|deficit|sequela)")
_HALF = re.compile(
    r"\b(?:hemiplegia|hemiparesis|hemi-?paralysis)\b|\b(?:right|left)[- ](?:sided?|hemibody) weakness\b"
    r"|\bweakness (?:of|on) (?:the |his |her )?(?:right|left)(?: side| body)?"
    r"(?! (?:arm|leg|hand|foot|upper|lower|face))"
)
_LIMB = re.compile(
    r"\b(?P<side>right|left) (?P<limb>arm|hand|upper extremity|leg|foot|lower extremity) "
    r"(?:weakness|paresis|monoparesis)\b"
    r"|\b(?:weakness|monoparesis|paresis) (?:of|in) (?:the |his |her )?(?P<side2>right|left) "
    r"(?P<limb2>arm|hand|upper extremity|leg|foot|lower extremity)\b"
)
_SIDE = re.compile(r"\b(right|left)\b(?![ -]?hand)")
_JOINT = asked(
    r"\b(?:status[ -]post|s/p|history of|hx of|h/o|prior|previous|following|after|aftercare of"
    r"|aftercare for|out from|from)(?: an?| the| her| his)? (?:(right|left|bilateral|r|l|rt|lt) )?(?:total )?"
    r"(?:(right|left|r|l|rt|lt) )?"
    r"(?:(knee|hip|shoulder) (?:joint )?(?:replacement|arthroplasty)|(tka|tkr|tha|thr|tsa))\b"
)
_REPLACED = {"knee": "Z96.65", "hip": "Z96.64", "shoulder": "Z96.61"}
_LETTERS = {"k": "knee", "h": "hip", "s": "shoulder"}
_SIDES = {"right": "1", "left": "2", "r": "1", "l": "2", "rt": "1", "lt": "2", "bilateral": "3", "": "9"}


def stroke_sequela(case: Case) -> None:
    """A deficit that follows a stroke is one code of I69.3-, and the stroke itself is not coded."""
    if case.says("stroke", "cerebral", "cva", "cerebrovascular", "intracranial"):
        for match in case.each(_STROKE):
            _sequela(case, match)
        for stroke in case.accepted("I63") if case.has("I69.3") else ():  # told again, unless it is another one
            if not _NEW.search(case.text, *bounds(case.text, stroke.start, stroke.end)):
                case.reject(stroke, SEQUELA, "What it left is coded")


def _sequela(case: Case, match: re.Match[str]) -> None:
    start = max(case.text.rfind(stop, 0, match.start()) for stop in ".;\n") + 1
    stop = next((p for mark in ".;\n" if (p := case.text.find(mark, match.end())) >= 0), len(case.text))
    clause = case.text[start:stop]
    if _NONE_LEFT.search(clause):
        return
    codes = _left_behind(clause, case.text, "I69.1" if "hemorrh" in match[0] or "bleed" in match[0] else "I69.3")
    for code in codes:
        at = start + len(clause) - len(clause.lstrip())
        case.add(code, at, max(at + 1, match.end()), SEQUELA, "A deficit left by a stroke")
    if codes:
        for candidate in case.accepted(*_SAID_BY_SEQUELA):
            phase = candidate.code.startswith("R13.1") and candidate.code != "R13.10"  # I69.391 asks for it
            if start <= candidate.start < stop and not phase:
                case.reject(candidate, SEQUELA, f"{codes[0]} says it")


_SAID_BY_SEQUELA = (
    "I61", "I62", "I63", "I64", "G81", "G83", "R47", "R13", "R27", "R29", "R41", "R53.1", "M62.81", "Z86.73",
)  # fmt: skip


def _left_behind(clause: str, text: str, base: str) -> list[str]:
    """The codes of the deficits that a clause names, below the stroke's kind."""
    clause = spelled(clause)
    codes = [base + code for word, code in _DEFICITS.items() if word in clause]
    if half := _HALF.search(clause):
        side = _SIDE.search(half[0]) or _SIDE.search(clause)
        codes.append(f"{base}5" + (_half(side[1], clause, text) if side else "9"))
    if limb := _LIMB.search(clause):
        of = "3" if (limb["limb"] or limb["limb2"]) in ("arm", "hand", "upper extremity") else "4"
        codes.append(f"{base}{of}{_half(limb['side'] or limb['side2'], clause, text)}")
    return codes


def _half(side: str, clause: str, text: str) -> str:
    """Fifth character by side and dominance; the right side is dominant unless the text says otherwise (I.C.6.a)."""
    other = "non" in dominant(clause, text, side)
    if side == "right":
        return "3" if other else "1"
    return "4" if other else "2"


def joint_replaced(case: Case) -> None:
    """A joint that was replaced is a status with its side."""
    if not case.says("replacement", "arthroplasty", "tka", "tkr", "tha ", "tha,", "tha.", "thr ", "tsa "):
        return
    for match in case.search(_JOINT):
        side = match[1] or match[2] or ""
        if match[4] and not side:
            continue  # its side stands elsewhere
        code = _REPLACED[match[3] or _LETTERS[match[4][1]]] + _SIDES[side]
        case.add(code, *match.span(), JOINT, "An artificial joint is a status")


def drug_rash(case: Case) -> None:
    """A rash whose adverse effect is coded beside it is the eruption by a drug."""
    for rash in case.accepted("R21"):
        drug = next((c for c in case.accepted(*DRUGS) if c.code.endswith("5A") and 0 <= c.start - rash.end < 60), None)
        if drug is not None and not rash.printed:
            case.replace(rash, "L27.0", RASH, f"The text lays it to a drug: {drug.code}")


RULES = (stroke_sequela, joint_replaced, drug_rash)
