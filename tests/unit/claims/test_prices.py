"""Prices of claim lines: the kernel over columns against plain Decimals, and what it says of how they came about."""

import random
from typing import Any

import numpy as np
import polars as pl
import pytest

from campaigns.claiming.price_line import Book, Line
from campaigns.claiming.price_making import claims, schedule
from campaigns.claiming.price_reference import prices
from campaigns.claiming.tables import table
from claims.price.exact import share
from claims.price.explain import explain
from claims.price.price import Prices
from claims.price.published import published
from claims.price.reasons import REASONS
from claims.sheet.frames import frames
from claims.tables.table import Table

COLUMNS = ("why", "allowed", "payable", "limit")
Case = tuple[dict[str, list[dict[str, Any]]], dict[str, Table], list[dict[str, Any]], pl.DataFrame]


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    """Three fee schedules with claims and their prices."""
    made = []
    for seed in (1, 2, 3):
        rows = schedule(random.Random(seed))
        tables = {name: table(name, listed) for name, listed in rows.items()}
        records = claims(2_800, seed, rows)
        made.append((rows, tables, records, Prices(tables).of_frames(frames(records))))
    return made


def test_prices_equal_plain_decimals(cases: list[Case]) -> None:
    """Price, payment basis, limiting charge and reason of every line are those of formulas written out."""
    lines = 0
    for rows, _, records, found in cases:
        book = Book(rows)
        wanted = [tuple(answer) for record in records for answer in prices(record, book)]
        assert found.select(COLUMNS).rows() == wanted
        lines += len(wanted)
    assert lines >= 20_000


def test_every_circumstance_is_met(cases: list[Case]) -> None:
    """The random claims are priced under each indicator, share, setting and reduction, and refused for each reason."""
    all_ = pl.concat(found for *_, found in cases)
    priced = all_.filter(pl.col("why") == "")
    assert set(all_["why"]) == {reason for reason in REASONS if not reason.endswith("-loaded")}
    for column, values in {
        "method": {"physician", "anaesthesia", "drug", "laboratory"}, "factor_kind": {"standard", "apm", None},
        "component": {"", "26", "TC", "53", None}, "multiple": {0, 1, 2, 3, 4, 5, 6, 7, 9, None},
        "bilateral": {100, 150, None}, "role": {136, 160, 500, 625, 1000, None}, "facility": {True, False, None},
        "capped": {True, False, None}, "participating": {True, False, None}, "percent_1": {50, 75, 80, 100, None},
        "percent_2": {50, 75, 80, 100, None}, "percent_3": {25, 95, 100, None},
    }.items():  # fmt: skip
        assert set(priced[column]) == values, column
    for policy in range(1, 8):
        later = priced.filter((pl.col("multiple") == policy) & (pl.col("rank") > 1))
        assert len(later) > 10, policy
    assert (priced["endoscopy_base"] > 0).sum() > 100
    assert len(set(priced["care"])) > 8


def test_one_claim_and_many_are_priced_alike(cases: list[Case]) -> None:
    """A claim by itself has the prices that it has among others, in every column."""
    _, tables, records, found = cases[0]
    one = Prices(tables)
    for record in records[:150]:
        row = record["claim"]["row"]
        alone = {k: [{**r, "row": 0} for r in v] if k != "claim" else {**v, "row": 0} for k, v in record.items()}
        mine = found.filter(pl.col("row") == row).with_columns(row=pl.lit(0, pl.Int64))
        assert one.of_frames(frames([alone])).equals(mine)


