"""What a sentence puts in a past year: "treated for pneumonia in 2019" is history, though no word says so."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from extractors.findings.lines import Sentence
from extractors.model import Span

_YEAR = re.compile(r"(?:19|20)\d\d\b")
_IN_YEAR = re.compile(r"\b(?:in|during|of|since)\s(?:[a-z]{3,9}\s(?:of\s)?)?((?:19|20)\d\d)\b")
_WHEN = r" in (?:[a-z]+ )?(?:19|20)\d\d,?"
_DONE = re.compile(
    rf"\b(?:(?:treated|operated(?: on)?)(?=(?:{_WHEN})? for\b)"
    rf"|(?:hospitali[sz]ed|admitted)(?=(?:{_WHEN})? (?:for|with)\b)"
    r"|recovered from|had|suffered|sustained|underwent|contracted|survived)\b"
)


def past_years(folded: str, sentences: Sequence[Sentence]) -> list[tuple[int, int, Span]]:
    """(start, end, trigger) of the text that a past-tense verb and a year before the document's own put in the past."""
    if "in 19" not in folded and "in 20" not in folded and " of 20" not in folded and " of 19" not in folded:
        return []
    starts = [s.start for s in sentences]
    years = {int(m[0]) for m in _YEAR.finditer(folded)}
    newest = max(years) if len(years) > 1 else 9999
    found = []
    for match in _IN_YEAR.finditer(folded):
        if int(match[1]) >= newest or match[0].startswith("since"):
            continue
        i = bisect_right(starts, match.start()) - 1
        if i < 0:
            continue
        verb = _DONE.search(folded, sentences[i].start, min(match.end() + 6, sentences[i].end))
        if verb is not None:
            stop = folded.find(" and ", match.end(), sentences[i].end)
            found.append((verb.end(), stop if stop > 0 else sentences[i].end, (verb.start(), verb.end())))
    return found
