"""Guideline cases in our own words, each citing its section: ICD-10-CM guidelines FY2026, CPT and HCPCS facts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from extractors.coding.rules.catalogue import every, page
from extractors.model import Coded
from fhir_profiles.systems import CPT, HCPCS, ICD10CM

PAGE = Path(__file__).parents[3] / "docs" / "coding-rules.md"


def faults(row: dict[str, Any], coded: Coded) -> list[str]:
    """What is wrong with the accepted codes of a case: codes, order, units, modifiers, questions."""
    lines = [c for c in coded.codes if c.status == "accepted" and c.system in (ICD10CM, CPT, HCPCS)]
    codes = [c.code for c in lines]
    by_code = {c.code: c for c in reversed(lines) if "JW" not in c.modifiers}
    wrong = [f"missing {c}" for c in row["expect"] if c not in codes]
    wrong += [f"extra {c}" for c in codes if c not in row["expect"]]
    if "first" in row and codes[:1] != [row["first"]]:
        wrong.append(f"first is {codes[:1]}")
    wrong += [f"units of {c}" for c, n in row.get("units", {}).items() if c not in by_code or by_code[c].units != n]
    wrong += [
        f"modifiers of {c}"
        for c, m in row.get("modifiers", {}).items()
        if c not in by_code or list(by_code[c].modifiers) != m
    ]
    if "missing" in row and row["missing"] not in {gap.id for gap in coded.gaps}:
        wrong.append(f"did not ask {row['missing']}")
    return wrong


def test_every_case_is_coded_as_it_says(answers) -> None:
    """Exactly the expected codes in their order, with units, modifiers and questions; what stays open says why."""
    wrong = {row["id"]: found for row, coded in answers if (found := faults(row, coded)) and "open" not in row}
    assert wrong == {}


def test_what_is_open_is_still_open(answers) -> None:
    """A case that is marked open and is now met loses its mark."""
    assert [row["id"] for row, coded in answers if "open" in row and not faults(row, coded)] == []


def test_cases_are_many_and_cite(answers, pipeline) -> None:
    """At least 200 cases of at least 30 groups, each with a section, valid codes and an id of its own."""
    rows = [row for row, _ in answers]
    groups = Counter(row["group"] for row in rows)
    assert len(rows) >= 200 and len(groups) >= 30 and len({row["id"] for row in rows}) == len(rows)
    assert all(row["cites"] and not set(row["expect"]) & set(row["forbid"]) for row in rows)
    known = [ICD10CM, CPT, HCPCS]
    assert all(any(pipeline.lexicon.has_code(s, c) for s in known) for row in rows for c in row["expect"])


def test_every_rule_acts_in_a_case(answers, other_answers) -> None:
    """Each rule of the catalogue has touched a code of some case and says so, or has asked."""
    seen: set[str] = set()
    for coded in [*(coded for _, coded in answers), *other_answers]:
        reasons = " ".join(code.reason for code in coded.codes)
        seen |= {rule.id for rule in every() if f"({rule.id}; {rule.cites})" in reasons}
        seen |= {gap.id for gap in coded.gaps}
    assert {rule.id for rule in every()} - seen == set()


def test_a_changed_code_says_which_rule_changed_it(answers) -> None:
    """A code that carries a rule's id has a reason that names the rule and its section."""
    sections = {rule.id: rule.cites for rule in every()}
    silent = [
        (row["id"], code.code)
        for row, coded in answers
        for code in coded.codes
        if code.rule in sections and f"({code.rule}; {sections[code.rule]})" not in code.reason
    ]
    assert silent == []


def test_gaps_quote_the_words_that_raise_them(answers) -> None:
    """A question has an id of the catalogue, its section, and a span of the text."""
    known = {rule.id: rule.cites for rule in every()}
    for row, coded in answers:
        for gap in coded.gaps:
            assert known[gap.id] == gap.cites and gap.asks.endswith(("?", "unit", "minutes")), row["id"]
            assert 0 <= gap.start < gap.end <= len(row["text"])


def test_the_catalogue_page_is_that_of_the_code() -> None:
    """`python -m extractors.coding.rules.catalogue > docs/coding-rules.md` was run after the last change of a rule."""
    assert PAGE.read_text("utf-8") == page()