def test_halves_are_rounded_up_once_and_nothing_overflows() -> None:
    """Shares of whole numbers are those of Python's own, also where the product needs more than 64 bits."""
    dice = random.Random(1)
    rows = [(dice.randrange(2**62), dice.randrange(1, 2**22), dice.randrange(2**20, 2**54)) for _ in range(5_000)]
    rows += [(n, 1, 10) for n in range(40)]
    amounts, over, under = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    keep = [(2 * a * b + c) // (2 * c) for a, b, c in rows]
    fits = np.array([k < 2**63 for k in keep])
    found = share(amounts, over, under)
    assert [int(f) for f in found[fits]] == [k for k, ok in zip(keep, fits, strict=True) if ok]


@pytest.mark.parametrize(
    ("table_", "reason", "method"),
    [
        ("rvu", "rvu-not-loaded", None), ("gpci", "gpci-not-loaded", "physician"),
        ("zip", "zip-not-loaded", "physician"),
        ("factor", "factor-not-loaded", "physician"), ("pos", "pos-not-loaded", "physician"),
        ("anaesthesia", "anaesthesia-not-loaded", "anaesthesia"),
        ("anaesthesia_factor", "anaesthesia_factor-not-loaded", "anaesthesia"),
    ],
)  # fmt: skip
def test_no_table_no_price(cases: list[Case], table_: str, reason: str, method: str | None) -> None:
    """Without one of the tables what needs it is not priced, and the line says which; the rest is as before."""
    _, tables, records, before = cases[0]
    some = frames(records[:600])
    found = Prices({name: one for name, one in tables.items() if name != table_}).of_frames(some)
    assert reason in set(found["why"])
    if method is not None:
        assert found.filter((pl.col("method") == method) & pl.col("allowed").is_not_null()).is_empty() or method == (
            "anaesthesia"
        )
    both = found.with_columns(before=before[: len(found)]["allowed"]).filter(pl.col("allowed").is_not_null())
    assert len(both) and (both["allowed"] == both["before"]).all()


def test_nothing_loaded_and_nothing_asked() -> None:
    """With no table no line has a price; a claim without lines gives no rows."""
    rows = schedule(random.Random(1))
    records = claims(20, 1, rows)
    found = Prices({}).of_frames(frames(records))
    assert found["allowed"].null_count() == len(found)
    assert Prices({}).releases == {}
    empty = [{**records[0], "lines": []}]
    made = {name: table(name, listed) for name, listed in rows.items()}
    assert Prices(made).of_frames(frames(empty)).shape == (0, found.width)
    assert Prices(made).releases["rvu"] == "made"


def test_prices_explain_themselves(cases: list[Case]) -> None:
    """Every line has sentences; the last sum is the price, and each reason has its sentence."""
    assert all(REASONS[reason] for reason in REASONS if reason)
    for *_, found in cases:
        for row in found.head(4_000).to_dicts():
            told = explain(row)
            assert told and all(told)
            if row["allowed"] is not None:
                tiers = [(row[f"count_{n}"], row[f"unit_{n}"] or 0) for n in (1, 2, 3)]
                assert sum(count for count, _ in tiers) == (1 if row["method"] == "anaesthesia" else row["units"])
                if row["method"] in ("physician", "anaesthesia"):
                    assert sum(count * unit for count, unit in tiers) == row["allowed"]
                written = f"{row['allowed'] // 100:,}.{row['allowed'] % 100:02d}"
                assert any(text.startswith("Allowed: ") and text.endswith(written) for text in told)


def test_published_amounts(cases: list[Case]) -> None:
    """The amounts of whole schedules, as official lists print them, are those of the formulas."""
    rows, tables, _, _ = cases[0]
    book = Book(rows)
    asked = [
        {"code": row["code"], "modifier": row["modifier"], "carrier": "00000", "locality": "00", "day": 20_400}
        for row in rows["rvu"]
        if row["end"]
    ]
    found = published(tables, pl.DataFrame(asked)).to_dicts()
    compared = 0
    for one, row in zip(found, (r for r in rows["rvu"] if r["end"]), strict=True):
        if row["status"] not in "ART":
            assert one["fee_facility"] is None
            continue
        for pos, setting in (("11", "nonfacility"), ("21", "facility")):
            record = claims(1, 1, rows)[0]
            line = {**record["lines"][0], "code": row["code"], "mods": [row["modifier"]] if row["modifier"] else [],
                    "pos": pos, "service_zip": "10001", "start": 20_400, "units": 1.0}  # fmt: skip
            plain = Line({**record["claim"], "type": None, "qualifying_apm": None}, line, book)
            if plain.why in ("", "split"):
                assert one[f"capped_{setting}"] == int(plain.fee * 100 + plain.fee.__class__("0.5"))
                compared += 1
    assert compared > 300


def _one(lines: list[dict[str, Any]], rvu: list[dict[str, Any]], **claim: Any) -> pl.DataFrame:
    """Prices under a schedule with a factor of 10 dollars and indices of 1."""
    dice = random.Random(1)
    plain = {
        "modifier": "", "status": "A", "work": 0, "pe_nonfacility": 0, "pe_facility": 0, "mp": 0, "pctc": "0",
        "pre": 10, "intra": 70, "post": 20, "multiple": "0", "bilateral": "1", "assistant": "2", "cosurgeon": "1",
        "family": "88",
    }  # fmt: skip
    tables = {
        "rvu": [{**plain, **row} for row in rvu],
        "gpci": [{"carrier": "1", "locality": "1", "work": 1000, "pe": 1000, "mp": 1000}],
        "zip": [{"zip": "10001", "carrier": "1", "locality": "1"}], "pos": [{"code": "11", "facility": False}],
        "factor": [{"kind": "standard", "value": 100_000}],
    }  # fmt: skip
    record = claims(1, 1, schedule(dice, 8))[0]
    record["claim"] |= {"type": "professional", "participating": True, "qualifying_apm": None, **claim}
    record["lines"] = [
        {**record["lines"][0], "row": 0, "mods": [], "units": 1.0, "charge": None, "start": 20_400, "pos": "11",
         "service_zip": "10001", "seq": n, **line} for n, line in enumerate(lines, 1)
    ]  # fmt: skip
    return Prices({name: table(name, rows) for name, rows in tables.items()}).of_frames(frames([record]))


def test_worked_examples() -> None:
    """A few prices that can be checked in the head: RVUs of 10.00 are 100 dollars."""
    surgery = [{"code": "A", "work": 1000, "multiple": "2"}, {"code": "B", "work": 500, "multiple": "2"}]
    assert _one([{"code": "B"}, {"code": "A", "mods": ["50"]}], surgery)["allowed"].to_list() == [2_500, 15_000]
    assert _one([{"code": "A", "units": 3.0}], surgery)["allowed"].to_list() == [20_000]
    assert _one([{"code": "A", "units": 6.0}], surgery)["why"].to_list() == ["sixth"]
    assert _one([{"code": "A", "mods": ["AS"]}], surgery)["allowed"].to_list() == [1_360]
    assert _one([{"code": "A", "mods": ["55"]}], surgery, participating=False).select("allowed", "limit").row(0) == (
        1_900, 2_185
    )  # fmt: skip
    scopes = [
        {"code": "S0", "work": 300, "multiple": "3"},
        {"code": "S1", "work": 1000, "multiple": "3", "endo_base": "S0"},
        {"code": "S2", "work": 400, "multiple": "3", "endo_base": "S0"},
    ]
    found = _one([{"code": "S0"}, {"code": "S1"}, {"code": "S2"}], scopes)
    assert found["allowed"].to_list() == [None, 10_000, 1_000]
    assert found["why"].to_list() == ["endoscopy", "", ""]
    assert _one([{"code": "S0"}], scopes)["allowed"].to_list() == [3_000]
    even = _one([{"code": "S1"}, {"code": "A"}], [*scopes, *surgery])
    assert even.select("allowed", "rank").rows() == [(10_000, 1), (5_000, 2)]
    therapy = [{"code": "T", "work": 100, "pe_nonfacility": 100, "multiple": "5"}]
    assert _one([{"code": "T", "units": 2.0}], therapy)["allowed"].to_list() == [3_500]
    scans = [
        {"code": "I", "work": 100, "pe_nonfacility": 400, "pctc": "1", "multiple": "4"},
        {"code": "I", "modifier": "26", "work": 100, "multiple": "4"},
        {"code": "I", "modifier": "TC", "pe_nonfacility": 400, "multiple": "4", "opps_nonfacility": 300},
    ]
    assert _one([{"code": "I"}], scans)["allowed"].to_list() == [4_000]
    assert _one([{"code": "I"}, {"code": "I"}], scans)["allowed"].to_list() == [4_000, 2_950]


def test_parts_rounded_alone_may_differ_by_a_cent() -> None:
    """A global service is rounded once: its two parts billed apart can come to a cent more or less."""
    rvu = [
        {"code": "I", "work": 1, "mp": 1, "pctc": "1"}, {"code": "I", "modifier": "26", "work": 1},
        {"code": "I", "modifier": "TC", "mp": 1},
    ]  # fmt: skip
    lines = [{"code": "I"}, {"code": "I", "mods": ["26"]}, {"code": "I", "mods": ["TC"]}]
    found = _one(lines, rvu)
    assert found["allowed"].to_list() == [20, 10, 10]
    assert _one([{**line, "charge": 15} for line in lines], rvu)["payable"].to_list() == [15, 10, 10]


def test_a_price_in_fractions_of_a_cent_says_when_it_is_rounded() -> None:
    """2 × 5.317 are 10.63: who multiplies the 5.32 that is shown is told why it is not 10.64."""
    row: dict[str, Any] = {"why": None, "method": "drug", "fee": 532, "units": 2, "allowed": 1063, "payable": 1063}
    row |= {"role": 0, "participating": None, "assumed": False, "count_1": 0, "count_2": 0, "count_3": 0}
    assert explain(row)[0].endswith("5.32 for one unit, 2 of them; rounded after the units are multiplied")
    assert explain({**row, "allowed": 1064})[0].endswith("2 of them")
