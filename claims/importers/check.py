"""Hold published prices against our own: what does not give them to the cent is not taken, or no longer asked.

https://www.cms.gov/medicare/payment/fee-schedules/physician/carrier-specific-files

A list that disagrees is refused, and the relative values of the same release are withdrawn (docs/adr/0052).
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from claims.price.published import SETTINGS, published
from claims.sheet.values import EPOCH
from claims.tables.store import Prepared, Release, open_tables, read_rows, releases, withdraw
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
        wrong = _wrong(tables, prepared.release, prepared.rows)
        if wrong:
            raise refusal(f"{wrong}{_withdrawn(dir, prepared.release)}")


def recheck(dir: Path | str, written: list[Prepared]) -> None:
    """Hold the lists that are loaded against a schedule that was written just now; refuse and withdraw it."""
    if not any(prepared.release.table in NEEDED for prepared in written):
        return
    tables = open_tables(dir, NEEDED)
    if set(NEEDED) - set(tables):
        return
    for release in releases(dir):
        if release.table in OURS and not release.withdrawn:
            wrong = _wrong(tables, release, read_rows(dir, release))
            if wrong and (withdrawn := _withdrawn(dir, release)):
                raise refusal(f"{wrong}{withdrawn}")


def _withdrawn(dir: Path | str, of: Release) -> str:
    """Withdraw the relative values of the release of a list; what is said of it, nothing where they are of another."""
    same = [r for r in releases(dir) if r.table == "rvu" and r.name == of.name and not r.withdrawn]
    for release in same:
        withdraw(dir, release)
    return f"; the fee schedule {of.name} is withdrawn until it is loaded again" if same else ""


def _wrong(tables: dict[str, Table], release: Release, rows: pl.DataFrame) -> str:
    """What is wrong with the prices of a list; nothing where they are ours."""
    if release.start is None:
        return ""
    day = pl.lit(release.start.toordinal() - EPOCH, pl.Int64).alias("day")
    ours = published(tables, rows.select("code", "modifier", "carrier", "locality", day))
    wrong = pl.Series([False]).new_from_index(0, len(rows))
    for setting in SETTINGS:
        printed, one, other = rows[setting], *(ours[f"{name}_{setting}"] for name in OURS[release.table])
        known = one.is_not_null() | other.is_not_null()
        equal = (printed == one).fill_null(False) | (printed == other).fill_null(False)
        wrong |= known & ~equal & (printed > 0)
    if not wrong.any():
        return ""
    first = rows.row(int(wrong.arg_true()[0]), named=True)
    place = f"{first['code']} {first['modifier']}".strip() + f" in {first['carrier']} {first['locality']}"
    return (
        f"{int(wrong.sum())} of {len(rows)} prices are not those of the loaded fee schedule, the first is {place}: "
        "the files are of different releases or damaged"
    )
