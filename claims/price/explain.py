"""How a price came about, in words: the way from RVUs to cents, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from claims.price.fee import EYE, HEART, IMAGING, THERAPY
from claims.price.reasons import REASONS

_ROLES = {625: "Modifier 62, co-surgeon: 62.5 %", 160: "Modifier 80, 81 or 82, assistant at surgery: 16 %",
          136: "Modifier AS, assistant who is no physician: 85 % of 16 %, 13.6 %"}  # fmt: skip
_PARTS = {"26": "professional part", "TC": "technical part", "53": "discontinued procedure"}
Row = Mapping[str, Any]


def explain(row: Row) -> list[str]:
    """Sentences for a row of `Prices.of_frames`, in the order in which the price is reckoned."""
    if row["why"]:
        return [f"Not priced. {REASONS[row['why']]}"]
    return [*_ways[row["method"]](row), *_end(row)]


def dollars(cents: int) -> str:
    """An amount as it is written."""
    return f"{cents // 100:,}.{cents % 100:02d}"


def _physician(row: Row) -> Iterator[str]:
    place = "in a facility" if row["facility"] else "outside a facility"
    yield f"Locality {row['carrier']}/{row['locality']}, {place}"
    part = _PARTS.get(row["component"])
    values = (
        f"({row['work'] / 100:.2f} × {row['gpci_work'] / 1000:.3f} + {row['pe'] / 100:.2f} × "
        f"{row['gpci_pe'] / 1000:.3f} + {row['mp'] / 100:.2f} × {row['gpci_mp'] / 1000:.3f})"
    )
    fee = f"× {row['factor'] / 10_000:.4f} ({row['factor_kind']}) = {dollars(row['fee'])}"
    capped = ", its technical part no more than the hospital outpatient amount" if row["capped"] else ""
    yield f"Work, practice expense and malpractice{f' of the {part}' if part else ''}: {values} {fee}{capped}"
    if row["rare"]:
        yield "The fee schedule says that the service is rarely or never done in this setting"
    if row["bilateral"] != 100:
        yield f"Modifier 50, both sides: {row['bilateral']} %"
    yield from _several(row)
    if row["care"] != 100:
        yield f"Modifier 54, 55, 56 or 78, part of the care: {row['care']} %"


def _several(row: Row) -> Iterator[str]:
    """Reductions because of other services of the day."""
    tiers = [(row[f"count_{n}"], row[f"percent_{n}"]) for n in (1, 2, 3)]
    units = ", ".join(f"{count} at {percent} %" for count, percent in tiers if count)
    policy = row["multiple"]
    if not row["rank"]:
        return
    if policy == THERAPY and tiers[1][0]:
        yield f"Several therapy units of the day: {tiers[1][0]} with 50 % of the practice expense"
    elif policy in (IMAGING, HEART, EYE):
        if units != f"{tiers[0][0]} at 100 %":
            yield f"Several tests of the day: units by the share of the technical part: {units}"
        if (tiers[0][0] and tiers[2][1] != 100) or (policy == IMAGING and tiers[1][0]):
            yield "Several readings of the day: those after the first at 95 %"
    elif policy in (1, 2, 3) and units != "1 at 100 %":
        yield f"Several procedures of the day, place {row['rank']} by fee: units {units}"
    if row["endoscopy_base"] and tiers[1][0]:
        yield f"Endoscopies of one family: less the base endoscopy, {dollars(row['endoscopy_base'])}"


def _anaesthesia(row: Row) -> Iterator[str]:
    yield f"Locality {row['carrier']}/{row['locality']}"
    units = f"({row['base_units']} base units + {row['time_tenths'] / 10:.1f} of time)"
    yield f"Anaesthesia: {units} × {row['factor'] / 10_000:.4f} ({row['factor_kind']}) = {dollars(row['fee'])}"
    if row["role"] == 500:
        yield "Medical direction (QK, QX, QY): 50 %"


def _listed(row: Row) -> Iterator[str]:
    what = "Average sales price" if row["method"] == "drug" else "Clinical laboratory fee schedule"
    rounded = "" if row["fee"] * row["units"] == row["allowed"] else "; rounded after the units are multiplied"
    yield f"{what}: {dollars(row['fee'])} for one unit, {row['units']} of them{rounded}"


_ways = {"physician": _physician, "anaesthesia": _anaesthesia, "drug": _listed, "laboratory": _listed}


def _end(row: Row) -> Iterator[str]:
    if row["role"] in _ROLES:
        yield _ROLES[row["role"]]
    if row["participating"] is False:
        yield f"The provider does not participate: 95 %; the limiting charge is {dollars(row['limit'])}"
    elif row["assumed"]:
        yield "Nothing says whether the provider participates; it is taken for granted"
    sums = [f"{row[f'count_{n}']} × {dollars(row[f'unit_{n}'])}" for n in (1, 2, 3) if row[f"count_{n}"]]
    if row["method"] in ("physician", "anaesthesia") and sums:
        yield f"Allowed: {' + '.join(sums)} = {dollars(row['allowed'])}"
    else:
        yield f"Allowed: {dollars(row['allowed'])}"
    if row["payable"] < row["allowed"]:
        yield f"The charge is lower: {dollars(row['payable'])} is what payment rests on"
