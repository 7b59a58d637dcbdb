"""Small made-up tables of codes, pairs, units and services for the rules of procedures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from campaigns.claiming.making import CODES

Rows = Iterable[Mapping[str, Any]]
INVENTED = [f"S{number:04d}" for number in range(1_000)]
REAL = (
    "99202", "99204", "99205", "99214", "99215", "99221", "99222", "99238", "99242", "99284", "99285", "99291", "99292",
    "99394", "99396", "99417", "73110", "00300", "00400", "01999", "A0425", "A0429", "J3490", "E1399", "36416",
    "59400", "59425", "45385", "S0630", "96372", "90460", "97110", "97112", "Q3014", "G0439", "9001F", "81400",
)  # fmt: skip


def _codes() -> Rows:
    yield from ({"code": code} for code in sorted({*CODES, *INVENTED, *REAL}))
    yield {"code": "S9001", "ended": 15_000, "replacement": "S0001"}
    yield {"code": "S9002", "active": False, "replacement": "S0001"}


def procedure_rows() -> dict[str, Rows]:
    """Rows by table; a code in them starts with S0 and means nothing."""
    pairs = (("S0100", "S0101", "0"), ("S0102", "S0103", "1"), ("S0104", "S0105", "9"))
    mue = (("S0110", "1", 2), ("S0111", "2", 2), ("S0112", "3", 2))
    return {
        "hcpcs": _codes(),
        "ptp": [
            {"column1": one, "column2": two, "setting": setting, "indicator": indicator}
            for one, two, indicator in pairs
            for setting in ("practitioner", "outpatient")
        ],
        "mue": [
            {"code": code, "setting": setting, "mai": mai, "units": units}
            for code, mai, units in mue
            for setting in ("practitioner", "outpatient")
        ],
        "addon": [{"code": f"S012{n}", "type": str(n)} for n in (1, 2, 3)],
        "addon_primary": [{"code": f"S012{n}", "primary": "S0120"} for n in (1, 3)],
        "panel": [{"panel": "S0130", "code": code, "parts": 2} for code in ("S0131", "S0132")],
        "panel_part": [{"code": code, "panel": "S0130", "parts": 2} for code in ("S0131", "S0132")],
        "code_limit": [{"code": "S0141", "once": "day"}, {"code": "S0142", "once": "life"}],
        "frequency": [{"code": "S0140", "times": 2, "days": 30}],
        "drug_ndc": [{"code": "S0150", "ndc": "00000000001", "units": 10.0}],
    }
