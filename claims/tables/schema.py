# ruff: noqa: E501 - a table in each line is easier to compare
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


_CODE: dict[str, Type] = {"code": "text"}
_SETTING: dict[str, Type] = {"code": "text", "setting": "text"}  # practitioner | outpatient | dme
_LOCALITY: dict[str, Type] = {"carrier": "text", "locality": "text"}


def _list(title: str, **values: Type) -> TableDef:
    return TableDef(title, _CODE, values)


TABLES: dict[str, TableDef] = {
    # Codes, from the terminology
    "hcpcs": _list("HCPCS and CPT codes", active="flag", added="day", ended="day", replacement="text"),
    "icd10cm": _list(
        "ICD-10-CM", billable="flag", unspecified="flag", external="flag", side="text", seventh="flag", sided="flag"
    ),
    "icd10pcs": _list("ICD-10-PCS", billable="flag"),
    "excludes1": TableDef("Excludes1 notes of ICD-10-CM", {"code": "text", "other": "text"}, {"chapter": "text"}),
    "code_first": TableDef("Code first notes of ICD-10-CM", {"code": "text", "other": "text"}, {"note": "text"}),
    "integral": TableDef("Symptoms that belong to a disease", {"symptom": "text", "category": "text"}, {"note": "text"}),
    "taxonomy": _list("NUCC provider taxonomy", individual="flag"),
    "carc": _list("Claim adjustment reason codes"),
    "rarc": _list("Remittance advice remark codes"),
    "pos": _list("Places of service", facility="flag", dme="flag", inpatient="flag"),
    "state": _list("States and territories"),
    # Medicare's fee schedules
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
    "gpci": TableDef("Geographic practice cost indices", _LOCALITY, {"work": "whole", "pe": "whole", "mp": "whole"}),
    "locality": TableDef(
        "Names and counties of localities", _LOCALITY, {"state": "text", "area": "text", "counties": "text"}
    ),
    "zip": TableDef(
        "ZIP codes and their localities", {"zip": "text"},
        {"state": "text", "carrier": "text", "locality": "text", "rural": "text"},
    ),
    "factor": TableDef("Conversion factors", {"kind": "text"}, {"value": "whole"}),
    "anaesthesia_factor": TableDef(
        "Anaesthesia conversion factors", _LOCALITY, {"value": "whole", "apm": "whole"}  # apm: from 2026, see `factor`
    ),
    "anaesthesia": _list("Anaesthesia base units", units="whole"),
    "opps_cap": TableDef(
        "OPPS imaging caps", {"code": "text", "modifier": "text", "carrier": "text", "locality": "text"},
        {"facility": "cents", "nonfacility": "cents"},
    ),
    "price_list": TableDef(
        "Published prices of the physician fee schedule",
        {"code": "text", "modifier": "text", "carrier": "text", "locality": "text"},
        {"nonfacility": "cents", "facility": "cents"},
    ),
    "drug_price": _list("Average sales prices", price="whole", dose="text"),
    "lab_price": TableDef("Clinical laboratory fee schedule", {"code": "text", "modifier": "text"}, {"price": "cents"}),
    # NCCI
    "mue": TableDef("Medically unlikely edits", _SETTING, {"units": "whole", "mai": "text"}),
    "ptp": TableDef(
        "NCCI procedure to procedure edits", {"column1": "text", "column2": "text", "setting": "text"},
        {"indicator": "text"},
    ),
    "addon": _list("Add-on codes", type="text"),
    "addon_primary": TableDef("Primary codes of add-on codes", {"code": "text", "primary": "text"}, {"type": "text"}),
    # Code lists of edits, loaded by the user or our own
    "modifier": _list("Modifiers", kind="text"),
    "special": _list("Codes that need more than themselves", kind="text"),
    "therapy": _list("Therapy services", kind="text", minutes="whole"),
    "amount": TableDef("Amounts that are set for a year", {"kind": "text"}, {"value": "cents"}),
    "panel": TableDef("Laboratory panels", {"panel": "text", "code": "text"}, {"parts": "whole"}),
    "panel_part": _list("The panel that a laboratory test is part of", panel="text", parts="whole"),
    "code_site": _list("Body sites of codes", site="text"),
    "frequency": _list("Frequency limits", times="whole", days="whole"),
    "laboratory": TableDef("CLIA certificates", {"number": "text"}, {"kind": "text"}),
    "department": TableDef("Departments of hospitals", {"npi": "text"}, {"off_campus": "flag"}),
    "visit": _list("Evaluation and management visits", family="text", level="whole", new="flag", low="whole", high="whole"),
    "diagnosis_edit": _list(
        "Medicare code editor, diagnoses", ages="text", sex="text", manifestation="flag", external="flag",
        unacceptable="flag", questionable="flag", poa_exempt="flag", wrong="flag",
    ),
    "procedure_edit": _list("Medicare code editor, procedures", sex="text", noncovered="flag", limited="flag"),
    "code_limit": _list("Age and sex limits of codes", low="whole", high="whole", sex="text", per_day="flag", ranged="flag", once="text"),
    "ioce_edit": TableDef(
        "Edits of the outpatient code editor", {"edit": "text", "first": "text"},
        {"last": "text", "disposition": "text", "name": "text"},
    ),
    "telehealth": _list("Telehealth services", audio="flag"),
    "clia": _list("CLIA", level="text", waived="flag"),
    "dmepos": _list("DMEPOS categories", category="text", order="flag"),
    "asc": _list("Ambulatory surgery centre list", payment="text"),
    "opps": _list("OPPS Addendum B", indicator="text", device="flag"),
    "preventive": _list("Preventive services", low="whole", high="whole", sex="text", months="whole", diagnosis="text"),
    "drug_ndc": TableDef("NDC of HCPCS drug codes", {"code": "text", "ndc": "text"}, {"units": "number"}),
    "drug": _list("Drugs and vaccines", kind="text", unit="text", vial="number"),
    "ndc": TableDef("National Drug Code Directory", {"ndc": "text"}, {"name": "text"}),
    "coverage": TableDef(
        "Coverage policies", {"payer": "text", "code": "text", "diagnosis": "text"}, {"policy": "text"}
    ),
    "covered": TableDef("Codes with a coverage policy", {"payer": "text", "code": "text"}, {"policy": "text"}),
    # Institutional code lists, loaded by the user
    "revenue": _list("Revenue codes", hcpcs="flag", room="flag", family="text"),
    "revenue_hcpcs": TableDef("HCPCS codes of revenue codes", {"revenue": "text", "code": "text"}, {"note": "text"}),
    "bill_type": _list("Types of bill", inpatient="flag"),
    "nubc": TableDef("Condition, occurrence, value and status codes", {"list": "text", "code": "text"}, {"whole": "flag"}),
    # Who is who, loaded by the user
    "payer": TableDef(
        "Payers", {"id": "text"},
        {
            "filing_days": "whole", "correction_days": "whole", "member": "text", "consultations": "flag",
            "telehealth_pos": "text", "telehealth_95": "flag", "referral": "flag", "medicare": "flag", "review": "cents", "most_times": "whole", "external_cause": "flag",
            "test_id": "flag",
        },
    ),
    "policy": TableDef("What the tenant has settled on", {"name": "text"}, {"value": "number"}),
    "ordered": _list("Services for which who referred or ordered is named", kind="text"),
    "authorisation": TableDef("Services that need authorisation", {"payer": "text", "code": "text"}, {"note": "text"}),
    "authorised": TableDef(
        "Authorisations", {"number": "text"}, {"code": "text", "units": "number", "provider": "text"}
    ),
    "nppes": TableDef("NPPES extract", {"npi": "text"}, {"organisation": "flag", "taxonomy": "text"}),
    "excluded": TableDef("Excluded providers", {"npi": "text"}, {"reason": "text"}),
    "ordering": TableDef("Ordering and referring providers", {"npi": "text"}, {"services": "text"}),
    "registered": TableDef("Billing providers of the tenant", {"npi": "text", "tax": "text"}, {"participating": "flag"}),
    "visit_share": TableDef(
        "Shares of highest visits", {"npi": "text"}, {"share": "number", "norm": "number"}
    ),
    "taxonomy_service": TableDef("Services of a taxonomy", {"taxonomy": "text", "family": "text"}, {"allowed": "flag"}),
    "ein_prefix": TableDef("Issued EIN prefixes", {"prefix": "text"}, {"campus": "text"}),
}  # fmt: skip
"""By the name that expressions use.

`once` of a code is day or life. What a special code is, `claims/tables/data/special.tsv` shows: unlisted, drug (without a
code of its own), trial, colonoscopy, aftercare, maternity-whole, maternity-part, administration, vaccination. A therapy is
always or sometimes one, and `minutes` are those of its unit. A modifier's kind is payment, component, side, site, service,
ambulance or information (`claims/tables/data/modifier.tsv`).
RVUs are in hundredths, GPCIs in thousandths, conversion factors in ten-thousandths of a dollar, percentages in
hundredths of the whole, drug prices in thousandths of a dollar for one billing unit.

Of ICD-10-CM, `seventh` is true of a code that lacks the seventh character it needs, `side` is left, right, both or
unspecified, `sided` is true of a code that leaves the side open and whose siblings name it, and `unspecified` of one
that has more specific siblings. A `code` of excludes1 and code_first is a whole code (notes above it count), an `other`
the code or beginning of codes that a note names, of 3, 5, 6 or 7 characters with the point; code_first has a row
without an `other` for each of its codes, revenue_hcpcs one without a `code` for each revenue code that it tells of.
`integral` has categories of three characters. In the Medicare code editor `ages` is newborn, paediatric, maternity or
adult and `sex` male or female. The lists of nubc are admission, origin, newborn (origins of newborns), discharge,
condition, occurrence, span and value, of which `whole` are those that count. A policy is confidence (0 to 1: below it a
proposed code is doubted) or confirmation (1: a person confirms each proposed code).
The `payer` of a coverage policy is a kind of payers (PAYERS of the sheet) or the identifier of one. `member` of a payer is
the shape of its members' numbers (function `fits`). The `family` of taxonomy_service is the beginning of codes, of two
characters, and its taxonomy a whole one or the first four. In visit_share both numbers are parts of 1.
"""
