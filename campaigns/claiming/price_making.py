"""An invented fee schedule with every indicator value, and claims that meet all of it."""

from __future__ import annotations

import random
from typing import Any

from claims.sheet.schema import CLAIM, COLLECTIONS

Row = dict[str, Any]
Rows = dict[str, list[Row]]
FIRST, CHANGE, LAST = 20_300, 20_454, 20_600  # the second release begins on 2026-01-01
ZIPS = ("10001", "20002", "30003", "40004", "99999")
STATUSES = "AAAAAAAAAAAAAAAAAAAARRTTBCEIJMNPXD"
POLICIES = "01234567" + "123456779"
KINDS = "011111112345678" + "9"
PLACES = {"11": False, "12": False, "21": True, "22": True, "24": True, "31": True, "41": None}
MODIFIERS = (
    "26", "TC", "53", "50", "52", "22", "66", "54", "55", "56", "78", "62", "80", "81", "82", "AS", "QK", "QX", "QY",
    "AD", "AA", "QZ", "CQ", "FX", "QW", "25", "59", "LT", "RT",
)  # fmt: skip
_EMPTY = {name: dict.fromkeys(columns) for name, columns in {"claim": CLAIM, **COLLECTIONS}.items()}


def schedule(dice: random.Random, codes: int = 260) -> Rows:
    """Rows of all the tables that prices ask, in two releases."""
    found: Rows = {name: [] for name in ("rvu", "gpci", "factor", "anaesthesia_factor")}
    for start, end in ((None, CHANGE - 1), (CHANGE, None)):
        _release(dice, codes, {"start": start, "end": end}, found)
    found["zip"] = [
        {"zip": z, "state": "MA", "carrier": f"0000{n % 2}", "locality": f"0{n}"} for n, z in enumerate(ZIPS[:4])
    ]
    found["pos"] = [{"code": code, "facility": facility} for code, facility in PLACES.items()]
    found["anaesthesia"] = [{"code": f"N{n:04d}", "units": n} for n in (0, 1, 3, 5, 15)] + [
        {"code": "01996", "units": 3}
    ]
    found["drug_price"] = [{"code": f"J{n:04d}", "price": dice.randrange(1, 900_000)} for n in range(8)]
    found["lab_price"] = [
        {"code": f"L{n:04d}", "modifier": modifier, "price": dice.randrange(100, 90_000)}
        for n in range(6)
        for modifier in (("", "QW") if n % 2 else ("",))
    ]
    found["registered"] = [
        {"npi": "1", "tax": "1", "participating": False},
        {"npi": "2", "tax": "2", "participating": True},
    ]
    return found


def _release(dice: random.Random, codes: int, period: Row, found: Rows) -> None:
    for carrier, locality in (("00000", "00"), ("00001", "01"), ("00000", "02")):  # the fourth has none
        indices = {name: dice.randrange(600, 1_900) for name in ("work", "pe", "mp")}
        found["gpci"].append({"carrier": carrier, "locality": locality, **indices, **period})
        value = dice.randrange(180_000, 260_000)
        apm = value + 1_021 if period["start"] and locality != "02" else None
        factor = {"carrier": carrier, "locality": locality, "value": value, "apm": apm, **period}
        found["anaesthesia_factor"].append(factor)
    standard = {"kind": "standard", "value": dice.randrange(320_000, 340_000), **period}
    found["factor"].append({**standard, "start": period["start"] or FIRST})
    if period["start"]:
        found["factor"].append({"kind": "apm", "value": dice.randrange(340_000, 350_000), **period})
    for number in range(codes):
        found["rvu"] += [{**row, **period} for row in _rows(dice, number)]
    found["rvu"] += [{**_row(dice, f"N{n:04d}", ""), "status": "J", **period} for n in range(3)]
    found["rvu"] += [
        {**_row(dice, f"{letter}{n:04d}", ""), "status": "X", **period} for n in range(4) for letter in "JL"
    ]


def _rvus(dice: random.Random) -> Row:
    scale = dice.choice((10, 300, 3_000, 60_000))
    return {name: dice.randrange(scale) for name in ("work", "pe_nonfacility", "pe_facility", "mp")}


def _row(dice: random.Random, code: str, modifier: str) -> Row:
    care = dice.choice(((0, 0, 0), (10, 70, 20), (8, 81, 11), (9, 91, 0), (10, 69, 21)))
    return {
        "code": code, "modifier": modifier, "status": dice.choice(STATUSES), **_rvus(dice),
        "na_nonfacility": dice.choice(("", "NA")), "na_facility": dice.choice(("", "NA")),
        "pctc": dice.choice(KINDS), "global_days": "XXX", "pre": care[0], "intra": care[1], "post": care[2],
        "multiple": dice.choice(POLICIES), "bilateral": dice.choice("01239"), "assistant": dice.choice("00122229"),
        "cosurgeon": dice.choice("01129"), "team": dice.choice("0129"),
        "endo_base": dice.choice(("", None)), "supervision": "09",
        "family": dice.choice(("88", "88", "99", "")),
    }  # fmt: skip


