"""Results in words, and results without a code of ours: "HCV negative", "gram positive cocci", "SV(LVOT): 55.2 ml"."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any

from extractors.findings.analytes import Analyte, Analytes, units
from extractors.findings.claims import Claims
from extractors.findings.cues import FOLDED, Seen, cued
from extractors.findings.grammar import COMPARATOR, FILLER, NUMBER, UNIT, comparator, decimal
from extractors.findings.measured import Value
from extractors.findings.together import in_urine, tells_of_urine

_OUTCOMES = ("negative", "positive", "reactive", "detected", "no growth", " neg", " pos", " +")
_TEST = (
    r"(?:hcv|hbv|hiv|hbsab|hbsag|rpr|vdrl|ana|ig[gma]|strep|influenza(?:\s[ab])?|flu(?:\s[ab])?|covid(?:-19)?|sars-cov-2|rsv"
    r"|mono(?:spot)?|h\.?\s?pylori|c\.?\s?diff(?:icile)?|mrsa|pregnancy|upt|urine hcg|serum hcg|u?hcg|cultures?|guaiac"
    r"|hemoccult|fobt|hep(?:atitis)?\s[abc]\s(?:ab|antibody)"
    r"|nitrites?|leukocyte esterase|ketones|ppd|quantiferon|troponins?(?:\s[it])?|d-dimer|lyme|homans"
    r"|murphy'?s|tuberculin|chlamydia|gonorrhea|trichomonas)"
)
_WORDED = cued(
    rf"(?<![a-z0-9])({_TEST})(?P<more>(?:\s(?:test|screen|antibody|antigen|pcr|culture|swab|titers?|sign|dna))*)"
    r"\s?(?:is|was|were|came back|returned|:|=|-|remains?)?\s?"
    r"(positive|negative|non-?reactive|reactive|not detected|detected|no growth|neg|pos|\+)(?![a-z0-9])",
    FOLDED,
)
_DIPPED = re.compile(
    r"(?<![a-z0-9])(protein|glucose|ketones?|blood|bilirubin|urobilinogen|nitrites?|leukocyte esterase|leuk esterase"
    r"|leuks|le|bacteria|wbc|rbc)s?\s?(?:is|was|:|=|-)?\s?"
    r"(neg(?:ative)?|pos(?:itive)?|trace|small|moderate|large|many|few|rare|none|[1-4]\+|\+[1-4])(?![a-z0-9])"
)
_KIND = re.compile(r"\b(?:urine|serum|rapid|blood|stool|throat|wound|sputum)\s$")
_OUTCOME = cued("|".join(map(re.escape, _OUTCOMES)), FOLDED)
_GRAM = re.compile(r"(gram[ -](?:positive|negative))\s(cocci|rods|bacilli|coccobacilli|diplococci|organisms)")
_TITER = re.compile(
    r"(?:(?P<outcome>positive|negative|reactive|\+)\s?)?(?<![a-z])(?P<name>titers?)[\s:=-]{0,3}(?:of\s|was\s)?(?P<value>1:\d+)"
)
_TITER_LEVEL = re.compile(
    rf"(?<![a-z0-9])(?P<name>{_TEST}\stiters?)(?:\s?{FILLER}){{0,4}}\s?(?P<cmp>{COMPARATOR})?\s?(?P<value>{NUMBER})(?![\d:/]|\.\d)"
)
_AGE = re.compile(r"(?<![a-z])(?P<name>age):\s?(?P<value>\d{1,3})\s?(?:yrs|years?|y\.?o\.?|y/o)(?![a-z])")
AGE = "30525-0"
_GRADE = re.compile(
    r"\(?([1-4]\+)\)?\s((?:mitral|tricuspid|aortic|pulmonic) (?:regurgitation|insufficiency"
    r"|stenosis)|[mta]r\b|(?:pitting )?edema)"
)
_AFTER_COLON = re.compile(rf": ?(?:[a-z]{{2,4}}: ?)?({NUMBER})\s?({UNIT})(?:\s{NUMBER}\s?{UNIT})?")
_NAME = re.compile(r"(?<![^\s])([a-z][a-z0-9 ]{0,24}(?:\([a-z0-9 -]+\))?)$")
_MEASURES = frozenset({"mL", "L/min", "cm", "mm", "cm/s", "mm[Hg]", "cm2", "L", "mL/min"})


def find_results(seen: Seen, text: str, analytes: Analytes, claimed: Claims) -> list[Value]:
    """Worded, graded and uncoded results outside `claimed` spans, in reading order."""
    found = [v for v in _candidates(seen, text, analytes) if not claimed.taken(v.start, v.end)]
    return sorted(found, key=lambda v: v.start)


def _candidates(seen: Seen, text: str, analytes: Analytes) -> Iterator[Value]:
    folded = seen.text
    dipped = list(_dipped(folded, text, analytes)) if "ua" in folded or "u/a" in folded or "urin" in folded else []
    yield from dipped
    tests = seen.of(_WORDED.words) if seen.may(_OUTCOME) and seen.may(_WORDED) else []
    for word in _OUTCOMES if tests else ():
        for match in _worded_at(seen, word, tests):
            if any(v.start <= match.start() < v.end for v in dipped):
                continue
            known = _tested(folded, match, analytes)
            attributes: dict[str, Any] = {"name": known.display if known else text[slice(*match.span(1))]}
            if known:
                attributes["loinc"] = known.loinc
            yield _worded(text, match, attributes, 3)
    if "gram" in folded:
        for match in _GRAM.finditer(folded):
            yield _worded(text, match, {"name": text[slice(*match.span(1))]}, 2)
    if "titer" in folded:
        for match in _TITER.finditer(folded):
            outcome = {"outcome": text[slice(*match.span("outcome"))]} if match["outcome"] else {}
            yield _worded(text, match, {"name": text[slice(*match.span("name"))], **outcome}, "value")
        for match in _TITER_LEVEL.finditer(folded):
            yield _counted(text, match, {"comparator": sign} if (sign := comparator(match["cmp"])) else {})
    if "age:" in folded:
        for match in _AGE.finditer(folded):
            yield _counted(text, match, {"loinc": AGE, "unit": "a"})
    if "+" in folded:
        for match in _GRADE.finditer(folded):
            yield _worded(text, match, {"name": text[slice(*match.span(2))]}, 1)
    if ": " in folded:
        yield from _measures(folded, text)


def _tested(folded: str, match: re.Match[str], analytes: Analytes) -> Analyte | None:
    """What a worded result is of, by the longest name that its words make: "urine pregnancy test", "rapid covid"."""
    before = _KIND.search(folded, max(0, match.start() - 10), match.start())
    lead = before[0] if before else ""
    names = (f"{lead}{match[1]}{match['more']}", f"{match[1]}{match['more']}", f"{lead}{match[1]}", match[1])
    found = (analytes.by_name.get(name) or analytes.by_name.get(name.removesuffix("s")) for name in names)
    return next((analyte for analyte in found if analyte), None)


def _dipped(folded: str, text: str, analytes: Analytes) -> Iterator[Value]:
    """What a urinalysis says in words and grades: "UA: protein 2+, blood trace"."""
    for match in _DIPPED.finditer(folded):
        line = folded.rfind("\n", 0, match.start()) + 1
        known = in_urine(folded, line, *match.span(1), analytes) or analytes.by_name.get(match[1])
        if (
            known
            and analytes.by_name.get(f"urine {match[1]}", known) is known
            and tells_of_urine(folded, line, match.start())
        ):
            yield _worded(text, match, {"name": known.display, "loinc": known.loinc}, 2)


def _worded_at(seen: Seen, outcome: str, tests: Sequence[int]) -> Iterator[re.Match[str]]:
    """The named results of an outcome that has a test (places, ascending) shortly before it on its line."""
    folded = seen.text
    for at in seen.places(outcome):
        low = folded.rfind("\n", max(0, at - 45), at) + 1 or max(0, at - 45)
        if bisect_left(tests, low) == bisect_left(tests, at):
            continue
        for match in _WORDED.pattern.finditer(folded, low, at + len(outcome) + 4):
            if match.start(3) <= at + 1 < match.end(3) + 1:
                yield match


def _counted(text: str, match: re.Match[str], more: dict[str, Any]) -> Value:
    """A number after the name that the match gives it."""
    attributes = {"name": text[slice(*match.span("name"))], "value": decimal(match["value"]), **more}
    return Value(match.start(), match.end(), match.span("value"), "lab", attributes)


def _worded(text: str, match: re.Match[str], attributes: dict[str, Any], group: int | str) -> Value:
    at = match.span(group)
    return Value(match.start(), match.end(), at, "lab", {**attributes, "value_text": text[slice(*at)]})


def _measures(folded: str, text: str) -> Iterator[Value]:
    """ "Name: number unit" of a physical measure that has no code here."""
    for match in _AFTER_COLON.finditer(folded):
        unit = units()[match[2]]
        if unit not in _MEASURES:
            continue
        name = _NAME.search(folded, max(0, match.start() - 40), match.start())
        if name:
            attributes: dict[str, Any] = {
                "name": text[slice(*name.span(1))].strip(),
                "value": decimal(match[1]),
                "unit": unit,
            }
            attributes["unit_text"] = text[slice(*match.span(2))]
            yield Value(name.start(1), match.end(), match.span(1), "lab", attributes)
