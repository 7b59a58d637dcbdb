"""Small made-up tables of codes, pairs, units and services for the rules of procedures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from campaigns.claiming.making import CODES, NPIS

Rows = Iterable[Mapping[str, Any]]
INVENTED = [f"S{number:04d}" for number in range(1_000)]
REAL = (
    "99202", "99204", "99205", "99214", "99215", "99221", "99222", "99238", "99242", "99284", "99285", "99291", "99292",
    "99394", "99396", "99417", "73110", "00300", "00812", "00400", "01999", "A0425", "A0429", "J3490", "E1399", "36416",
    "T1015", "99461", "59400", "59425", "45385", "S0630", "96372", "90460", "97110", "97112", "Q3014", "G0439", "9001F",
    "81400",
)  # fmt: skip


def _codes() -> Rows:
    yield from ({"code": code} for code in sorted({*CODES, *INVENTED, *REAL}))
    yield {"code": "S9001", "ended": 15_000, "replacement": "S0001"}
    yield {"code": "S9002", "active": False, "replacement": "S0001"}


SETTINGS = ("practitioner", "outpatient")
"""Those whose edits are made."""

FIRST_PAIRS = 20_454
"""2026-01-01, in days since 1970: the first day on which the pairs of outpatient departments are there."""

FEE = {
    "modifier": "", "status": "A", "work": 100, "pe_nonfacility": 150, "pe_facility": 60, "mp": 10, "pctc": "0",
    "global_days": "XXX", "multiple": "0", "bilateral": "0", "assistant": "0", "cosurgeon": "0", "team": "0",
}  # fmt: skip


def _fees() -> Rows:
    """Rows of the fee schedule, each with one thing that is not as usual."""
    unusual: dict[str, dict[str, str]] = {
        "S0200": {"pctc": "1"}, "S0201": {}, "S0202": {"bilateral": "1"}, "S0204": {"bilateral": "2"},
        "S0207": {"global_days": "090"}, "S0208": {"global_days": "010"}, "S0209": {"global_days": "000"},
        "S0400": {"assistant": "1"}, "S0401": {"assistant": "2"}, "S0402": {"cosurgeon": "2", "assistant": "2"},
        "S0403": {"team": "2"}, "S0420": {}, "S0421": {"endo_base": "S0420"}, "S0422": {"endo_base": "S0420"},
        "S0430": {"pctc": "2"}, "S0550": {"pctc": "1"}, "73110": {"pctc": "1"},
        **{f"S041{n}": {"multiple": "2"} for n in range(6)},
    }  # fmt: skip
    yield from ({"code": code, **FEE, **said} for code, said in unusual.items())
    yield from ({"code": "S0200", **FEE, "pctc": "1", "modifier": part} for part in ("26", "TC"))
    for number, status in enumerate("BNXIMCTJ"):
        yield {"code": f"S030{number}", **FEE, "status": status}
    yield {"code": "S0308", **FEE, "global_days": "000", "team": None}


def procedure_rows() -> dict[str, Rows]:
    """Rows by table; a code in them starts with S0 and means nothing."""
    pairs = (("S0100", "S0101", "0"), ("S0102", "S0103", "1"), ("S0104", "S0105", "9"))
    mue = (("S0110", "1", 2), ("S0111", "2", 2), ("S0112", "3", 2))
    return {
        "hcpcs": _codes(),
        "ptp": [
            {"column1": "", "column2": "", "setting": "practitioner"},
            {"column1": "", "column2": "", "setting": "outpatient", "start": FIRST_PAIRS},
            *(
                {"column1": one, "column2": two, "setting": setting, "indicator": indicator}
                for one, two, indicator in pairs
                for setting in SETTINGS
            ),
        ],
        "mue": [
            *({"code": "", "setting": setting} for setting in SETTINGS),
            *(
                {"code": code, "setting": setting, "mai": mai, "units": units}
                for code, mai, units in mue
                for setting in SETTINGS
            ),
        ],
        "rvu": _fees(),
        "addon": [{"code": f"S012{n}", "type": str(n)} for n in (1, 2, 3)],
        "addon_primary": [{"code": f"S012{n}", "primary": "S0120"} for n in (1, 3)],
        "panel": [{"panel": "S0130", "code": code, "parts": 2} for code in ("S0131", "S0132")],
        "panel_part": [{"code": code, "panel": "S0130", "parts": 2} for code in ("S0131", "S0132")],
        "code_limit": [
            {"code": "S0141", "once": "day"},
            {"code": "S0142", "once": "life"},
            {"code": "S0310", "low": 120},
            {"code": "S0311", "sex": "none"},
        ],
        "payer": [
            {"id": "N", "filing_days": 365, "correction_days": 500, "consultations": False},
            {"id": "T", "filing_days": 365, "correction_days": 500, "telehealth_95": True},
            {"id": "S", "filing_days": 365, "correction_days": 500, "member": "A99999999|999-99"},
            {"id": "M", "filing_days": 365, "correction_days": 500, "test_id": True},
        ],
        "anaesthesia": [{"code": "00300", "units": 5}, {"code": "00400", "units": 3}],
        "taxonomy_service": [{"taxonomy": "1223", "family": "S0", "allowed": False}],
        "visit_share": [{"npi": NPIS[5], "share": 0.6, "norm": 0.2}],
        "telehealth": [{"code": "S0501", "audio": False}],
        "drug_price": [
            {"code": code, "price": price}
            for code, price in (("S0151", 100), ("S0510", 100), ("S0511", 100), ("S0514", 10_000))
        ],
        "ndc": [{"ndc": "00000000001", "name": "made"}, {"ndc": "00000000002", "name": "made"}],
        "clia": [{"code": "S0520", "waived": False}, {"code": "S0521", "waived": True}],
        "laboratory": [{"number": "22D1234567", "kind": "waiver"}],
        "preventive": [{"code": "S0540", "months": 12}, {"code": "S0541", "diagnosis": "Z12.11"}],
        "gpci": [{"carrier": "00001", "locality": "01", "work": 1000, "pe": 1000, "mp": 1000}],
        "factor": [{"kind": "standard", "value": 334_009}, {"kind": "apm", "value": 335_675, "end": 15_000}],
        "code_site": [{"code": "S0210", "site": "finger"}],
        "lab_price": [{"code": "S0211", "modifier": "", "price": 1_000}],
        "drug": [
            {"code": "S0151", "kind": "single-dose", "vial": 5.0},
            {"code": "S0510"},
            {"code": "S0511", "kind": "injected"},
            {"code": "S0512", "kind": "vaccine"},
            {"code": "S0513", "kind": "inhaled"},
        ],
        "department": [{"npi": NPIS[4], "off_campus": True}],
        "dmepos": [
            {"code": "S0220", "category": "SU"},
            {"code": "S0530", "category": "IN"},
            {"code": "S0531", "category": "CR"},
            {"code": "S0532", "category": "SU", "order": True},
            {"code": "S0533", "category": "OX"},
        ],
        "opps": [{"code": "S0312", "indicator": "C"}],
        "frequency": [{"code": "S0140", "times": 2, "days": 30}],
        "drug_ndc": [
            {"code": "S0150", "ndc": "00000000001", "units": 10.0},
            *({"code": f"S05{n}", "ndc": "00000000001", "units": 1.0} for n in range(10, 14)),
            {"code": "S0151", "ndc": "00000000001", "units": 1.0},
        ],
    }
