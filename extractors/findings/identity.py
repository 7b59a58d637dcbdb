"""Who and when the document is about: labels and what stands after them, each with its span."""

from __future__ import annotations

import re
from typing import Any, Literal

from extractors.findings.cues import FOLDED, Seen
from extractors.findings.dates import PRINTED, parse_date
from extractors.findings.reading import Reading
from extractors.model import Document, Identity, Setting, Span

_END = (
    r"(?=\s{2,}|\t|\n|\f|,?\s(?:mrn|dob|d\.o\.b|sex|gender|age|date|phone|acct|account|page|npi"
    r"|room|visit|provider)\b|[|;]|$)"
)
_SEP = r"\s{0,2}[:#=]\s{0,4}"
_NAME = re.compile(
    rf"(?:^|[\t\n|]|\s{{2}})\s*(?:patient(?:'s)? name|patient|pt\.? name|pt|name"
    rf"|re){_SEP}([a-z][a-z'.-]+(?:,?\s[a-z][a-z'.-]*){{0,3}}){_END}",
    re.M,
)
_MRN = re.compile(
    r"\b(?:mrn|mr\s?#|mr no\.?|medical record (?:number|no\.?|#)"
    r"|med(?:ical)? rec(?:ord)?\.?\s?(?:#|no\.?|number)?|patient id|chart (?:no\.?|number|#)"
    r"|unit no\.?)"
    r"\s?[:#=]{0,2}\s{0,4}((?=[a-z-]*\d)[a-z0-9-]{4,16})\b"
)
_BIRTH = re.compile(rf"\b(?:dob|d\.o\.b\.?|date of birth|birth ?date|born(?: on)?)\s?[:#=]?\s{{0,4}}({PRINTED})")
_SEX = re.compile(r"\b(?:sex|gender)\s?[:=]\s{0,4}(male|female|m|f|other|unknown|u|x)\b")
_AGED = re.compile(
    r"\b\d{1,3}[\s-]?(?:year|yr|month|day|week)s?[\s-]old\s"
    r"(?:[a-z-]+\s){0,3}?(male|female|man|woman|gentleman|lady|boy|girl)\b"
    r"|\b\d{1,3}\s?(?:y/?o|yo)\s?(male|female|man|woman|m|f)\b"
)
_PHONE = re.compile(
    r"\b(?:phone|telephone|tel|cell|mobile|home phone|home|contact|ph)\.?\s?(?:no\.?|number|#)?\s?[:#=]?\s{0,4}"
    r"((?:\+?1[ .-]?)?\(?\d{3}\)?[ .-]{0,2}\d{3}[ .-]\d{4})(?!\d)"
)
_ADDRESS = re.compile(rf"\b(?:address|addr|home address|street address){_SEP}([^\n\t]{{6,100}}?){_END}")
_CITY = re.compile(r"\n\s*([a-z .'-]+,?\s[a-z]{2}\.?\s+\d{5}(?:-\d{4})?)\s*(?=\n|$)")
_SERVICE = re.compile(
    rf"\b(?:date of service|dos|service date|date of visit|visit date|date of encounter"
    rf"|encounter date|date of exam(?:ination)?|exam date"
    rf"|date of procedure|procedure date|date seen|seen on|date of consultation|date of study"
    rf"|appointment date)\s?[:#=]?\s{{0,4}}({PRINTED})"
)
_PLAIN = re.compile(rf"(?:^|[\t\n|]|\s{{2}})\s*date{_SEP}({PRINTED})", re.M)
_ADMITTED = re.compile(
    rf"\b(?:admission date|date of admission|admit(?:ted)?(?: date| on)?|admission)\s?[:#=]?\s{{0,4}}({PRINTED})"
)
_DISCHARGED = re.compile(
    rf"\b(?:discharge date|date of discharge|discharged?(?: on)?|discharge)\s?[:#=]?\s{{0,4}}({PRINTED})"
)
_PROVIDER = re.compile(
    r"\b(?:rendering provider|provider name|attending physician|attending provider|attending"
    r"|provider|physician|electronically signed by|signed by"
    r"|dictated by|seen by|examined by|surgeon"
    r"|clinician)\s?:\s{0,4}((?:dr\.?\s)?[a-z][a-z'.-]+(?:,?\s[a-z][a-z'.-]*){1,3}(?:,?\s(?:m\.?d\.?"
    r"|d\.?o\.?|np|pa-c|pa|rn|fnp|dpm|phd))?)" + _END
)
_NPI = re.compile(r"\bnpi\s?(?:no\.?|number|#)?\s?[:#=]?\s{0,4}(\d{10})\b")
_FACILITY = re.compile(
    r"\b(?:hospital|medical|clinic|center|centre|health|healthcare|associates|practice|physicians"
    r"|infirmary|institute|family medicine|care|group|surgery|university|orthop(?:a)?edics"
    r"|cardiology|pediatrics|urgent)\b"
)
_SEXES: dict[str, Literal["male", "female", "other", "unknown"]] = {
    "m": "male", "male": "male", "man": "male", "gentleman": "male", "boy": "male", "f": "female", "female": "female",
    "woman": "female", "lady": "female", "girl": "female",
    "other": "other", "x": "other", "unknown": "unknown", "u": "unknown",
}  # fmt: skip
_SETTINGS: dict[Setting, tuple[str, ...]] = {
    "inpatient": ("discharge summary", "hospital course", "inpatient", "admission note", "hospital day"),
    "outpatient": (
        "outpatient", "office visit", "clinic note", "clinic visit", "office note", "annual exam",
        "annual physical", "annual wellness",
        "telehealth", "urgent care", "ambulatory",
    ),
}  # fmt: skip
_CUES = {
    "name": ("patient:", "name:", "pt:", "patient :", "name :", "re:"),
    "mrn": ("mr", "medical rec", "med rec", "patient id", "chart", "unit no"),
    "birth_date": ("dob", "d.o.b", "birth", "born"),
    "sex": ("sex", "gender"),
    "aged": ("old", "yo", "y/o"),
    "phone": ("phone", "tel", "cell", "mobile", "home:", "contact", "ph:", "ph."),
    "npi": ("npi",),
    "provider": ("provider:", "provider name:", "physician:", "attending:", "signed by:",
                 "dictated by:", "seen by:", "examined by:", "surgeon:", "clinician:"),
    "service": ("date of", "dos", "seen on", "service date", "visit date", "encounter date", "exam date",
                "procedure date", "appointment"),
    "admitted": ("admi",),
    "discharged": ("discharge",),
    "date": ("date",),
    "address": ("addr",),
}  # fmt: skip
for _cues in (*_CUES.values(), *_SETTINGS.values()):
    FOLDED.question(_cues)
