"""The amounts of codes in localities, as the official lists of prices print them (PFALL, OPPSCAP)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from claims.price.ask import Loaded, among, same, texts, whole
from claims.price.exact import Array, share
from claims.price.fee import SCALE, Site, cap, fees
from claims.price.schedule import COMPONENTS, Schedule
from claims.tables.columns import laid
from claims.tables.table import Table

SETTINGS = ("nonfacility", "facility")


def published(tables: Mapping[str, Table], asked: pl.DataFrame, kind: str = "standard") -> pl.DataFrame:
    """Amounts in cents for rows of `code`, `modifier`, `carrier`, `locality`, `day`, in their order.

    For both settings `fee` (by RVUs), `capped` (with the outpatient cap of its technical part) and `cap` (the
    outpatient amount of the row itself); null where the row, the locality or the factor is not known, or the status is
    not paid by RVUs (the cap stands for any status). The tables rvu, gpci and factor must be loaded.
    """
    loaded = Loaded(tables)
    schedule = Schedule(loaded)
    days = whole(laid(asked["day"]), -1)
    codes, modifiers, carriers, localities = (
        texts(laid(asked[name])) for name in ("code", "modifier", "carrier", "locality")
    )
    rows = schedule.find(codes, modifiers, days)
    places = loaded.find("gpci", [carriers, localities], days)
    factor = loaded.numbers("factor", "value")[loaded.find("factor", [same(kind, len(asked))], days)]
    indices = np.stack([loaded.numbers("gpci", name)[places] for name in ("work", "pe", "mp")])
    known = (rows >= 0) & (places >= 0) & (factor > 0)
    component = np.zeros(len(asked), np.int64)
    for number, name in enumerate(COMPONENTS.values):
        component[among(modifiers, (name,))] = number
    found: dict[str, pl.Series] = {}
    for setting, name in enumerate(SETTINGS):
        site = Site(rows, np.full(len(asked), setting), indices, factor)
        fee = fees(schedule, codes, component, days, site)
        top = cap(schedule, site)
        paid = known & schedule.paid[rows]
        found[f"fee_{name}"] = _cents(fee.uncapped, paid)
        found[f"capped_{name}"] = _cents(fee.one, paid & ~fee.lacks)
        found[f"cap_{name}"] = _cents(top, known & (top >= 0))
    return pl.DataFrame(found)


def _cents(amounts: Array, good: Array) -> pl.Series:
    """Rounded half up; null where they are not known."""
    ones = np.ones(len(amounts), np.int64)
    cents = share(np.where(good, amounts, 0), ones, ones * SCALE)
    return pl.Series(cents).set(pl.Series(~good), None)
