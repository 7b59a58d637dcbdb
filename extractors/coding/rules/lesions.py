"""Biopsies by kind and number, skin tags by number, malignant lesions destroyed by site and size (CPT 11102-17286)."""

from __future__ import annotations

import re

from extractors.coding.case import Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.done import NUMBERS, add_service, done_here
from extractors.coding.rules.skin import MALIGNANT, group_of, size_in
from extractors.coding.tables import table

BIOPSY = Rule(
    "skin-biopsies", "CPT 11102-11107", "Skin biopsies: the first by the deepest kind, each further one by its own"
)
TAGS = Rule("skin-tags", "CPT 11200-11201", "Skin tags removed: up to 15, then each further ten")
ABLATED = Rule("malignant-destroyed", "CPT 17260-17286", "A malignant lesion that was destroyed, by site and size")
_BIOPSY = asked(
    r"\b(incisional|wedge|punch|shave|tangential) (?:biops(?:y|ies)|bxs?)\b|\b(punch|shave|incisional)[- ]biopsied\b"
    r"|\bbiops(?:y|ies) by (punch|shave|incision)|\b\d(?:\.\d)? ?mm (punch)\b(?! (?:biops|bx|excis))"
)
_NUMBER = "|".join(NUMBERS)
_COUNT = re.compile(
    rf"\b(\d{{1,2}}|{_NUMBER})(?: (?!mm|cm)[a-z-]+){{0,3}}? (?:lesions?|tags|biops(?:y|ies)|sites"
    r"|spots|areas|nevi|moles|papules)\b"
    r"|\bx ?(\d{1,2})\b"
)
_TAGS = asked(r"\bskin tags?\b|\bacrochord\w+")
_REMOVED = re.compile(r"\b(?:remov\w*|excis\w*|snip\w*|cryo\w*|cauter\w*|shav\w*)\b")
_ABLATED = asked(r"\b(?:curettage|ed&c|ed ?& ?c|electrodesiccat\w+|destruction|destroyed|cryosurgery|laser ablation)\b")


def _count(clause: str) -> int:
    """How many the clause names; one where it names no number."""
    found = _COUNT.search(clause)
    said = (found[1] or found[2]) if found else ""
    return int(said) if said.isdigit() else NUMBERS.get(said, 1)


def biopsies(case: Case) -> None:
    """The deepest kind is the first biopsy; all others are add-ons of their kind."""
    if case.setting != "outpatient" or not case.says("biops", " bx"):
        return
    found: dict[int, tuple[int, tuple[int, int]]] = {}
    kinds = table("services")["biopsies"]
    for match in case.search(_BIOPSY):
        if not done_here(case, *match.span()):
            continue
        said = match[1] or match[2] or match[3] or match[4]
        kind = next(n for n, (words, *_) in enumerate(kinds) if re.match(words, said) or words.startswith(said))
        part = case.text[slice(*bounds(case.text, *match.span()))]
        others = [m for m in _BIOPSY.pattern.finditer(part) if (m[1] or m[2] or m[3] or m[4]) != said]
        if others:  # "two shave biopsies and one punch biopsy": the number beside it
            part = case.text[max(0, match.start() - 16) : match.end() + 4]
        count, span = found.get(kind, (0, match.span()))
        found[kind] = (count + _count(part), span)
    for number, kind in enumerate(sorted(found)):
        count, span = found[kind]
        _, first, more = kinds[kind]
        if number == 0:
            add_service(case, first, span, BIOPSY, "The first biopsy, by the deepest kind")
            count -= 1
        if count:
            add_service(case, more, span, BIOPSY, f"{count} more of this kind", units=count)


def skin_tags(case: Case) -> None:
    """Up to 15 tags are one number, each further ten or part of it another."""
    if case.setting != "outpatient" or not case.says("skin tag", "acrochord"):
        return
    for match in case.search(_TAGS):
        clause = case.text[slice(*bounds(case.text, *match.span()))]
        if not _REMOVED.search(clause) or not done_here(case, *match.span()):
            continue
        count = _count(clause)
        add_service(case, "11200", match.span(), TAGS, f"{count} were removed" if count > 1 else "They were removed")
        if count > 15:
            add_service(case, "11201", match.span(), TAGS, f"{count} were removed", units=-(-(count - 15) // 10))
        return


def ablations(case: Case) -> None:
    """A malignant lesion that was destroyed and not cut out, by site and size."""
    if case.setting != "outpatient" or not case.says("carcinoma", "bcc", "scc", "malignan"):
        return
    for match in case.search(_ABLATED):
        low, high = bounds(case.text, *match.span())
        clause = case.text[low:high]
        size = size_in(clause)
        if not MALIGNANT.search(clause) or "excis" in clause or size is None or not done_here(case, *match.span()):
            continue
        groups = table("services")["ablations"]
        at = sum(1 for step in table("services")["excisions"]["steps"] if float(size) > step)
        code = str(groups[group_of(groups, clause)]["first"] + (6 if at == 5 else at))
        add_service(case, code, (low, high), ABLATED, f"The lesion is {size} cm")
        return


RULES = (biopsies, skin_tags, ablations)
