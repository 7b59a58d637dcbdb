"""The page of all rules that ship: `python -m claims.rules.page > docs/claims-catalogue.md`."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from claims.rules.rule import SEVERITIES, Rule, own_rules
from claims.tables.own import own_tables
from claims.tables.schema import TABLES

CATEGORIES = {
    "REQ": "What a claim must have", "IDN": "Numbers of providers, payers and members", "PAT": "Patients",
    "DAT": "Dates", "TFL": "Timely filing", "POS": "Places of service", "DXV": "Diagnoses", "PTR": "Pointers",
    "PXV": "Codes of procedures", "MOD": "Modifiers", "UNT": "Units", "NCC": "Pairs, add-on codes and panels",
    "GLB": "Days around an operation", "SRG": "Surgeons", "PCT": "Professional and technical parts", "EMV": "Visits",
    "DUP": "Duplicates", "CHG": "Charges", "COB": "Several payers", "ANE": "Anaesthesia", "TEL": "Telehealth",
    "RXD": "Drugs", "LAB": "Laboratory", "DME": "Equipment", "AUT": "Authorisation", "AMB": "Ambulances",
    "PRV": "Preventive services", "INS": "Institutional claims", "INP": "Stays", "OUT": "Outpatient departments",
    "PRC": "Prices", "FMT": "Formats", "SRC": "Source documents",
}  # fmt: skip
"""The letters of ids → what their rules are about, in the order of the page."""

NO_RULES = {
    "NCC-003": "Pairs with indicator 9 and those whose days are over are what NCC-001, 002, 004 and 005 do not ask: a "
    "rule that finds nothing is none. Tests hold it.",
    "FMT-001": "Whether a Claim is of a profile that it names is what `$validate` answers, with every element.",
    "FMT-005": "Counts and control numbers are those of an X12 file, not of a claim: reading one refuses the file.",
    "FMT-006": "So are the levels of an X12 file (HL).",
    "FMT-009": "Segments that a situation asks for are made when a claim is written as X12; what is missing for them "
    "is refused there, by element.",
}
"""Edits of other catalogues that are no rules here, and what stands for them."""


def page(rules: Iterable[Rule]) -> str:
    """The page as Markdown."""
    grouped: defaultdict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        grouped[rule.category].append(rule)
    severities = Counter(rule.severity for found in grouped.values() for rule in found)
    names = [name for name in (*CATEGORIES, *sorted(set(grouped) - set(CATEGORIES))) if grouped[name]]
    errors, warnings, notes = (severities[name] for name in SEVERITIES)
    parts = [
        "# The rules of claims",
        f"All {errors + warnings + notes} rules that ship, {errors} errors, {warnings} warnings and {notes} for "
        "information.\n`python -m claims.rules.page` writes this page. [Claim rules](claims-rules.md) tells the "
        "language, and how to add\nyour own. A rule is not run while a table that it needs is not loaded; a table "
        "marked \\* ships with the package. Where\na rule is that of some payers, claims to others are not asked.",
        _counts(names, grouped),
        *(_category(name, grouped[name]) for name in names),
        _tables(rule for found in grouped.values() for rule in found),
        "## What is no rule\n\n" + "\n".join(f"- **{id}** {why}" for id, why in NO_RULES.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _counts(names: Iterable[str], grouped: Mapping[str, list[Rule]]) -> str:
    lines = ["| about | rules | errors | warnings | information | of some payers |", "|---|---|---|---|---|---|"]
    for name in names:
        counts = Counter(rule.severity for rule in grouped[name])
        numbers = [len(grouped[name]), *(counts[one] for one in SEVERITIES), sum(1 for r in grouped[name] if r.payer)]
        lines.append(f"| {name}: {CATEGORIES.get(name, name)} | {' | '.join(map(str, numbers))} |")
    return "\n".join(lines)


def _category(name: str, rules: list[Rule]) -> str:
    lines = [f"## {CATEGORIES.get(name, name)}", ""]
    lines += ["| id | severity | the claim breaks it when | where | payers | tables |", "|---|---|---|---|---|---|"]
    for rule in sorted(rules, key=lambda rule: rule.id):
        tables = ", ".join(_table(table) for table in sorted(rule.tables))
        cells = [rule.id, rule.severity, _cell(rule.sentence), f"`{rule.where()}`", ", ".join(rule.payer), tables]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _tables(rules: Iterable[Rule]) -> str:
    asked = Counter(table for rule in rules for table in rule.tables)
    lines = ["## Tables", "", "| table | what it holds | rules that ask it |", "|---|---|---|"]
    lines += [f"| {_table(name)} | {TABLES[name].title} | {asked[name]} |" for name in sorted(asked)]
    return "\n".join(lines)


def _table(name: str) -> str:
    return f"`{name}`" + ("\\*" if name in own_tables() else "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page(own_rules()))