def _rows(dice: random.Random, number: int) -> list[Row]:
    """A code with the rows of its parts. The first codes are bases of endoscopies."""
    code = f"A{number:04d}"
    whole = _row(dice, code, "")
    if number < 4:
        whole |= {"multiple": "3", "status": "A", "pctc": "0"}
    elif whole["multiple"] == "3":
        whole["endo_base"] = dice.choice(("", "A9999", *("A0000", "A0001", "A0002", "A0003") * 4))
    rows = [whole]
    if whole["pctc"] == "1" and dice.random() < 0.97:
        rows += _parts(dice, whole)
    elif whole["pctc"] == "6":
        rows.append({**whole, **_rvus(dice), "modifier": "26"})
    elif whole["pctc"] == "3":
        rows[0] = {**whole, **_cap(dice, whole)}
    if dice.random() < 0.1:
        rows.append({**whole, **_rvus(dice), "modifier": "53"})
    return rows


def _parts(dice: random.Random, whole: Row) -> list[Row]:
    """The professional and the technical row; the global one is their sum, as in the official file."""
    reading = {**whole, **_rvus(dice), "modifier": "26"}
    technical = {**whole, **_rvus(dice), "work": 0, "modifier": "TC"}
    for name in ("work", "pe_nonfacility", "pe_facility", "mp"):
        whole[name] = reading[name] + technical[name]
    if dice.random() < 0.05:
        technical["status"] = "C"
    return [reading, technical | _cap(dice, technical)]


def _cap(dice: random.Random, row: Row) -> Row:
    if dice.random() < 0.4:
        return {}
    names = (("opps_nonfacility", "pe_nonfacility"), ("opps_facility", "pe_facility"), ("opps_mp", "mp"))
    return {cap: row[name] * dice.choice((20, 45, 70, 90, 100, 130)) // 100 for cap, name in names}


def claim(dice: random.Random, number: int, codes: list[str], themes: dict[str, list[str]]) -> Row:
    """A record of the sheet with lines that meet each other."""
    record: Row = {name: [] for name in COLLECTIONS}
    day = dice.choice((*(dice.randrange(FIRST, LAST) for _ in range(40)), CHANGE - 1, CHANGE, FIRST - 1, None))
    record["claim"] = _EMPTY["claim"] | {
        "row": number, "type": dice.choice(("professional",) * 40 + (None, "institutional")),
        "provider_npi": dice.choice(("1", "2", "3")), "provider_tax": dice.choice(("1", "2")),
        "participating": dice.choice((True, True, False, None)), "qualifying_apm": dice.choice((True, False, None)),
        "start": day, "first_service": day, "facility_zip": dice.choice((None, *ZIPS[:3])),
        "patient_zip": dice.choice((None, *ZIPS[:3])), "provider_zip": dice.choice((*ZIPS[:3] * 8, *ZIPS, None)),
    }  # fmt: skip
    theme = dice.choice([*themes.values(), codes])
    usual = dice.choice(("11", "11", "22"))
    for seq in range(1, dice.choice((1, 1, 2, 3, 4, 5, 8)) + 1):
        record["lines"].append(
            _line(dice, number, seq, day, dice.choice(theme if dice.random() < 0.8 else codes), usual)
        )
    return record


def _line(dice: random.Random, number: int, seq: int, day: int | None, code: str, usual: str) -> Row:
    busy = dice.random() < 0.35
    mods = dice.sample(MODIFIERS, dice.choice((1, 1, 1, 2, 2, 3))) if busy else []
    if code[0] in "N0":
        mods = [*mods[:1], *dice.sample(("AA", "QZ", "QK", "QX", "QY", "AD"), dice.choice((1, 1, 1, 1, 0, 2)))]
    elif code[0] == "L" and dice.random() < 0.5:
        mods = ["QW"]
    return _EMPTY["lines"] | {
        "row": number, "seq": seq, "code": dice.choice((code,) * 60 + (None, "ZZZZZ")), "mods": mods,
        "units": dice.choice((1.0,) * 40 + (2.0,) * 8 + (3.0, 3.0, 4.0, 6.0, 40.0, 0.0, 1.5, None)),
        "minutes": dice.choice((None, 0, 1, 7, 8, 22, 53, 113, 600, 20_000)),
        "start": dice.choice((day,) * 12 + (None if day is None else day + 1, None)),
        "charge": dice.choice((None, *(dice.randrange(1, 10**7) for _ in range(6)))),
        "pos": dice.choice((usual,) * 60 + (*PLACES, "77", None)),
        "service_zip": dice.choice((None,) * 9 + ("100011234", *ZIPS[:4])),
    }  # fmt: skip


def claims(count: int, seed: int, rows: Rows) -> list[Row]:
    """Records numbered from 0."""
    dice = random.Random(seed)
    listed = sorted({row["code"] for name in ("rvu", "anaesthesia", "drug_price", "lab_price") for row in rows[name]})
    themes: dict[str, list[str]] = {}
    for row in rows["rvu"]:
        if row["modifier"] == "" and row["status"] in "ART":
            themes.setdefault(row["multiple"], []).append(row["code"])
            if row["endo_base"]:
                themes.setdefault(row["endo_base"], [row["endo_base"]]).append(row["code"])
    themes["other"] = [code for code in listed if code[0] != "A"]
    return [claim(dice, number, listed, themes) for number in range(count)]
