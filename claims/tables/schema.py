"""The tables that rules and prices ask: what they are keyed by and what they say.

A table is loaded from official files or made from the terminology; a rule that asks one which is not loaded is not run.
"""

from __future__ import annotations

from dataclasses import dataclass

from claims.expr.tree import Type


@dataclass(frozen=True, slots=True)
class TableDef:
    """`keys` and `values` by name; a `dated` table has rows that hold from a day to a day."""

    title: str
    keys: dict[str, Type]
    values: dict[str, Type]
    dated: bool = True


TABLES: dict[str, TableDef] = {
    "hcpcs": TableDef("HCPCS and CPT codes", {"code": "text"}, {"status": "text", "billable": "flag"}),
    "icd10cm": TableDef(
        "ICD-10-CM",
        {"code": "text"},
        {"billable": "flag", "unspecified": "flag", "external": "flag", "side": "text", "seventh": "text"},
    ),
    "icd10pcs": TableDef("ICD-10-PCS", {"code": "text"}, {"billable": "flag"}),
    "pos": TableDef("Places of service", {"code": "text"}, {"facility": "flag"}),
    "rvu": TableDef(
        "Medicare physician fee schedule",
        {"code": "text", "modifier": "text"},
        {
            "status": "text", "work": "whole", "pe_nonfacility": "whole", "pe_facility": "whole", "mp": "whole",
            "na_nonfacility": "text", "na_facility": "text", "pctc": "text", "global_days": "text", "pre": "whole",
            "intra": "whole", "post": "whole", "multiple": "text", "bilateral": "text", "assistant": "text",
            "cosurgeon": "text", "team": "text", "endo_base": "text", "supervision": "text", "family": "text",
            "opps_nonfacility": "whole", "opps_facility": "whole", "opps_mp": "whole",
        },
    ),
    "mue": TableDef("Medically unlikely edits", {"code": "text"}, {"units": "whole", "mai": "text"}),
    "ptp": TableDef("NCCI procedure to procedure edits", {"column1": "text", "column2": "text"}, {"indicator": "text"}),
    "addon": TableDef("Add-on codes", {"code": "text", "primary": "text"}, {"type": "text"}),
}  # fmt: skip
"""By the name that expressions use. RVUs are in hundredths, percentages in hundredths of the whole."""
