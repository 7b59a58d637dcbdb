"""Two conditions that one code names, by a table; and what a word beside a code adds to it (I.B.9, I.A.15)."""

from __future__ import annotations

import re

from extractors.coding.case import Case, Rule
from extractors.coding.tables import table

PAIR = Rule("combination", "I.B.9")
BREATH = Rule("respiratory-failure", "I.C.10.b")
TYPE = Rule("diabetes-type", "I.C.4.a")
TRIMESTER = Rule("trimester", "I.C.15.a.3")
_WEEK = re.compile(r"\b(\d{1,2})(?: \d/7)?[ -]*(?:weeks?|wks?)\b")
_NAMED = ("first trimester", "second trimester", "third trimester")
_LOW, _HIGH = re.compile(r"\bhypox(?:ia|ic|emi[ac])\b"), re.compile(r"\bhypercap(?:nia|nic|neic)\b|\bhypercarbi[ac]\b")


def pairs(case: Case) -> None:
    """Codes that stand together become the code that says both."""
    there = {c.code[:3] for c in case.accepted("")}
    for row in table("combinations")["rows"]:
        if not all(any(code[:3] in there for code in codes) for codes in row["have"]):
            continue
        first, second = (case.accepted(*codes) for codes in row["have"])
        if not first or not second:
            continue
        if row["code"] is not None:
            case.replace(first[0], row["code"], PAIR, row["why"])
            first[0].evidence.append((second[0].start, second[0].end))
        keeper = second[0].code if row["code"] is None else row["code"]
        for candidate in case.accepted(*row["drop"]):
            if candidate.code != keeper:
                case.reject(candidate, PAIR, f"{row['why']}: {keeper}")


def respiratory_failure(case: Case) -> None:
    """With hypoxia or hypercapnia in the clause, respiratory failure takes its fifth character."""
    for candidate in case.accepted("J96.00", "J96.10", "J96.20", "J96.90"):
        clause = re.split(r"[.;\n]", case.text[candidate.end : candidate.end + 60])[0]
        clause = case.text[max(0, candidate.start - 24) : candidate.end] + clause
        end = "1" if _LOW.search(clause) else "2" if _HIGH.search(clause) else ""
        if end:
            case.replace(candidate, candidate.code[:-1] + end, BREATH, "The clause says what the blood lacked")


def diabetes_type(case: Case) -> None:
    """ "Diabetes" alone, beside a stated other type, is that type."""
    other = [c for c in case.accepted("E10", "E08", "E09", "E13") if not c.code.startswith("E11")]
    if not other:
        return
    for candidate in case.accepted("E11"):
        words = case.text[max(0, candidate.start - 8) : candidate.end]
        if "2" not in words and "ii" not in words.split():
            case.reject(candidate, TYPE, f"The type is stated elsewhere: {other[0].code}")


def trimester(case: Case) -> None:
    """An "unspecified trimester" becomes the one that the text names, or that its weeks of gestation mean."""
    open_ones = [c for c in case.accepted("O", "Z34") if case.lexicon.in_trimester(c.code, 3) is not None]
    if not open_ones:
        return
    said = next(
        (n for n, w in ((1, "first trimester"), (2, "second trimester"), (3, "third trimester")) if w in case.text), 0
    )
    week = _WEEK.search(case.text)
    if not said and week and ("pregnan" in case.text or "gestation" in case.text):
        weeks = int(week[1])
        said = 1 if weeks < 14 else 2 if weeks < 28 else 3 if weeks <= 42 else 0
    for candidate in open_ones:
        code = case.lexicon.in_trimester(candidate.code, said) if said else None
        if code is not None:
            case.replace(candidate, code, TRIMESTER, "The text gives the trimester")


FIRST = (diabetes_type, respiratory_failure, trimester)  # before the rules that combine codes
RULES = (pairs,)