_NOT_NAMES = frozenset(
    [
        "denies",
        "reports",
        "states",
        "is",
        "was",
        "has",
        "presents",
        "education",
        "instructions",
        "agreements",
        "seen",
        "the",
        "in",
        "complains",
        "alert",
    ]
)


def find_identity(document: Document, reading: Reading) -> Identity:
    """The identity block, wherever it is printed; the first of each kind counts."""
    folded, text = reading.folded, reading.text
    seen = reading.seen
    spans: dict[str, Span] = {}
    doubts: dict[str, str] = {}

    def first(field: str, pattern: re.Pattern[str], cues: str = "", lead: int = 2) -> str | None:
        match = next(seen.near(pattern, _CUES[cues or field], lead), None)
        if match is None:
            return None
        group = next(i for i in range(1, (match.lastindex or 1) + 1) if match[i] is not None)
        spans[field] = match.span(group)
        return text[slice(*match.span(group))]

    family, given = _name(seen, text, spans)
    born = first("birth_date", _BIRTH, lead=9)
    sex = first("sex", _SEX) or first("sex", _AGED, "aged", 18)
    start, end = _service(seen, text, spans)
    npi = first("npi", _NPI)
    if npi and not luhn(f"80840{npi}"):
        doubts["npi"] = "the check digit does not fit"
    birth_date = parse_date(born, birth=True) if born else None
    if born and birth_date is None:
        doubts["birth_date"] = "no such date"
    return Identity(
        family=family,
        given=given,
        mrn=first("mrn", _MRN),
        birth_date=birth_date,
        sex=_SEXES[folded[slice(*spans["sex"])]] if sex else None,
        phone=first("phone", _PHONE),
        address=_address(seen, text, spans),
        service_date=start,
        service_end=end,
        provider=first("provider", _PROVIDER, lead=24),
        npi=npi,
        facility=_facility(document, reading, spans),
        setting=_setting(seen, spans),
        spans=spans,
        doubts=doubts,
    )


