"""Small made-up tables by which the made claims are sound."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from campaigns.claiming.making import CODES, NPIS
from campaigns.claiming.tables_institutional import institutional_rows
from campaigns.claiming.tables_procedures import procedure_rows
from claims.tables.own import own_tables
from claims.tables.schema import TABLES
from claims.tables.store import shaped
from claims.tables.table import Table

Rows = Iterable[Mapping[str, Any]]


def made_tables() -> dict[str, Table]:
    """Every table that rules ask, and ours where none is made."""
    return own_tables() | {name: table(name, rows) for name, rows in made_rows().items()}


def made_rows() -> dict[str, Rows]:
    """The rows of every table that is made; those of each part follow each other."""
    made: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for found in (_rows(), procedure_rows(), institutional_rows()):
        for name, rows in found.items():
            made[name] += rows
    return dict(made)


def table(name: str, rows: Rows) -> Table:
    """A table with these rows, which hold on every day unless they say otherwise."""
    return Table.of(TABLES[name], framed(name, rows), "made")


def framed(name: str, rows: Rows) -> pl.DataFrame:
    """The rows of a table as a frame."""
    listed = list(rows)
    names = list(dict.fromkeys(key for row in listed for key in row))
    frame = pl.DataFrame([{n: row.get(n) for n in names} for row in listed], infer_schema_length=None)
    return shaped(frame, TABLES[name])


def _rows() -> dict[str, Rows]:
    rvu = {
        "status": "A", "work": 100, "pe_nonfacility": 150, "pe_facility": 60, "mp": 10, "pctc": "0",
        "global_days": "XXX", "multiple": "0", "bilateral": "0", "assistant": "0", "cosurgeon": "0", "team": "0",
    }  # fmt: skip
    found: dict[str, Rows] = {
        "state": [{"code": c} for c in ("MA", "TX", "CA")],
        "zip": [
            {"zip": z, "state": s, "carrier": "00001", "locality": "01"}
            for z, s in (("01103", "MA"), ("78701", "TX"), ("93701", "CA"))
        ],
        "payer": [
            {"id": "12345", "filing_days": 365, "correction_days": 500, "review": 2_000_000, "referral": False,
             "most_times": 400, "consultations": True, "medicare": False},
            {"id": "R", "filing_days": 365, "correction_days": 500, "review": 2_000_000, "referral": True},
        ],
        "nppes": [{"npi": n, "organisation": place % 2 == 0} for place, n in enumerate(NPIS)],
        "registered": [
            {"npi": NPIS[0], "tax": "043456789", "participating": True},
            {"npi": NPIS[2], "tax": "078051120", "participating": True},
        ],
        "ordering": [{"npi": NPIS[1]}],
        "excluded": [{"npi": NPIS[3], "reason": "made"}],
        "taxonomy": [
            *({"code": c, "individual": True} for c in ("207R00000X", "1223D0004X")),
            *({"code": c, "individual": False} for c in ("332B00000X", "343900000X")),
        ],
        "ein_prefix": [{"prefix": "04"}],
        "pos": [
            {"code": c, "facility": c in ("21", "22", "23", "24"), "inpatient": c == "21", "dme": c in ("10", "12")}
            for c in ("02", "10", "11", "12", "21", "22", "23", "24", "81")
        ],
        "rvu": [
            *({"code": c, "modifier": "", **rvu} for c in (*CODES, "99214", "99221", "99284")),
            {"code": "S0001", "modifier": "", **rvu, "na_nonfacility": "NA"},
            {"code": "S0002", "modifier": "", **rvu, "pctc": "5"},
            {"code": "S0003", "modifier": "", **rvu, "pctc": "3"},
            {"code": "S0007", "modifier": "", **rvu, "opps_nonfacility": 30, "opps_mp": 2, "pctc": "3"},
            {"code": "S0008", "modifier": "", **rvu, "work": 0, "pe_nonfacility": 0, "mp": 1},
        ],
        "code_limit": [{"code": "S0004", "per_day": True, "ranged": True}],
        "asc": [{"code": "S0005"}],
        "authorisation": [{"payer": "12345", "code": "S0006"}],
        "authorised": [{"number": "AU1", "code": "S0006", "units": 1.0}],
    }  # fmt: skip
    return found
