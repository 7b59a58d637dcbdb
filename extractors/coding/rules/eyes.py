"""Two eyes of one disease, each with its own kind or stage (I.C.7.a, I.B.13)."""

from __future__ import annotations

import re

from extractors.coding.case import Candidate, Case, Rule
from extractors.coding.clauses import bounds
from extractors.coding.rules.specific import unsaid
from extractors.coding.shorthand import spelled
from extractors.coding.titles import best, content, meant
from extractors.model import Span

EYES = Rule(
    "each-eye", "I.C.7.a, I.B.13", "Each eye has its own kind or stage of glaucoma, retinopathy or degeneration"
)
_FAMILIES = ("H40.1", "H40.2", "H40.3", "H40.4", "H40.5", "H40.6", "H25", "H26", "H35.3", "H34")
_DIABETES = ("E08", "E09", "E10", "E11", "E13")
_MARK = re.compile(r"\b(?:the )?(?:(right|left)(?: eye)?|(od|os))\b(?!-| handed)")
_SIDES = {"od": "right", "os": "left", "right": "right", "left": "left"}
_CUT = re.compile(r"[,;.]|\band\b|&")
_STAGE = re.compile(
    r"\b(?:mild|moderate|severe|indeterminate|early|intermediate|advanced|dry|wet|(?:non-?)?exudative|active|inactive"
    r"|n?pdr|(?:non-?)?proliferative|nuclear|cortical|subcapsular|stable|edema|dme)\b"
)
_RETINA = re.compile(r"retinopath|\bn?pdr\b")


def each_eye(case: Case) -> None:
    """ "Moderate right eye, severe left eye" is a code for each eye."""
    for candidate in case.accepted(*_FAMILIES, *_DIABETES):
        low, high = bounds(case.text, candidate.start, candidate.end, "\n")
        if candidate.code.startswith(_DIABETES) and not _RETINA.search(case.text, low, high):
            continue
        parts = _parts(case.text, candidate, low, high)
        own = any(a <= candidate.start < b for a, b in parts.values())  # the words of one eye, not of both
        common = "" if own else case.text[candidate.start : candidate.end]
        found = {side: _code(case, candidate, side, f"{common} {case.text[a:b]}") for side, (a, b) in parts.items()}
        if len(found) != 2 or None in found.values() or found["right"] == found["left"]:
            continue
        why = "The text tells of each eye"
        here, there = ("left", "right") if candidate.code == found["left"] else ("right", "left")
        case.replace(candidate, str(found[here]), EYES, why)
        case.add(str(found[there]), *parts[there], EYES, why, finding=candidate.finding)
        keep = set(found.values())
        for other in case.accepted(candidate.code[:3], "H35.81"):
            if low <= other.start < high and other.code not in keep and other is not candidate:
                case.reject(other, EYES, f"{candidate.code} says it")


def _parts(text: str, candidate: Candidate, low: int, high: int) -> dict[str, Span]:
    """What the line says of each eye, where it names each once: before or after the eye."""
    marks = list(_MARK.finditer(text, low, high))
    if len(marks) != 2 or {_side(m) for m in marks} != {"right", "left"}:
        return {}
    first, second = marks
    stage = _STAGE.search(text, low, high)
    if stage is None:
        return {}
    if first.start() < stage.start():  # "right eye: moderate; left eye: severe"
        spans = {_side(first): (first.end(), second.start()), _side(second): (second.end(), high)}
    else:
        cut = _CUT.search(text, first.end(), second.start())
        stop = cut.start() if cut else first.end()
        spans = {_side(first): (min(candidate.end, stage.start()), stop), _side(second): (stop, high)}
    return spans if all(_STAGE.search(text, *span) for span in spans.values()) else {}


def _side(mark: re.Match[str]) -> str:
    return _SIDES[mark[1] or mark[2]]


def _code(case: Case, candidate: Candidate, side: str, said: str) -> str | None:
    words = (meant(spelled(unsaid(said))) - {"right", "left", "bilateral"}) | {side}
    category = candidate.code[:3]
    own = content(case.lexicon.display_of(candidate.code)) - _KINDS - {"right", "left", "bilateral"}
    if candidate.code.startswith(_DIABETES):
        own -= {"macular", "edema"}
    presumed = content(case.lexicon.display_of(category)) | own | {"diabetic", "age", "related", "stage", "polar"}
    fitting = case.lexicon.titles(category).fitting(words | presumed)
    title = best(fitting, words, words & (_KINDS | {side}), candidate.code)
    return title.code if title is not None else None


_KINDS = frozenset({
    "mild", "moderate", "severe", "proliferative", "nonproliferative", "exudative", "nonexudative", "early",
    "intermediate", "advanced", "indeterminate", "stable", "active", "inactive", "nuclear", "cortical", "subcapsular",
    "posterior",
})  # fmt: skip


RULES = (each_eye,)
