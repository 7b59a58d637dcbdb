"""Two conditions that one code names, by a table; and what a word beside a code adds to it (I.B.9, I.A.15)."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from extractors.coding.case import Case, Rule, around, asked
from extractors.coding.clauses import bounds
from extractors.coding.gestation import week_of, weeks
from extractors.coding.tables import table

PAIR = Rule("combination", "I.B.9", "Codes that stand together become the code that says both")
BREATH = Rule("respiratory-failure", "I.C.10.b", "Respiratory failure with hypoxia or hypercapnia takes its character")
TYPE = Rule("diabetes-type", "I.C.4.a", "The type or cause of a diabetes is the stated one")
TRIMESTER = Rule("trimester", "I.C.15.a.3", "An unspecified trimester becomes the one that the text or its weeks give")
_NAMED = ("first trimester", "second trimester", "third trimester")
_LOW, _HIGH = (
    re.compile(r"\bhypox(?:ia|ic|a?emi[ac])\b"),
    re.compile(r"\bhypercap(?:nia|nic|neic)\b|\bhypercarbi[ac]\b"),
)


@cache
def _rows() -> list[tuple[frozenset[str], frozenset[str], dict[str, Any]]]:
    """The rows, each after the categories of its first and its second condition."""
    rows = table("combinations")["rows"]
    return [(*(frozenset(code[:3] for code in codes) for codes in row["have"]), row) for row in rows]


def pairs(case: Case) -> None:
    """Codes that stand together become the code that says both."""
    there = {c.code[:3] for c in case.accepted("")}
    for one, two, row in _rows():
        if there.isdisjoint(one) or there.isdisjoint(two):
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


_AND_HIGH = re.compile(r" ?(?:and|/|&|\+|,) ?hypercap(?:nia|nic|neic)\b")
_CHARACTER = r"(?:hypox(?:ia|ic|emic|aemic)|hypercap(?:nia|nic|neic)|hypercarb(?:ia|ic))"
_FAILING = around(
    r"\b(?:(acute(?: on | and | ?/ ?)chronic|acute|chronic) )?"
    rf"({_CHARACTER}(?:(?: ?[/+&,] ?| and | and/or ){_CHARACTER})?)"
    r" resp(?:iratory|\.)? failure\b|\bahrf\b",
    ("hypox", "hypercap", "hypercarb", "ahrf"),
)
_STAGES = {"acute": "0", "chronic": "1"}


def failing_breath(case: Case) -> None:
    """ "Acute on chronic hypoxic and hypercapnic respiratory failure" is a code for each character (I.C.10.b)."""
    for match in case.near(_FAILING):
        how = _STAGES.get(match[1] or ("acute" if match[2] is None else ""), "2" if match[1] else "9")
        said = match[2] or "hypoxic"
        ends = [end for end, pattern in (("1", _LOW), ("2", _HIGH)) if pattern.search(said)]
        codes, why = {f"J96.{how}{end}" for end in ends}, "The words name what the blood lacked or held too much of"
        inside = [c for c in case.candidates if match.start() <= c.start < match.end()]
        if any(c.code.startswith("J96") and c.status == "rejected" for c in inside):
            continue  # possible, past or another's
        for known in inside:
            if known.status == "accepted" and known.code.startswith(("J96", "R09.02")) and known.code not in codes:
                case.reject(known, BREATH, why)
        for code in sorted(codes):
            case.add(code, *match.span(), BREATH, why)


def respiratory_failure(case: Case) -> None:
    """With hypoxia or hypercapnia in the clause, respiratory failure takes its fifth character."""
    for candidate in case.accepted("J96.00", "J96.10", "J96.20", "J96.90"):
        clause = re.split(r"[.;\n]", case.text[candidate.end : candidate.end + 60])[0]
        clause = case.text[max(0, candidate.start - 24) : candidate.end] + clause
        ends = [end for end, said in (("1", _LOW), ("2", _HIGH)) if said.search(clause)]
        stem, why = candidate.code[:-1], "The clause says what the blood lacked or held too much of"
        for end in ends[1:]:
            case.add(stem + end, candidate.start, candidate.end, BREATH, why, finding=candidate.finding)
        if ends:
            case.replace(candidate, stem + ends[0], BREATH, why)
    for candidate in case.accepted("J96.01", "J96.11", "J96.21"):
        also = _AND_HIGH.match(case.text[candidate.end : candidate.end + 24])
        if also:
            why = "The clause says that the blood held too much as well"
            case.add(f"{candidate.code[:-1]}2", candidate.start, candidate.end + also.end(), BREATH, why)


_SECONDARY = (
    (asked(
        r"\b(?:drug|steroid|medication|chemical|corticosteroid|prednisone"
        r"|glucocorticoid)[- ]induced (?:diabetes|dm)\b|"
                r"\b(?:diabetes|dm) (?:\w+ ){0,2}(?:due|secondary) to (?:long-term |chronic )?(?:steroids?"
                r"|prednisone|corticosteroids?|glucocorticoids?)"),
     "E09", ("induced", "steroid", "prednisone", "glucocorticoid")),
    (asked(
        r"\bpost-?pancreatectomy (?:diabetes|dm)\b|\b(?:diabetes|dm)\b[^.;\n]{0,24}(?:following|after|due to"
        r"|secondary to)[^.;\n]{0,24}"
                r"pancreatectomy|\btype 3c diabetes|\bpostprocedural diabetes"), "E13",
     ("pancreatectomy", "type 3c", "postprocedural")),
    (asked(
        r"\bsecondary (?:diabetes|dm)\b|\b(?:diabetes|dm)(?: mellitus)? (?:due"
        r"|secondary) to (?:(?:chronic|alcoholic)[a-z -]{0,20} pancreatitis|cystic fibrosis|"
                r"hemochromatosis|cushing|pancreatic cancer|acromegaly|malnutrition)"), "E08",
     ("secondary d", "pancreatitis", "cystic fib", "hemochromatosis", "cushing", "pancreatic c", "acromeg",
      "malnut")),
    (asked(r"\b(?:lada|latent autoimmune diabetes|type 1\.5 diabetes)"), "E13",
     ("lada", "latent autoimmune", "type 1.5")),
)  # fmt: skip


def diabetes_cause(case: Case) -> None:
    """Diabetes of another cause is E08, E09 or E13, whatever the words alone would mean."""
    if not case.says("diabetes", " dm"):
        return
    for pattern, category, cues in _SECONDARY:
        match = next(case.search(pattern), None) if case.says(*cues) else None
        if match is None:
            continue
        for candidate in case.accepted("E11", "E13", "E08", "E09"):
            case.replace(candidate, category + candidate.code[3:], TYPE, "The text names what the diabetes comes of")
        if not case.has(category):
            case.add(f"{category}.9", *match.span(), TYPE, "The text names what the diabetes comes of")
        return


_TYPE_1 = asked(r"\b(?:type (?:1|i)|t1|dm ?1)\b ?(?:dm|diabet|,|\b)|\bt1dm\b|\biddm\b")
_TYPE_2 = asked(r"\btype (?:2|ii)\b|\bt2dm\b|\bdm ?2\b")


def diabetes_type(case: Case) -> None:
    """ "Diabetes" alone, beside a stated other type, is that type."""
    if not case.has("E11"):
        return
    if case.says("type 1", "type i", "t1", "dm 1", "dm1", "iddm") and case.first(_TYPE_1) and not case.first(_TYPE_2):
        for candidate in case.accepted("E11"):
            same = f"E10{candidate.code[3:]}"
            if case.lexicon.billable(same):
                case.replace(candidate, same, TYPE, "The text says type 1")
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
    week = weeks(case)
    if not said and week is not None:
        number = week_of(week)
        said = 1 if number < 14 else 2 if number < 28 else 3 if number <= 42 else 0
    for candidate in open_ones:
        code = case.lexicon.in_trimester(candidate.code, said) if said else None
        if code is not None:
            case.replace(candidate, code, TRIMESTER, "The text gives the trimester")


def without_end(case: Case) -> None:
    """Seizures or migraine in status: the code of the category that says so (I.B.9)."""
    for pattern, family in ((_SEIZING, "G40"), (_ACHING, "G43")):
        if not case.has(family) or next(case.search(pattern), None) is None:
            continue
        for candidate in case.accepted(family):
            code = f"{candidate.code[:-1]}1"
            if candidate.code.endswith("9") and " with status" in case.lexicon.display_of(code):
                case.replace(candidate, code, PAIR, "The text says that it went on without end")
        if any(c.code[:5] != "G40.9" for c in case.accepted("G40")):
            for plain in case.accepted("G40.901", "G40.909"):
                case.reject(plain, PAIR, "The kind of epilepsy is stated")


_SEIZING = asked(r"\bstatus epilepticus\b")
_ACHING = asked(r"\bstatus migrainosus\b")


def rheumatoid_factor(case: Case) -> None:
    """Rheumatoid arthritis with the factor in the blood is M05.-, at the same site."""
    match = next(case.search(_FACTOR), None) if case.has("M06.8", "M06.9") else None
    for candidate in case.accepted("M06.8", "M06.9") if match else ():
        code = "M05.9" if candidate.code == "M06.9" else f"M05.7{candidate.code[5:]}"
        if case.lexicon.billable(code):
            case.replace(candidate, code, PAIR, "The text says that the rheumatoid factor is there")


_FACTOR = asked(
    r"\bseropositive\b|\b(?:rf|rheumatoid factor)[ -]positive\b|\bpositive (?:for )?(?:rf|rheumatoid factor)\b"
    r"|\bwith (?:positive )?rheumatoid factor\b"
)


def uncomplicated(case: Case) -> None:
    """ "Uncomplicated" intoxication or withdrawal is so coded; of which no more is said it is unspecified."""
    for candidate in case.accepted("F1"):
        code = f"{candidate.code[:-1]}0"
        low, high = bounds(case.text, candidate.start, candidate.end)
        if (
            candidate.code.endswith("9") and len(candidate.code) == 7
            and "uncomplicated" in case.text[low:high]
            and case.lexicon.display_of(code).endswith("uncomplicated")
        ):  # fmt: skip
            case.replace(candidate, code, PAIR, "The text says that it is uncomplicated")


FIRST = (
    diabetes_cause,
    diabetes_type,
    failing_breath,
    respiratory_failure,
    trimester,
    without_end,
    rheumatoid_factor,
    uncomplicated,
)  # before the rules that combine codes
RULES = (pairs,)
