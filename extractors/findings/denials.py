"""Denials that follow what they deny, or stand before a whole list: "fever (no)", "-fever, +cough", "denies: a; b".

NegEx (https://doi.org/10.1006/jbin.2001.1029) looks forward from a trigger within a sentence; these do not fit it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from extractors.model import Span

LONGEST = 90  # letters that such a denial may reach
LIST = 300  # letters that a list behind a colon may have
LEAD = 32  # letters before a colon among which the words that open a list stand
_BRACKETED = re.compile(r"[(\[](?:no|none|denied|denies|absent|negative|neg|never)[)\]]|\[-\]")
_MINUS = re.compile(r"\(-\)")
_SIGNED = re.compile(r"[-+](?=[a-z]{3})")
_BEFORE_SIGN = frozenset(" \t\n\f,;(/")
_SIGNS_END = re.compile(r"\([-+]\)|[;.\n]|\b(?:but|however|positive)\b")
_SIGNED_END = re.compile(r"[,;.\n)]|[ /][-+](?=[a-z])")
_LISTED = re.compile(
    r"\b(?:denies|denied|denying|negative for|(?:pertinent )?negatives(?: include)?|no|without)[ \t]*$"
)
_LISTED_END = re.compile(
    r"\.(?=\s|$)|\n|$|\b(?:endorses?|reports?|admits?|complains?|positives?|has|had|but|yes|except|however)\b"
)
_AFTERWARDS = re.compile(r"[ \t](?:(?:is|are|was|were) )?(denied)[ \t]*(?=[.;\n]|$)")
_LABEL = re.compile(r":[ \t]*(denied|denies|none|negative|absent|no)[ \t]*(?=[.;\n]|$)")
_ASSERTS = re.compile(r"\b(?:has|have|had|is|was|with|reports?|yes|positive)\b")
_MINUS_VE = re.compile(r"(?<![\w-])-\s?ve\b(?:\sfor\b)?")
_OF_PAPERS = re.compile(r"\b(?:claim|request|authori[sz]ation|coverage|payment|appeal|admission|entry)\b")
Denied = tuple[int, int, Span]  # what is denied, and the words that say so


def find_denials(folded: str) -> list[Denied]:
    """Every such denial in a text that `normalise.fold` made."""
    found: list[Denied] = []
    if "(n" in folded or "[n" in folded or "(den" in folded or "(abs" in folded or "[-" in folded:
        found += _bracketed(folded)
    if " -" in folded or "\n-" in folded or folded.startswith("-"):
        found += _signed(folded)
    if "(-)" in folded:
        found += _bracketed_signs(folded)
    if "-ve" in folded or "- ve" in folded:
        found += _minus_ve(folded)
    if ":" in folded:
        found += _listed(folded)
        found += _before(folded, _LABEL)
    if "denied" in folded:
        found += _before(folded, _AFTERWARDS)
    return found


def _bracketed(folded: str) -> Iterator[Denied]:
    """ "Fever (no), chills (yes)": the words of the item before the bracket."""
    for match in _BRACKETED.finditer(folded):
        start = _last(folded, ",;.:|\n\t)]", match.start())
        if folded[start : match.start()].strip():
            yield start, match.start(), match.span()


def _bracketed_signs(folded: str) -> Iterator[Denied]:
    """ "(+) cough, (-) fever, chills": the words up to the next sign; "fever (-), cough (+)": the item before."""
    for match in _MINUS.finditer(folded):
        at, end = match.span()
        start = _last(folded, ",;.:|\n\t)", at)
        if folded[start:at].strip() and (folded[end : end + 1] in ",;.\n)" or not folded[end:].strip()):
            yield start, at, match.span()
        else:
            stop = _SIGNS_END.search(folded, end, end + LONGEST)
            yield end, stop.start() if stop else min(end + LONGEST, len(folded)), match.span()


def _signed(folded: str) -> Iterator[Denied]:
    """ "-fever, -chills, +cough": two signs on a line make a list of them; one may be a bullet or a stray hyphen."""
    lines: list[list[int]] = [[]]
    last = 0
    for match in _SIGNED.finditer(folded):
        at = match.start()
        if at and folded[at - 1] not in _BEFORE_SIGN:
            continue
        if folded.find("\n", last, at) >= 0:
            lines.append([])
        lines[-1].append(at)
        last = at
    for at in (at for line in lines if len(line) > 1 for at in line if folded[at] == "-"):
        stop = _SIGNED_END.search(folded, at + 1, at + LONGEST)
        yield at + 1, stop.start() if stop else min(at + LONGEST, len(folded)), (at, at + 1)


def _minus_ve(folded: str) -> Iterator[Denied]:
    """ "-ve Murphy's sign": the words after it; "Murphy's -ve, Rovsing's +ve": the item before."""
    for match in _MINUS_VE.finditer(folded):
        at, end = match.span()
        start = _last(folded, ",;.:|\n\t)", at)
        if folded[start:at].strip() and (folded[end : end + 1] in ",;.\n)" or not folded[end:].strip()):
            yield start, at, match.span()
        else:
            stop = _SIGNED_END.search(folded, end, end + LONGEST)
            yield end, stop.start() if stop else min(end + LONGEST, len(folded)), match.span()


def _listed(folded: str) -> Iterator[Denied]:
    """ "Denies: chest pain; dyspnea; cough": a colon opens a list that semicolons do not end."""
    at = folded.find(":")
    while at >= 0:
        lead = _LISTED.search(folded, max(0, at - LEAD), at)
        if lead is not None:
            stop = _LISTED_END.search(folded, at + 1, at + LIST)
            end = stop.start() if stop else min(at + LIST, len(folded))
            if folded[at + 1 : end].strip():
                yield at + 1, end, lead.span()
        at = folded.find(":", at + 1)


def _before(folded: str, pattern: re.Pattern[str]) -> Iterator[Denied]:
    """ "Panic attacks denied", "fever, chills: none": the list before, back to the clause that says something else."""
    for match in pattern.finditer(folded):
        start = _last(folded, ".;:?|\n\t", match.start())
        said = folded[start : match.start()]
        if _ASSERTS.search(said):
            start = max(start, folded.rfind(",", start, match.start()) + 1)
            said = folded[start : match.start()]
        if said.strip() and not _ASSERTS.search(said) and not _OF_PAPERS.search(said):
            yield start, match.start(), match.span(1)


def _last(folded: str, marks: str, end: int) -> int:
    """Where the words before `end` begin, behind the last of these marks and within reach."""
    low = max(0, end - LONGEST)
    return max(max(folded.rfind(mark, low, end) for mark in marks) + 1, low)
