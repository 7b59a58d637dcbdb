"""Codes printed on the page: ICD-10-CM with or without its dot, CPT and HCPCS with modifiers and units."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Any

from extractors.findings.claims import Claims
from extractors.findings.draft import Draft
from extractors.findings.glued import glued_codes
from extractors.findings.lexicon import Lexicon
from extractors.findings.lines import Line
from extractors.findings.reading import Reading
from extractors.model import EMPTY, Span
from fhir_profiles.systems import CPT, HCPCS, ICD10CM

_DIAGNOSIS = re.compile(r"([A-TV-Z]\d[0-9A-Z])(?:\.([0-9A-Z]{1,4})|([0-9A-Z]{1,4}))?(?![A-Za-z0-9]|\.\d)")
_SERVICE = re.compile(
    r"([0-9A-CEGHJ-MP-V]\d{3}[0-9FTU])"
    r"((?:-(?:\d{2}|[A-Z][A-Z0-9])){1,4}(?![A-Za-z0-9]))?(?:\s?[x×X]\s?(\d{1,3})\b|\s(\d{1,3})\sunits?\b)?(?![A-Za-z0-9]|-\d{4}|\.\d|,\d{3})"
)
_LABEL = re.compile(
    r"\b(?:cpt|hcpcs|procedure codes?|billing(?: codes?)?|charges?|e/m|e&m|em code|service codes?|level of service"
    r"|(?<!zip )(?<!post )(?<!postal )(?<!area )codes?(?=:))\b"
)
_CODES = r"[0-9A-V]\d{3}[0-9A-Z](?:-[0-9A-Z]{2}){0,4}(?:\s?[x×X]\s?\d{1,3})?"
_LIST_OF_CODES = re.compile(rf"\s*{_CODES}(?:(?:\s*[,;/+&]\s*|\s+)(?:and\s)?{_CODES})*[\s.]*")
_ICD_LABEL = re.compile(r"\b(?:icd(?:-?10)?(?:-?cm)?|dx|diagnos[ie]s|diagnosis codes?|problem)\b")
_BEFORE_WORDS = re.compile(r"([A-Za-z][A-Za-z0-9 ,'/-]{3,80}?)\s*[(\[]$")
_AFTER_WORDS = re.compile(r"[)\]]?[\s:.–-]*([A-Za-z]{2}[^\n\t;|]{2,90})")
_MODIFIER = re.compile(
    r"[ ,]{1,2}(?:mod(?:ifier)?s?[: ]{1,2})?(LT|RT|TC|X[EPSU]|2[456]|5[079]|7[6-9]|91)(?![\w.%/-]|\s(?:min|unit|m[gl]\b|y))",  # noqa: E501 - one alternation
    re.IGNORECASE,
)
_VERTEBRA = re.compile(r"[CTLS]\d{1,2}$")
_BODY = re.compile(r"(?:vitamin|level|vertebra[el]?|fracture|spine|disc|nerve|root|dermatome|at|-)\s?$")
SECTIONS = frozenset({"diagnoses", "procedures", "assessment", "assessment_plan", "plan"})


def find_codes(reading: Reading, lexicon: Lexicon, claimed: Claims) -> list[Draft]:
    """A draft of kind `code` for every printed code outside the claimed spans (identity, values, doses)."""
    found = [*_diagnoses(reading, lexicon), *glued_codes(reading, lexicon), *_services(reading, lexicon)]
    found.sort(key=lambda d: (d.start, -d.end))
    kept: list[Draft] = []
    for draft in found:
        if kept and draft.start < kept[-1].end:
            continue
        if not claimed.taken(draft.start, draft.end):
            kept.append(draft)
    return kept


def _glued(text: str, start: int, marks: str) -> bool:
    """True when the token before runs into the code."""
    return start > 0 and (text[start - 1].isalnum() or text[start - 1] in marks)


def _line(reading: Reading, starts: list[int], offset: int) -> Line:
    return reading.lines[max(bisect_right(starts, offset) - 1, 0)]


def _diagnoses(reading: Reading, lexicon: Lexicon) -> Iterator[Draft]:
    starts = [line.start for line in reading.lines]
    for match in _DIAGNOSIS.finditer(reading.text):
        if _glued(reading.text, match.start(), "."):
            continue
        tail = match[2] or match[3]
        code = f"{match[1]}.{tail}" if tail else match[1]
        if not lexicon.has_code(ICD10CM, code):
            continue
        line = _line(reading, starts, match.start())
        if not match[2] and not _in_code_place(reading, line, match, lexicon):
            continue
        label = _words_beside(reading, line, match.start(), match.end())
        yield _code(ICD10CM, code, match.start(), match.end(), label)


def _in_code_place(reading: Reading, line: Line, match: re.Match[str], lexicon: Lexicon) -> bool:
    """A code without a dot must stand where codes stand: "T12" may be a vertebra, "B12" a vitamin."""
    start, end = match.span()
    before = reading.folded[line.start : start]
    if _BODY.search(before):
        return False
    if reading.text[start - 1 : start] in ("(", "[") and reading.text[end : end + 1] in (")", "]"):
        return not lexicon.has_code(HCPCS, match[0]) or _ICD_LABEL.search(before) is not None
    if _ICD_LABEL.search(before):
        return True
    alone = start == line.body and (
        reading.text[end : end + 1] in ("", "\t", "\n", ":", ",") or reading.text[end : end + 2] in ("  ", " -")
    )
    listed = start == line.body and reading.sections.at(start) in SECTIONS
    after_code = _DIAGNOSIS.search(reading.text, line.body, start) is not None and not _VERTEBRA.match(match[0])
    return alone or listed or (after_code and before.rstrip(" ,;") != "")


def _services(reading: Reading, lexicon: Lexicon) -> Iterator[Draft]:
    starts = [line.start for line in reading.lines]
    for match in _SERVICE.finditer(reading.text):
        code = match[1]
        if _glued(reading.text, match.start(), "./$#-") or not (code[:4].isdigit() or code[4].isdigit()):
            continue
        system = CPT if code[0].isdigit() else HCPCS
        known = lexicon.has_code(system, code)
        line = _line(reading, starts, match.start())
        labelled = _LABEL.search(reading.folded, line.start, match.start()) is not None
        listed = match.start() == line.body and reading.sections.at(match.start()) in SECTIONS
        apart = known and (listed or match[2] or _set_apart(reading.text, line, match.start()))
        if not (labelled or apart or (system == HCPCS and lexicon.everyday(system, code))):
            continue
        if system == HCPCS and not known:
            continue
        label = _words_beside(reading, line, match.start(), match.end())
        extra: dict[str, Any] = {}
        if modifiers := _modifiers(reading.text, match):
            extra["modifiers"] = modifiers
        if match[3] or match[4]:
            extra["units"] = int(match[3] or match[4])
        if not known:
            extra["unknown"] = True
        yield _code(system, code, match.start(), match.end(), label, extra)


def _set_apart(text: str, line: Line, start: int) -> bool:
    """True in brackets that hold codes alone ("visit (99213, 36415)") and on a line of nothing but codes."""
    low = max(text.rfind("(", line.start, start), text.rfind("[", line.start, start)) + 1
    high = min((end for mark in ")]" if (end := text.find(mark, start, line.end)) > 0), default=-1)
    if low and high > 0 and _LIST_OF_CODES.fullmatch(text, low, high):
        return True
    return len(text[line.body : line.end]) > 6 and _LIST_OF_CODES.fullmatch(text, line.body, line.end) is not None


def _modifiers(text: str, match: re.Match[str]) -> tuple[str, ...]:
    """The modifiers printed with a code: "99213-25", "20610 RT", "73030 modifier LT"."""
    found = match[2].strip("-").split("-") if match[2] else []
    at = match.end(2) if match[2] else match.end(1)
    while len(found) < 4 and (one := _MODIFIER.match(text, at)):
        found.append(one[1].upper())
        at = one.end()
    return tuple(found)


def _words_beside(reading: Reading, line: Line, start: int, end: int) -> Span | None:
    """The words that a list prints beside the code: after it, or before it when it stands in brackets."""
    if before := _BEFORE_WORDS.search(reading.text, line.body, start):
        return before.span(1)
    if after := _AFTER_WORDS.match(reading.text, end, line.end):
        return after.span(1)
    return None


def _code(system: str, code: str, start: int, end: int, label: Span | None, extra: Mapping[str, Any] = EMPTY) -> Draft:
    attributes: dict[str, Any] = {"system": system, "code": code, **extra}
    if label:
        attributes["label_span"] = label
    return Draft("code", start, end, (start, end), attributes, ((system, code, 1.0),))
