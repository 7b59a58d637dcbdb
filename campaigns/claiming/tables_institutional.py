"""Made-up tables of diagnoses, of hospitals and of what other payers say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from campaigns.claiming.institutional import OPERATION, STAY, VISIT
from campaigns.claiming.making import CODES, DIAGNOSES

_MORE = (
    "F93.0", "N40.0", "F02.80", "J44.9", "M25.561", "R65.20", "R69", "Z47.1", "I12.9", "Z68.41", "O80", "O26.91",
    "Z3A.39", "Z12.11", "W19.XXXA", "P07.30", "Z79.4", "I21.4", "E10.9", "N18.31", "Y65.51",
)  # fmt: skip
WITHDRAWN = 20_361
"""2025-09-30, in days since 1970."""

Rows = list[Mapping[str, Any]]


def institutional_rows() -> dict[str, Rows]:
    """The rows of each table."""
    return _diagnoses() | _forms() | _procedures()


def _diagnoses() -> dict[str, Rows]:
    plain: Rows = [
        {"code": code, "billable": True, "unspecified": False, "seventh": False, "sided": False}
        for code in dict.fromkeys((*DIAGNOSES, *STAY, *VISIT, *_MORE))
    ]
    return {
        "icd10cm": [
            *plain,
            {"code": "E78", "billable": False},
            {"code": "U07.0", "billable": True, "end": WITHDRAWN},
            {"code": "L03.90", "billable": True, "unspecified": True, "sided": False},
            {"code": "M25.569", "billable": True, "side": "unspecified", "sided": True},
            {"code": "M25.562", "billable": True, "side": "left", "sided": False},
            {"code": "S52.501", "billable": False, "seventh": True},
        ],
        "diagnosis_edit": [
            {"code": "F93.0", "ages": "paediatric"}, {"code": "P07.30", "ages": "newborn"},
            {"code": "N40.0", "sex": "male"}, {"code": "F02.80", "manifestation": True},
            {"code": "R65.20", "unacceptable": True}, {"code": "R69", "questionable": True},
            {"code": "Z79.4", "poa_exempt": True}, {"code": "Y65.51", "wrong": True, "poa_exempt": True},
        ],
        "excludes1": [{"code": "J45.909", "other": "J44"}],
        "code_first": [{"code": "F02.80", "other": ""}, {"code": "F02.80", "other": "G30"}],
        "payer": [
            {"id": "X", "filing_days": 365, "correction_days": 500, "review": 2_000_000, "referral": False,
             "consultations": True, "medicare": False, "external_cause": True},
        ],
        "carc": [{"code": "45"}],
        "policy": [{"name": "confidence", "value": 0.5}, {"name": "confirmation", "value": 1.0}],
        "ordered": [{"code": "S0741"}],
        "covered": [{"payer": "commercial", "code": "S0740", "policy": "made"}],
        "coverage": [{"payer": "commercial", "code": "S0740", "diagnosis": "Z00.01", "policy": "made"}],
    }  # fmt: skip


def _forms() -> dict[str, Rows]:
    lists = {
        "admission": ("1", "4"), "origin": ("1",), "newborn": ("5",), "discharge": ("01", "30"),
        "condition": ("77", "41", "G0"), "occurrence": ("11",), "span": ("72",),
    }  # fmt: skip
    return {
        "bill_type": [{"code": code, "inpatient": code.startswith("011")} for code in ("0111", "0131", "0831")],
        "revenue": [
            {"code": code, "room": code == "0120", "hcpcs": code in ("0320", "0450")}
            for code in ("0001", "0120", "0250", "0320", "0360", "0380", "0450", "0490", "0540", "0636")
        ],
        "revenue_hcpcs": [
            {"revenue": revenue, "code": code}
            for revenue, code in (("0636", ""), ("0636", "J1100"))
        ],
        "nubc": [
            *({"list": name, "code": code} for name, codes in lists.items() for code in codes),
            {"list": "value", "code": "80", "whole": True},
            *({"list": "value", "code": code, "whole": False} for code in ("01", "12")),
        ],
    }  # fmt: skip


def _procedures() -> dict[str, Rows]:
    return {
        "hcpcs": [{"code": code, "active": True} for code in ("P9010", "G0378")],
        "icd10pcs": [
            {"code": code, "billable": True} for code in (OPERATION, "0UT90ZZ", "0U5B0ZZ", "02YA0Z0", "5A1955Z")
        ],
        "procedure_edit": [
            {"code": "0UT90ZZ", "sex": "female"}, {"code": "0U5B0ZZ", "noncovered": True},
            {"code": "02YA0Z0", "limited": True},
        ],
        "opps": [
            *({"code": code, "indicator": "S"} for code in (*CODES, "99284", "73110", "G0378", "S0700")),
            {"code": "S0701", "indicator": "J1", "device": True}, {"code": "P9010", "indicator": "R"},
        ],
    }  # fmt: skip
