"""A disease told by what it comes without, in a list of diseases: "retinopathy without macular edema, neuropathy".

NegEx would deny all that follows. The titles of ICD-10-CM name what a disease may come without (`qualifiers.json`); a
list of these is denied, and the disease after it is the next of the list, unless an "or" carries the denial on.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from importlib.resources import files

from extractors.findings.cues import FOLDED, cued
from extractors.findings.draft import Draft
from extractors.findings.reading import Reading
from extractors.model import Span
from fhir_profiles.systems import ICD10CM

_NAMES = "|".join(json.loads(files("extractors.findings").joinpath("qualifiers.json").read_text("utf-8")))
_ONE = rf"(?:(?:any|acute|current|significant|evidence of|mention of|associated|clinically) )*(?:{_NAMES})"
_WITHOUT = cued(
    rf"(?<![\w/])(without|w/o) {_ONE}(?:(?:,? (?:or|and)|,) {_ONE})*"
    r"(?: (?:in|of|on) [a-z ]{3,24}?)?(?: ?\([^()]{0,60}\))?(?:,| and\b|;)(?! or\b)",
    FOLDED,
    around=("without", "w/o"),
)
_CARRIED_ON = (" or ", " nor ", " or\n")
_COMPLAINTS = ("R", "Z", "V", "W", "X", "Y", "M25", "M54", "M79", "H57", "N94", "L29", "L53", "D72", "K59")
_NEAR = 20  # characters between the disease and "without": "with", "of both eyes"


def told_apart(reading: Reading, drafts: Sequence[Draft]) -> Iterator[tuple[Span, Span]]:
    """(subject, trigger) of each disease that stands after such a list, with the "without" that does not reach it."""
    if not reading.seen.may(_WITHOUT):
        return
    diseases = sorted({d.subject for d in drafts if d.kind == "problem" and _is_disease(d)})
    starts = [sentence.start for sentence in reading.sentences]
    for match in reading.seen.each(_WITHOUT):
        i = bisect_right(starts, match.start()) - 1
        end = reading.sentences[i].end if i >= 0 else len(reading.folded)
        rest = reading.folded[match.end() : end]
        if any(word in rest for word in _CARRIED_ON):
            continue
        if any(start < match.start() < stop + _NEAR for start, stop in diseases):  # its name may hold the "without"
            for subject in diseases:
                if match.end() <= subject[0] < end:
                    yield subject, match.span(1)


def _is_disease(draft: Draft) -> bool:
    """True of what a code other than of a complaint or a circumstance stands for."""
    code = next((code for system, code, _ in draft.concepts if system == ICD10CM), "")
    return bool(code) and not code.startswith(_COMPLAINTS)
