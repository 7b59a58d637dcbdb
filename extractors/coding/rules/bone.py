"""Fractures that a disease explains: osteoporosis, tumors, repeated stress (I.C.13.c, I.C.13.d, I.C.2.l.6)."""

from __future__ import annotations

import re

from extractors.coding.case import Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.rules.injury import seventh
from extractors.coding.shorthand import spelled
from extractors.coding.titles import best, content, meant, met

BONE = Rule(
    "fracture-of-disease", "I.C.13.c, I.C.13.d, I.C.2.l.6", "A fracture of diseased or overused bone is no injury"
)
_STRESS = re.compile(r"\b(?:stress|fatigue|march) fractures?\b")
_OF_DISEASE = re.compile(r"\b(?:path(?:ologic(?:al)?)?|fragility|insufficiency) fractures?\b")
_ANY = asked(r"\b(?:fractures?|fx)\b")
_MINOR = re.compile(
    r"\bpathologic|fragility|stumbl|trip|standing height|minor (?:fall|trauma)|minimal trauma"
    r"|low[- ]energy|osteopor\w+ (?:\w+ ){0,2}fracture"
    r"|fracture due to osteopor|osteopor\w* with[^.;]{0,30}fracture|spontaneous"
)
_FRACTURE = re.compile(r"\bfx\b")
_SLIGHT = re.compile(  # what would not break a healthy bone (I.C.13.d.2)
    r"\b(?:no|without)(?: any| known)? (?:fall|trauma|injury)\b|\batraumatic\b|\bstood up\b"
    r"|\btripp\w+|\bstumbl\w+|\bbent (?:over|down)\b"
    r"|\b(?:coughed|coughing|sneez\w+|getting (?:up|out of (?:bed|a chair))|roll(?:ed|ing) over)\b"
    r"|\bground[- ]level fall\b|\bglf\b"
)
_PAST = re.compile(r"\b(?:old|healed|history of|prior|previous|no|without|risk of|prevent)\b[^.;\n]{0,40}$")
_BONES = {"hip": "femur", "wrist": "forearm", "spine": "vertebra", "spinal": "vertebra", "lumbar": "vertebra",
          "thoracic": "vertebra", "compression": "vertebra", "vertebrae": "vertebra", "vertebral": "vertebra",
          "radius": "forearm", "ankle": "ankle foot", "l1": "vertebra", "l2": "vertebra",
          "t12": "vertebra"}  # fmt: skip
_KNOWN = content("age related current pathological fracture stress damage neoplastic osteoporosis")


def fracture_of_disease(case: Case) -> None:
    """The code of the bone and side, after what broke it; the injury's code of the same words goes."""
    if not case.says("fracture", "fx"):
        return
    porous = case.accepted("M80", "M81") or case.says("osteoporotic")
    for match in case.each(_ANY):
        low, high = bounds(case.text, *match.span())
        clause = _FRACTURE.sub("fracture", spelled(case.text[low:high]))
        if _PAST.search(case.text, max(0, match.start() - 60), match.start()):
            continue
        if _STRESS.search(clause):
            prefix = "M84.3"
        elif porous and (_MINOR.search(clause) or _OF_DISEASE.search(clause) or _SLIGHT.search(case.text)):
            prefix = "M80.0"
        elif _OF_DISEASE.search(clause):
            prefix = "M84.5" if case.has("C", "D16", "D48") else "M84.4"
        else:
            continue
        code = _code(case, prefix, clause)
        if code is None:
            continue
        if len(code) == 8:
            code = seventh(case, code[:-1].rstrip("X"), clause) or code
        for other in case.accepted("S", "M84", "M80", "M81" if prefix == "M80.0" else "M80"):
            if other.code != code and (low <= other.start < high or other.code.startswith("M81")):
                case.reject(other, BONE, f"{code} says it")
        new = case.add(code, match.start(), match.end(), BONE, "A disease or overuse of the bone explains the fracture")
        if new is not None:
            new.rank = min(new.rank, -1)


def _code(case: Case, prefix: str, clause: str) -> str | None:
    words = meant(clause)
    words |= frozenset(w for word, bones in _BONES.items() if word in clause for w in bones.split())
    fitting = [t for t in case.lexicon.titles(prefix).fitting(words | _KNOWN) if met(t, words - _KNOWN)]
    title = best(fitting, words, frozenset())
    return title.code if title is not None else None


RULES = (fracture_of_disease,)
