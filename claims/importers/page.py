"""The page of lists of the user's own: `python -m claims.importers.page > docs/claims-lists.md`."""

from __future__ import annotations

import sys
from collections import defaultdict

from claims.importers.listed import columns_of
from claims.importers.registry import LISTS
from claims.rules.rule import own_rules
from claims.tables.schema import TABLES

SOURCES = {
    "payer": "what you know of your payers: days, shapes of numbers, what they want",
    "policy": "what you have settled on for codes out of documents",
    "coverage": "local and national coverage determinations, or the policies of a payer",
    "diagnosis_edit": "the lists of the Medicare Code Editor (definitions manual, tables of diagnoses)",
    "procedure_edit": "the lists of the Medicare Code Editor (tables of procedures)",
    "nubc": "the manual of the NUBC, which you license: codes of the UB-04 by list",
    "bill_type": "the same: types of bill with their leading zero",
    "revenue": "the same: revenue codes, which need HCPCS, which are room and board",
    "revenue_hcpcs": "which codes of HCPCS stand under a revenue code",
    "authorisation": "your payers", "authorised": "the authorisations that you hold",
    "ordered": "services for which who referred or ordered is named",
    "nppes": "an extract of NPPES", "excluded": "the list of excluded providers (OIG LEIE), those with an NPI",
    "ordering": "the list of ordering and referring providers (CMS)",
    "registered": "your billing numbers, and who takes part in Medicare",
    "taxonomy_service": "what a specialty does not do: a taxonomy or its first four characters, the first two of codes",
    "visit_share": "the share of highest visits of each who treats, and that of the specialty",
    "frequency": "your payers: how often within how many days",
    "code_limit": "ages, sexes, codes that count days, may span days, or are billed once in a day or life",
    "code_site": "eyelid, finger, toe or coronary", "laboratory": "your CLIA certificates, and which are waivers",
    "department": "your departments off the campus", "telehealth": "the list of telehealth services (CMS)",
    "clia": "the lists of tests under CLIA, and of waived ones (CMS)",
    "dmepos": "categories of the DMEPOS fee schedule: IN, FS, CR, OX and others, and which need an order",
    "asc": "Addendum AA of the ASC payment system", "opps": "Addendum B of the OPPS: status indicators, devices",
    "preventive": "screenings with ages, sexes, months between them and the diagnosis that says so",
    "drug": "kinds of drugs: single-dose, injected, vaccine, and what a vial holds in billing units",
    "drug_ndc": "the crosswalk of NDC and HCPCS (CMS ASP): billing units of one unit of the drug",
    "panel": "the tests of each laboratory panel",
}  # fmt: skip
"""List → where it comes from."""
EXAMPLES = {
    "payer": ("id,filing_days,correction_days,member,consultations", "60054,180,365,W999999999|A99999999,no"),
    "policy": ("name,value", "confidence,0.8"),
    "coverage": ("payer,code,diagnosis,policy", "medicare,G0277,E11.621,NCD 20.29"),
    "diagnosis_edit": ("code,ages,sex,manifestation,unacceptable", "F02.80,,,yes,yes"),
    "procedure_edit": ("code,sex,noncovered,limited", "0UT90ZZ,female,no,no"),
    "nubc": ("list,code,whole", "value,80,yes"),
    "bill_type": ("code,inpatient", "0111,yes"),
    "revenue": ("code,hcpcs,room,family", "0120,no,yes,room"),
}
"""List → header and a row."""


def page() -> str:
    """The page as Markdown."""
    asked: defaultdict[str, list[str]] = defaultdict(list)
    for rule in own_rules():
        for name in rule.tables:
            asked[name].append(rule.id)
    parts = [
        "# Lists of your own",
        "What only you know, and official lists that have no stable layout, are loaded from CSV files with the columns "
        "below:\n`fhirwright load payer payer-2026-01-01.csv`. `python -m claims.importers.page` writes this page.",
        "- UTF-8, commas, quotation marks as in RFC 4180; the header names the columns, in any order; those in bold "
        "must be there.\n- The day in the name (or `--from`) is the first day of service for which the list answers, "
        "until the next one. A row\n  may hold from `start` to `end` (YYYY-MM-DD) only.\n"
        "- `yes`, `no` and nothing are flags; amounts are dollars; a field that is empty is not known.\n"
        "- A damaged file is refused with line and column, and nothing of it is loaded: a column that is not known, a "
        "code, number,\n  day or word that is none, a key that stands twice for a day. At most five million rows.",
        _lists(asked),
        "## Examples",
        *(f"`{name}`\n\n```csv\n{header}\n{row}\n```" for name, (header, row) in EXAMPLES.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _lists(asked: dict[str, list[str]]) -> str:
    lines = ["| name | what it holds | columns | from | rules |", "|---|---|---|---|---|"]
    for name in LISTS:
        keys, others = columns_of(name)
        columns = ", ".join([*(f"**{key}**" for key in keys), *(o for o in others if o not in ("start", "end"))])
        rules = ", ".join(sorted(asked[name]))
        lines.append(f"| `{name}` | {TABLES[name].title} | {columns} | {SOURCES[name]} | {rules} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(page())
