"""The pieces of text that values are made of: numbers, comparators, units, filler words, dates to be passed over."""

from __future__ import annotations

import re
from decimal import Decimal

from extractors.findings.analytes import units

NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?|\.\d+)"
COMPARATORS = {
    ">=": r">\s?=|=>|≥|(?:greater|more) than or equal to|at least"
    r"|not? (?:less|lower|fewer) than|not below|gte\b\.?|ge\b",
    "<=": r"<\s?=|=<|≤|less than or equal to|at most"
    r"|not? (?:more|greater|higher) than|not (?:exceeding|above|over)|lte\b\.?|le\b",
    ">": r">|greater than|more than|higher than|above|over|gt\b\.?|exceeding|exceeds|exceeded",
    "<": r"<|less than|lower than|fewer than|below|under|up to|lt\b\.?",
}
COMPARATOR = "|".join(f"(?:{p})" for p in COMPARATORS.values())
_COMPARATOR_OF = [(re.compile(p), sign) for sign, p in COMPARATORS.items()]

_TIME = r"(?:hours?|hrs?|h|days?|weeks?|wks?|months?|mos?|years?|yrs?|minutes?|mins?)"
_COUNT = r"(?:\d+(?:\s?-\s?\d+)?|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|several|few)"
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?"
DATE = rf"(?:\d{{1,2}}/\d{{1,2}}(?:/\d{{2,4}})?|{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s\d{{4}})?|\[\*\*[^\]]*\*\*\])"
CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]\.?m\.?)?"
WHEN = (
    rf"(?:(?:on|at|in|since|as of|from)\s?(?:{DATE}|{CLOCK}|(?:19|20)\d\d\b)|{DATE}|{CLOCK}"
    rf"|(?:for|over|in|during)?\s?(?:the\s)?(?:previous|past|last)\s{_COUNT}?\s?{_TIME}\b"
    rf"|(?:last|this|in the|in|during the|early|late)\s(?:{_MONTH}|spring|summer|fall|autumn|winter)\b"
    rf"|(?:approximately\s|about\s)?{_COUNT}\s{_TIME}\s(?:after|post|before|prior to|following|ago)(?:\s[a-z]+)?)"
)
WORDS = (
    r"(?:is|was|were|are|of|at|to|be|been|has|have|had|noted|measured|measures|measuring|approximately|approx|about|around"
    r"|near|remained|remains|stable|today|currently|now|levels?|counts?|values?|results?|came|back|as|elevated|high|low"
    r"|normal|up(?!\sto\b)|down|increased|decreased|risen|rose|from|between|in|the|range|ranging|ranged|ranges|varies|varied|varying|includes"
    r"|all|estimated|estimate|readings?|initial|initially|repeat|repeated|on|shows?|showed|showing|fell|dropped|improved"
    r"|trending|checked|found|reported|again|only|just|score|scored|rated|check|which|that|with|an?|also|then|mildly"
    r"|markedly|significantly|slightly|severely|usually|running|runs|roughly|nearly|almost|went|hovering|averag(?:es|ed|ing)|peak(?:ed)?|nadir(?:ed)?|climbed|spiked|jumped"
    r"|recorded|documented|reads?|still|persistently|consistently|maintained|stayed|suppressed|undetectable|borderline|critical(?:ly)?|marginal(?:ly)?|normalized|corrected|adjusted"
    r"|abnormal(?:ly)?|averaging|mid|upper|lower|(?:(?:sub|supra)-?)?therapeutic"
    r"|regular|irregular|irregularly|regularly|bumped|(?:up|down)[- ]?trended|unchanged|steady"
    r"|within normal (?:limits|range)|wnl|calculated|calc|random|serum|this (?:morning|am)|yesterday|overnight"
    r"|last night|outside hospital|osh|home|rest|admission|discharge|triage|baseline|preserved|reduced|cleared|calc"
    r"|(?:by|per) (?:echo|tte|tee|muga|cath|visual estimate)|echo|tte)"
)
FILLER = rf"(?:(?>{WHEN}\b)|(?:went|rose|climbed|gone|increased|jumped)\sup\sto\b|\b{WORDS}\b\.?|[:~,(\[|@-]|=(?![<>]))"
GAP = r"[ \t\n]"
_UNIT = "|".join(re.escape(u) for u in sorted(units(), key=len, reverse=True))
UNIT = rf"(?:{_UNIT})(?![a-z0-9])"


def decimal(text: str, thousands: str | None = None) -> Decimal:
    """The printed number; a `k` after it means thousands."""
    value = Decimal(text.replace(",", ""))
    return value * 1000 if thousands else value


def comparator(text: str | None) -> str | None:
    """FHIR's sign for a printed comparator, None where there is none."""
    if not text:
        return None
    for pattern, sign in _COMPARATOR_OF:
        if pattern.fullmatch(text.strip()):
            return sign
    return None