def luhn(digits: str) -> bool:
    """The check that every NPI passes with the prefix 80840 (45 CFR 162.406)."""
    total = 0
    for i, d in enumerate(reversed(digits)):
        n = int(d) * (1 + i % 2)
        total += n - 9 if n > 9 else n
    return total % 10 == 0


def _name(seen: Seen, text: str, spans: dict[str, Span]) -> tuple[str | None, tuple[str, ...]]:
    for match in seen.near(_NAME, _CUES["name"], 14):
        printed = text[slice(*match.span(1))]
        words = printed.replace(",", " ").split()
        if len(words) < 2 or not all(w[0].isupper() for w in words) or words[0].lower() in _NOT_NAMES:
            continue
        spans["name"] = match.span(1)
        last, comma, rest = printed.partition(",")
        if comma:
            return _cased(last.strip()), tuple(_cased(w) for w in rest.split())
        return _cased(words[-1]), tuple(_cased(w) for w in words[:-1])
    return None, ()


def _cased(name: str) -> str:
    """A name in capitals as a name is written."""
    return name.title() if name.isupper() and len(name) > 1 else name


def _service(seen: Seen, text: str, spans: dict[str, Span]) -> tuple[Any, Any]:
    """Date of service, or admission and discharge."""

    def dated(field: str, cues: str, pattern: re.Pattern[str]) -> Any:
        for match in seen.near(pattern, _CUES[cues], 4):
            found = parse_date(text[slice(*match.span(1))])
            if found:
                spans[field] = match.span(1)
                return found
        return None

    end = dated("service_end", "discharged", _DISCHARGED)
    start = (
        dated("service_date", "service", _SERVICE)
        or dated("service_date", "admitted", _ADMITTED)
        or dated("service_date", "date", _PLAIN)
    )
    return start, end


def _address(seen: Seen, text: str, spans: dict[str, Span]) -> str | None:
    match = _ADDRESS.search(seen.text) if seen.places("addr") else None
    if match is None:
        return None
    start, end = match.span(1)
    if city := _CITY.match(seen.text, end):
        end = city.end(1)
    spans["address"] = (start, end)
    return " ".join(text[start:end].split())


def _facility(document: Document, reading: Reading, spans: dict[str, Span]) -> str | None:
    """The first lines' name of a place, else the document's own title when it names one."""
    for line in reading.lines[:4]:
        printed = reading.text[line.start : line.end]
        if len(printed) <= 70 and ":" not in printed and _FACILITY.search(reading.folded, line.start, line.end):
            words = [w for w in printed.split() if w[:1].isalpha()]
            if (
                len(words) >= 2
                and sum(w[0].isupper() for w in words) >= 0.7 * len(words)
                and not reading.sections.at(line.start)
            ):
                spans["facility"] = (line.start, line.end)
                return printed
    if document.title and _FACILITY.search(document.title.lower()) and len(document.title) <= 70:
        return document.title
    return None


def _setting(seen: Seen, spans: dict[str, Span]) -> Setting | None:
    for setting, cues in _SETTINGS.items():
        met = [(at[0], at[0] + len(c)) for c in cues if (at := seen.places(c))]
        if met:
            spans["setting"] = min(met)
            return setting
    return None
