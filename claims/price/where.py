"""Where, when and for whom each line was done: what its price depends on apart from the code.

The locality is that of the ZIP code of the place of service (Medicare Claims Processing Manual, chapter 1, 10.1.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from claims.price.ask import SMALL, Loaded, same, texts, whole
from claims.price.exact import Array

Frames = Mapping[str, pl.DataFrame]
TWO_FACTORS = 20_454
"""2026-01-01: from then on qualifying participants of advanced payment models have a factor of their own."""

KINDS = ("standard", "apm")


@dataclass(frozen=True)
class Where:
    """Of each line: 0 and above are rows or numbers, -1 is "not known"; days are -1 where they are not said."""

    days: Array
    facility: Array  # 1 in a facility, 0 outside, -1 not known
    has_zip: Array
    place: Array  # number of a distinct locality and day
    carriers: pl.Series  # by place, and null at the end for none
    localities: pl.Series
    gpci: Array  # row by place, -1 at the end
    anaesthesia: Array  # the same
    indices: Array  # work, practice expense, malpractice by line, in thousandths
    factor: Array  # ten-thousandths of a dollar by line, 0 where there is none
    kind: Array  # of KINDS
    participating: Array
    assumed: Array  # nobody says whether the provider takes part


def where(frames: Frames, loaded: Loaded) -> Where:
    """Ask the tables of places for every line."""
    lines, claims = frames["lines"], frames["claims"]
    rows = whole(lines["row"])
    days = whole(lines["start"], -1)
    days = np.where(days < 0, whole(claims["start"], -1)[rows], days)
    zips = _zips(frames)
    facility = np.full(len(lines), -1)
    if "pos" in loaded:
        facility = loaded.numbers("pos", "facility", -1)[loaded.find("pos", [lines["pos"]], days)]
    place, carriers, localities, on = _places(loaded, zips, days)
    gpci = loaded.find("gpci", [carriers, localities], on)
    indices = np.zeros((3, len(lines)), np.int64)
    if "gpci" in loaded:
        at = gpci[place]
        indices = np.stack([loaded.numbers("gpci", name)[at] for name in ("work", "pe", "mp")])
    kind = whole(claims["qualifying_apm"].cast(pl.Int64))[rows]
    participating, assumed = _participation(frames, loaded)
    return Where(
        days, facility, zips.is_not_null().to_numpy(), place, carriers, localities, gpci,
        loaded.find("anaesthesia_factor", [carriers, localities], on), indices, _factors(loaded, days, kind), kind,
        participating, assumed,
    )  # fmt: skip


def _zips(frames: Frames) -> pl.Series:
    """The line's place, else the patient's home where that is the place, the facility, the billing provider."""
    lines, claims = frames["lines"], frames["claims"]
    rows = whole(lines["row"])
    patient, facility, provider = (texts(claims[f"{who}_zip"], rows) for who in ("patient", "facility", "provider"))
    if len(rows) <= SMALL:
        home = [zip_ if pos == "12" else None for pos, zip_ in zip(lines["pos"], patient, strict=True)]
        said = zip(lines["service_zip"], home, facility, provider, strict=True)
        return pl.Series([next((z[:5] for z in four if z is not None), None) for four in said], dtype=pl.String)
    home_ = pl.when(lines["pos"] == "12").then(patient)
    return pl.select(pl.coalesce(lines["service_zip"], home_, facility, provider).str.slice(0, 5)).to_series()


def _places(loaded: Loaded, zips: pl.Series, days: Array) -> tuple[Array, pl.Series, pl.Series, Array]:
    """The distinct pairs of locality and day: number of each line, carriers, localities, days."""
    rows = loaded.find("zip", [zips], days)
    known = rows >= 0
    distinct, back = np.unique(rows[known] << 20 | days[known], return_inverse=True)
    place = np.full(len(days), -1)
    place[known] = back
    nothing = pl.Series([None], dtype=pl.String)
    if not len(distinct):
        return place, nothing, nothing, np.array([-1])
    zones = loaded.tables["zip"].values
    carriers, localities = (texts(zones[name], distinct >> 20).append(nothing) for name in ("carrier", "locality"))
    return place, carriers, localities, np.append(distinct & (1 << 20) - 1, -1)


def _factors(loaded: Loaded, days: Array, kind: Array) -> Array:
    if "factor" not in loaded:
        return np.zeros(len(days), np.int64)
    distinct, back = np.unique(days, return_inverse=True)
    values = loaded.numbers("factor", "value")
    by_kind = [values[loaded.find("factor", [same(name, len(distinct))], distinct)] for name in KINDS]
    by_kind[1] = np.where((by_kind[1] == 0) & (distinct < TWO_FACTORS), by_kind[0], by_kind[1])
    found: Array = np.stack(by_kind)[kind, back]
    return found


def _participation(frames: Frames, loaded: Loaded) -> tuple[Array, Array]:
    """Whether the billing provider takes part, and where nobody says so and it is taken for granted."""
    claims, rows = frames["claims"], whole(frames["lines"]["row"])
    said = whole(claims["participating"].cast(pl.Int64), -1)
    if "registered" in loaded:
        keys = [claims["provider_npi"], claims["provider_tax"]]
        found = loaded.find("registered", keys, whole(claims["first_service"], -1))
        said = np.where(said < 0, loaded.numbers("registered", "participating", -1)[found], said)
    by_line = said[rows]
    return by_line != 0, by_line < 0
