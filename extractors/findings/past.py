"""What a sentence puts in a past year: "treated for pneumonia in 2019" is history, though no word says so."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from extractors.findings.lines import Sentence
from extractors.model import Span

_YEAR = re.compile(r"(?:19|20)\d\d\b")
_IN_YEAR = re.compile(r"\b(?:in|during|of|since)\s(?:[a-z]{3,9}\s(?:of\s)?)?((?:19|20)\d\d)\b")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december", "spring", "summer", "winter", "autumn",
)  # fmt: skip
_IN_MONTH = re.compile(
    rf"\b(?:in|last|during) (?:early |late |mid-?|the )?(?:{'|'.join(_MONTHS)})\b(?!,? (?:of )?\d{{4}}| \d{{1,2}}\b)"
)
_STILL = re.compile(r"\b(?:has|have|'s|'ve) had\b[^.;\n]*$")
_PASSES = re.compile(
    r"\b(?:[a-z]+ ){0,2}(concussions?|fractures?|fx|dislocations?|sprains?|lacerations?|pneumonia|covid(?:-19)?"
    r"|influenza|shingles|zoster|bronchiolitis|appendicitis|pyelonephritis|cellulitis|mononucleosis"
    r"|(?:ovarian|sebaceous) cysts?|cataracts?|abscess)(?: [a-z]+){0,5}(?:,? \(?|, (?:in )?)$"
)
_WHEN = r" in (?:[a-z]+ )?(?:19|20)\d\d,?"
_DONE = re.compile(
    rf"\b(?:(?:treated|operated(?: on)?)(?=(?:{_WHEN})? for\b)"
    rf"|(?:hospitali[sz]ed|admitted)(?=(?:{_WHEN})? (?:for|with)\b)"
    r"|recovered from|had|suffered|sustained|underwent|contracted|survived)\b"
)


def past_years(folded: str, sentences: Sequence[Sentence]) -> list[tuple[int, int, Span]]:
    """(start, end, trigger) of the text that a past-tense verb and a year before the document's own, or a month that
    has no year ("had COVID in January"), put in the past."""
    times = [*_years(folded), *_months(folded)]
    found = [*_acute(folded)]
    if not times:
        return found
    starts = [s.start for s in sentences]
    for low, high in times:
        i = bisect_right(starts, low) - 1
        if i < 0:
            continue
        verb = _DONE.search(folded, sentences[i].start, min(high + 6, sentences[i].end))
        if verb is not None:
            stop = folded.find(" and ", high, sentences[i].end)
            found.append((verb.end(), stop if stop > 0 else sentences[i].end, (verb.start(), verb.end())))
    return found


def _acute(folded: str) -> Iterator[tuple[int, int, Span]]:
    """What passes within a year and has one of long ago behind it: "concussion in a car crash, 2009"."""
    years = [(m.start(), int(m[0])) for m in _YEAR.finditer(folded)]
    newest = max((year for _, year in years), default=0)
    for at, year in years:
        if year < newest - 1 and (told := _PASSES.search(folded, max(0, at - 60), at)):
            yield told.start(), told.end(1), (at, at + 4)


def _years(folded: str) -> Iterator[Span]:
    """Where a year stands that is before the newest of the document."""
    if "in 19" not in folded and "in 20" not in folded and " of 20" not in folded and " of 19" not in folded:
        return
    years = {int(m[0]) for m in _YEAR.finditer(folded)}
    newest = max(years) if len(years) > 1 else 9999
    for match in _IN_YEAR.finditer(folded):
        if int(match[1]) < newest and not match[0].startswith("since"):
            yield match.span()


def _months(folded: str) -> Iterator[Span]:
    """Where a month or a season stands without a year, behind a simple past."""
    if any(month in folded for month in _MONTHS):
        for match in _IN_MONTH.finditer(folded):
            if not _STILL.search(folded, max(0, match.start() - 80), match.start()):
                yield match.span()
