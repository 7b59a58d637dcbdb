"""Places near a point (https://hl7.org/fhir/R4/location.html#search): `latitude|longitude|distance|units`.

A place is indexed as a point of the unit sphere. Two points are near when the straight line between them is short
enough, which is arithmetic that both engines have; the index gives the band of z in which they can be.
"""

from __future__ import annotations

import math
from decimal import Decimal

from terminology.ucum import convert

from .composite import on_sphere
from .matches import either
from .query import Condition, invalid, split_values, unescape
from .sql import Sql
from .values import read_number

EARTH_METRES = 6_371_008.8  # mean radius
DEFAULT_KILOMETRES = "10"
"""What counts as near when no distance is given, which the specification leaves to the server."""

_UNITS = {"mi": "[mi_i]", "miles": "[mi_i]", "mile": "[mi_i]", "kms": "km", "ft": "[ft_i]", "yd": "[yd_i]"}
"""Other ways in which people write units."""


def near(condition: Condition) -> Sql:
    """The place is within the distance of one of the points."""
    return either([_within(value) for value in condition.values])


def _within(value: str) -> Sql:
    parts = [unescape(part).strip() for part in split_values(value, "|")]
    if not 2 <= len(parts) <= 4:
        raise _wrong()
    latitude, longitude = (read_number(part).exact for part in parts[:2])
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise _wrong()
    metres = _metres(*(*parts[2:], "", "")[:2])
    angle = min(metres / EARTH_METRES, math.pi)
    x, y, z = on_sphere(latitude, longitude)
    up = math.radians(latitude)
    low = math.sin(up - angle) if up - angle > -math.pi / 2 else -1.0
    high = math.sin(up + angle) if up + angle < math.pi / 2 else 1.0
    chord = (2 * math.sin(angle / 2)) ** 2
    line = "(t.lo2 - ?) * (t.lo2 - ?) + (t.hi2 - ?) * (t.hi2 - ?) + (t.lo - ?) * (t.lo - ?)"
    slack = 1e-12  # of rounding, some metres around the globe at most and millimetres nearby
    return Sql(
        f"(t.code = '' AND t.lo >= ? AND t.lo <= ? AND {line} <= ?)",
        (low - slack, high + slack, x, x, y, y, z, z, chord * (1 + 1e-9) + 1e-15),
    )


def _metres(distance: str, unit: str) -> float:
    number = read_number(distance or DEFAULT_KILOMETRES)
    written = unit or "km"
    found = convert(Decimal(repr(number.exact)), _UNITS.get(written, written), "m")
    if number.prefix != "eq" or found is None or found < 0:
        raise _wrong()
    return float(found)


def _wrong() -> Exception:
    return invalid("near is written latitude|longitude|distance|units, in degrees, as in 42.25|-83.69|11.2|km.")
