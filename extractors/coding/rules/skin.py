"""Wounds by kind, site and added length; lesions by behavior, site and size with margins (CPT 11300-13160)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from extractors.coding.case import Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.done import add_service
from extractors.coding.tables import table
from extractors.coding.weigh import ALONE
from fhir_profiles.systems import HCPCS

REPAIR = Rule("wound-lengths", "CPT 12001-13160", "Lengths of wounds of one kind and group of sites are added")
LENGTH = Rule("wound-length", "CPT 12001-13160", "Asks for the length of a wound that was closed")
EXCISION = Rule(
    "excision-with-margins", "CPT 11400-11646", "An excision's size is the lesion and twice its narrowest margin"
)
SHAVE = Rule("shave-size", "CPT 11300-11313", "A shave is coded by site and size")
SIZE = Rule("lesion-size", "CPT 11300-11646", "Asks for the size of a lesion")
_CLOSED = asked(
    r"\b(?:repair(?:ed|s)?|closure|closed|sutur(?:e|es|ed|ing)|stapled?|staples|dermabond|tissue adhesive"
    r"|skin glue|glued"
    r"|approximated)\b"
)
_NOT = re.compile(r"\b(?:remov\w+|will|if|declin\w+|refer\w*|healed|ago|previous\w*|prior|open to heal|not)\b")
_COMPLEX = re.compile(r"\bcomplex\b|\bextensive undermining\b|\bretention sutures?\b")
_LAYERED = re.compile(r"\b(?:layered|intermediate|two[- ]layers?|multi-?layer\w*|heavily contaminated|in layers)\b")
_CM = re.compile(r"\b(\d+(?:\.\d+)?) ?-?(cm|mm|centimeters?|millimeters?)\b")
_WOUND = re.compile(r"\b(?:lacerations?|lacs?|wounds?|cuts?)\b")
_GLUE = re.compile(r"\b(?:dermabond|tissue adhesive|skin glue|glued)\b")
_THREAD = re.compile(r"\b(?:sutur\w*|stapl\w*|nylon|vicryl|prolene|ethilon|monocryl|layer\w*|stitch\w*)\b")
_AFTER_EXCISION = re.compile(r"\b(?:layered|intermediate|complex)\b[^.;]{0,20}\b(?:closure|repair|closed)\b")
_AFTER_EXCISION_SIZED = re.compile(r"\b(?:closure|repair|closed|sutured|wound)\b[^.;\n]{0,30}\d+(?:\.\d+)? ?[cm]m")
_PARTS = re.compile(r",? and (?=[^,;]*\d)|;|, (?=\d)")
MALIGNANT = re.compile(r"carcinoma|melanoma|malignan|\bbcc\b|\bscc\b|sarcoma")
_BENIGN = re.compile(r"benign|nevus|nevi|cyst|lipoma|keratosis|skin tag|fibroma|hemangioma|\bmole\b|papilloma")
_EXCISED = asked(r"\bexcis(?:ion|ed|ional)\b")
_MARGIN = re.compile(
    r"(\d+(?:\.\d+)?) ?(cm|mm)[- ](?:\w+ ){0,2}margins?"
    r"|margins? (?:(?:of|were|was|measuring) )?(\d+(?:\.\d+)?) ?(cm|mm)"
)
_SHAVED = asked(r"\bshav(?:e|ed) (?:removal|excision)\b|\bshave(?:d)? (?:off|excised|removed)\b")


def size_in(text: str) -> Decimal | None:
    """The first size that the text names, in cm."""
    size = _CM.search(text)
    return _cm(size[1], size[2]) if size else None


def _cm(value: str, unit: str) -> Decimal:
    return Decimal(value) / (10 if unit.startswith("m") else 1)


def repairs(case: Case) -> None:
    """Every closed wound, added up by kind and group of sites; the further groups take modifier 59."""
    if not case.says("lacerat", "wound", " cut", "lac ", "lacs", "excis") or not case.first(_CLOSED):
        return
    sums: dict[tuple[str, int], Decimal] = {}
    spans: dict[tuple[str, int], tuple[int, int]] = {}
    for start, clause in _told(case.text):
        closed = _CLOSED.pattern.search(clause)
        excised = "excis" in case.text and _AFTER_EXCISION.search(clause)
        if closed is None or _NOT.search(clause) or not (_WOUND.search(clause) or excised):
            continue
        span = (start, start + len(clause))
        if _GLUE.search(clause) and not _THREAD.search(clause) and case.says("medicare"):
            add_service(case, "G0168", span, REPAIR, "Medicare has its own number for glue alone", system=HCPCS)
            continue
        kind = _kind(clause) or "simple"
        sites = clause if _has_site(clause) else case.text
        measured = False
        for part in _PARTS.split(clause):
            size = _CM.search(part)
            if size is None:
                continue
            measured = True
            own = _kind(part) or kind
            key = (own, group_of(table("services")["repairs"][own], part if _has_site(part) else sites))
            sums[key] = sums.get(key, Decimal(0)) + _cm(size[1], size[2])
            spans.setdefault(key, span)
        if not measured:
            case.ask(LENGTH, "How long was the wound?", start + closed.start(), start + closed.end())
    order = {"complex": 0, "intermediate": 1, "simple": 2}
    for number, key in enumerate(sorted(sums, key=lambda k: (order[k[0]], k[1]))):
        _repair(case, key, sums[key], spans[key], first=number == 0)


def _told(text: str) -> Iterator[tuple[int, str]]:
    """Sentences; one that measures a wound goes with the next one, where that tells how it was closed."""
    sentences = list(re.finditer(r"(?:[^.;\n]|\.(?=\d))+", text))
    joined = False
    for sentence, after in zip(sentences, [*sentences[1:], None], strict=True):
        if joined:
            joined = False
            continue
        own = sentence[0]
        if after and _WOUND.search(own) and _CM.search(own) and not _CLOSED.pattern.search(own):
            joined = bool(_CLOSED.pattern.search(after[0])) and not _CM.search(after[0])
        yield sentence.start(), text[sentence.start() : after.end()] if joined and after else own


def _kind(text: str) -> str:
    """The kind of closure that the words name, "" when they name none."""
    if _COMPLEX.search(text):
        return "complex"
    return "intermediate" if _LAYERED.search(text) else "simple" if "simple" in text or "single-layer" in text else ""


def _repair(case: Case, key: tuple[str, int], length: Decimal, span: tuple[int, int], *, first: bool) -> None:
    kind, group = key
    code = next(
        (c for limit, c in table("services")["repairs"][kind][group]["sizes"] if length <= Decimal(str(limit))), None
    )
    if code is not None and not (kind == "complex" and length < Decimal("1.1")):
        why = f"{length} cm in all, {kind} repair"
        add_service(case, code, span, REPAIR, why, modifiers=() if first else ("59",))


SITES = re.compile(
    r"\b(?:face|forehead|cheek|chin|nose|lip|ear|eyelid|eyebrow|scalp|neck|axilla|hand|finger|thumb|palm|foot"
    r"|toe|arm|forearm|leg|thigh|shin|calf"
    r"|back|chest|abdomen|trunk|shoulder|knee|elbow|wrist|ankle)"
)


def _has_site(text: str) -> bool:
    return SITES.search(text) is not None


def group_of(groups: list[dict[str, Any]], text: str) -> int:
    """The first group of sites that the words name; the last one is every other site."""
    for number, group in enumerate(groups):
        if group["sites"] and re.search(rf"\b(?:{group['sites']})s?\b", text):
            return number
    return len(groups) - 1


def excisions(case: Case) -> None:
    """The size of an excision is the lesion and twice the narrowest margin."""
    if not case.says("excis"):
        return
    for match in case.search(_EXCISED):
        low, high = bounds(case.text, *match.span())
        clause = case.text[low:high]
        malignant = MALIGNANT.search(clause)
        if (
            (not malignant and not _BENIGN.search(clause))
            or not _has_site(clause)
            or re.search(r"\b(?:will|plan\w*|schedul\w+|refer\w*|ago)\b", clause)
        ):
            continue
        told = clause
        if _CM.search(_MARGIN.sub(" ", clause)) is None and len(case.text) <= ALONE:
            told = _AFTER_EXCISION_SIZED.sub(" ", case.text)  # a size of its own sentence, and not that of the closure
        margins = [_cm(m[1] or m[3], m[2] or m[4]) for m in _MARGIN.finditer(told)]
        size = _CM.search(_MARGIN.sub(" ", told))
        if size is None:
            case.ask(SIZE, "How large was the lesion?", *match.span())
            continue
        whole = _cm(size[1], size[2]) + 2 * min(margins, default=Decimal(0))
        groups = table("services")["excisions"]["malignant" if malignant else "benign"]
        first = groups[group_of(groups, clause)]["first"]
        at = sum(1 for step in table("services")["excisions"]["steps"] if whole > Decimal(str(step)))
        code = str(first + (6 if at == 5 else at))
        why = f"The lesion with its margins is {whole} cm"
        add_service(case, code, (low, high), EXCISION, why)


def shaves(case: Case) -> None:
    """A lesion that was shaved off, by site and size."""
    if not case.says("shav"):
        return
    for match in case.search(_SHAVED):
        low, high = bounds(case.text, *match.span())
        clause = case.text[low:high]
        size = _CM.search(clause)
        if size is None:
            case.ask(SIZE, "How large was the lesion?", *match.span())
            continue
        groups = table("services")["shaves"]
        at = sum(1 for step in (0.5, 1.0, 2.0) if _cm(size[1], size[2]) > Decimal(str(step)))
        add_service(
            case, str(groups[group_of(groups, clause)]["first"] + at), (low, high), SHAVE, f"{size[0]} was shaved off"
        )


RULES = (repairs, excisions, shaves)
