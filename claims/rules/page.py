"""The page of all rules that ship: `python -m claims.rules.page > docs/claims-catalogue.md`."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable

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
        "marked \\* ships with the package.",
        *(_category(name, grouped[name]) for name in names),
        _tables(rule for found in grouped.values() for rule in found),
    ]
    return "\n\n".join(parts) + "\n"


def _category(name: str, rules: list[Rule]) -> str:
    lines = [f"## {CATEGORIES.get(name, name)}", "", "| id | severity | the claim breaks it when | where | tables |"]
    lines.append("|---|---|---|---|---|")
    for rule in sorted(rules, key=lambda rule: rule.id):
        tables = ", ".join(_table(table) for table in sorted(rule.tables))
        lines.append(f"| {rule.id} | {rule.severity} | {_cell(rule.sentence)} | `{rule.where()}` | {tables} |")
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
