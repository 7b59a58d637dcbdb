"""Hold published prices against our own: a release that does not give them to the cent is not taken.

https://www.cms.gov/medicare/payment/fee-schedules/physician/carrier-specific-files
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from claims.price.published import SETTINGS, published
from claims.sheet.values import EPOCH
from claims.tables.store import Prepared, open_tables
from claims.tables.table import Table
from terminology.importers.given import refusal

NEEDED = ("rvu", "gpci", "factor")
OURS = {"price_list": ("fee", "capped"), "opps_cap": ("cap", "capped")}
"""Which of our amounts a list may print: with the outpatient cap or before it, as the file has it."""


def check(dir: Path | str, found: list[Prepared]) -> None:
    """Refuse lists of prices that the schedule of their days does not give; of those not loaded nothing is said."""
    lists = [prepared for prepared in found if prepared.release.table in OURS]
    if not lists:
        return
    tables = open_tables(dir, NEEDED)
    if set(NEEDED) - set(tables):
        needless = all(prepared.release.table != "price_list" for prepared in lists)
        if needless:
            return
        raise refusal("The prices cannot be checked: load pprrvu and gpci of the same release first")
    for prepared in lists:
        _held(tables, prepared)


def _held(tables: dict[str, Table], prepared: Prepared) -> None:
    release, rows = prepared.release, prepared.rows
    if release.start is None:
        return
    day = pl.lit(release.start.toordinal() - EPOCH, pl.Int64).alias("day")
    ours = published(tables, rows.select("code", "modifier", "carrier", "locality", day))
    wrong = pl.Series([False]).new_from_index(0, len(rows))
    for setting in SETTINGS:
        printed, one, other = rows[setting], *(ours[f"{name}_{setting}"] for name in OURS[release.table])
        known = one.is_not_null() | other.is_not_null()
        equal = (printed == one).fill_null(False) | (printed == other).fill_null(False)
        wrong |= known & ~equal & (printed > 0)
    if wrong.any():
        first = rows.row(int(wrong.arg_true()[0]), named=True)
        place = f"{first['code']} {first['modifier']}".strip() + f" in {first['carrier']} {first['locality']}"
        raise refusal(
            f"{int(wrong.sum())} of {len(rows)} prices are not those of the loaded fee schedule, the first is {place}: "
            "the files are of different releases or damaged"
        )
