"""Laboratory tests that were run here, and the panels that they add up to (CPT 80047-89398)."""

from __future__ import annotations

import re
from functools import cache

from extractors.coding.case import Case, Rule, asked
from extractors.coding.clauses import bounds
from extractors.coding.done import add_service, done_here
from extractors.coding.tables import table
from extractors.findings.cues import Cued

TEST = Rule("laboratory-test", "CPT laboratory", "A test that was drawn or run here")
PANEL = Rule("laboratory-panel", "CPT organ panels", "Tests that make up a panel are coded as the panel")
URINE = Rule("urinalysis", "CPT 81000-81003", "Urinalysis by automation and microscopy")
ASK_URINE = Rule("urinalysis-kind", "CPT 81000-81003", "Asks how the urinalysis was done")
_WHERE = (
    "drawn", "ran", "run", "in our lab", "venipuncture", "fingerstick", "rapid", "collected", "sent to our lab",
    "performed", "done", " poc", "poc ", "waived", "our meter", "our analyzer",
    "point of care", "point-of-care", "point of-care", "point-of care",
    *(f"in{gap}{the}{place}" for gap in " -" for the in ("", "the ") for place in ("office", "clinic", "house")),
)  # fmt: skip
_HERE = asked(
    r"\b(?:drawn|ran|run|in our lab|in[- ](?:the )?(?:office|clinic|house)|venipuncture|fingerstick|rapid"
    r"|collected|sent to our lab|performed|done|point[- ]of[- ]care|poc|waived|our (?:meter|analyzer))\b",
    _WHERE,
)
_NOT_RUN = re.compile(r"\b(?:no|without(?! (?:auto\w* )?diff))\b(?:(?! and )[^,]){0,24}$")
_URINE = asked(r"\b(?:urinalysis|urine dip(?:stick)?|dipstick urine|\bua\b)")


@cache
def _tests() -> list[tuple[str, Cued]]:
    return [(code, asked(words)) for code, words in table("services")["labs"]]


def laboratory(case: Case) -> None:
    """Tests of a clause that says they were drawn or run; a panel takes the place of its members."""
    if case.setting != "outpatient":
        return
    found: dict[str, tuple[int, int]] = {}
    for low, high in sorted({bounds(case.text, *m.span()) for m in case.each(_HERE)}):
        if not done_here(case, low, high):
            continue
        for code, pattern in _tests():
            there = case.seen.between(pattern, low, high)
            match = pattern.pattern.search(case.text, low, high) if there else None
            if match is not None and not _NOT_RUN.search(case.text, low, match.start()):
                found.setdefault(code, match.span())
    for panel, members in table("services")["panels"]:
        if all(m in found for m in members):
            spans = [found.pop(m) for m in members]
            found[panel] = (min(a for a, _ in spans), max(b for _, b in spans))
            add_service(case, panel, found[panel], PANEL, f"All {len(members)} tests of the panel were run")
    for code, span in sorted(found.items(), key=lambda item: item[1]):
        add_service(case, code, span, TEST, "It was run here")


def urinalysis(case: Case) -> None:
    """Urinalysis is four numbers, by automation and microscopy."""
    if case.setting != "outpatient" or not case.says("urin", " ua", "ua "):
        return
    for match in case.search(_URINE):
        low, high = bounds(case.text, *match.span())
        clause = case.text[low:high]
        if not done_here(case, *match.span()):
            continue
        code = next((c for words, c in table("services")["urinalysis"] if re.search(words, clause)), None)
        if code is None:
            case.ask(ASK_URINE, "Automated or not, with microscopy or without?", *match.span())
        else:
            add_service(case, code, match.span(), URINE, "The text says how it was done")


RULES = (laboratory, urinalysis)
