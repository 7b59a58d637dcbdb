"""Where, when and for whom each line was done: what its price depends on apart from the code.

The locality is that of the ZIP code of the place of service (Medicare Claims Processing Manual, chapter 1, 10.1.1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from claims.price.ask import Columns, Loaded, among, flags, same, texts, whole
from claims.price.exact import Array
from claims.tables.columns import Coded, coded
from claims.tables.columns import distinct as of_distinct

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
    carriers: Coded  # by place, and null at the end for none
    localities: Coded
    gpci: Array  # row by place, -1 at the end
    anaesthesia: Array  # the same
    indices: Array  # work, practice expense, malpractice by line, in thousandths
    factor: Array  # ten-thousandths of a dollar by line, 0 where there is none
    kind: Array  # of KINDS
    participating: Array
    assumed: Array  # nobody says whether the provider takes part


def where(asked: Columns, loaded: Loaded) -> Where:
    """Ask the tables of places for every line."""
    rows = whole(asked("lines", "row"))
    days = whole(asked("lines", "start"), -1)
    days = np.where(days < 0, whole(asked("claims", "start"), -1)[rows], days)
    zips = _zips(asked, rows)
    facility = np.full(len(rows), -1)
    if "pos" in loaded:
        facility = loaded.numbers("pos", "facility", -1)[loaded.find("pos", [texts(asked("lines", "pos"))], days)]
    place, carriers, localities, on = _places(loaded, zips, days)
    gpci = loaded.find("gpci", [carriers, localities], on)
    indices = np.zeros((3, len(rows)), np.int64)
    if "gpci" in loaded:
        at = gpci[place]
        indices = np.stack([loaded.numbers("gpci", name)[at] for name in ("work", "pe", "mp")])
    kind = flags(asked("claims", "qualifying_apm")).true.astype(np.int64)[rows]
    participating, assumed = _participation(asked, rows, loaded)
    return Where(
        days, facility, zips.numbers >= 0, place, carriers, localities, gpci,
        loaded.find("anaesthesia_factor", [carriers, localities], on), indices, _factors(loaded, days, kind), kind,
        participating, assumed,
    )  # fmt: skip


def _zips(asked: Columns, rows: Array) -> Coded:
    """The line's place, else the patient's home where that is the place, the facility, the billing provider."""
    home = among(texts(asked("lines", "pos")), ("12",))
    found = np.full(len(rows), -1)
    values: list[str] = []
    for frame, name, meant in (
        ("lines", "service_zip", True), ("claims", "patient_zip", home), ("claims", "facility_zip", True),
        ("claims", "provider_zip", True),
    ):  # fmt: skip
        column = texts(asked(frame, name))
        numbers = column.numbers if frame == "lines" else column.numbers[rows]
        found = np.where((found < 0) & (numbers >= 0) & meant, numbers + len(values), found)
        values += [value[:5] for value in column.values]
    short = of_distinct(values)
    return Coded(short.values, np.append(short.numbers, -1)[found])


def _places(loaded: Loaded, zips: Coded, days: Array) -> tuple[Array, Coded, Coded, Array]:
    """The distinct pairs of locality and day: number of each line, carriers, localities, days."""
    rows = loaded.find("zip", [zips], days)
    known = rows >= 0
    distinct, back = np.unique(rows[known] << 20 | days[known], return_inverse=True)
    place = np.full(len(days), -1)
    place[known] = back
    nothing = Coded((), np.array([-1]))
    if not len(distinct):
        return place, nothing, nothing, np.array([-1])
    zones, at = loaded.tables["zip"].laid, np.append(distinct >> 20, -1)
    carriers, localities = (texts(zones[name]).at(at) for name in ("carrier", "locality"))
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


def _participation(asked: Columns, rows: Array, loaded: Loaded) -> tuple[Array, Array]:
    """Whether the billing provider takes part, and where nobody says so and it is taken for granted."""
    said = coded(asked("claims", "participating")).numbers
    if "registered" in loaded:
        keys = [texts(asked("claims", name)) for name in ("provider_npi", "provider_tax")]
        found = loaded.find("registered", keys, whole(asked("claims", "first_service"), -1))
        said = np.where(said < 0, loaded.numbers("registered", "participating", -1)[found], said)
    by_line = said[rows]
    return by_line != 0, by_line < 0
