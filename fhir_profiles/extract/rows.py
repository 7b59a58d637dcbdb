"""The search values of one resource, as rows ready for the index tables (https://hl7.org/fhir/R4/search.html#ptypes)."""

from __future__ import annotations

from dataclasses import dataclass, field

TokenRow = tuple[str, str | None, str]
"""(parameter, system, code). System is None where there is none (boolean, plain string, Coding without system)."""

StringRow = tuple[str, str, str]
"""(parameter, normalised, exact): `normalised` as `normalise` makes it, `exact` as written, both whole."""

DateRow = tuple[str, int, int]
"""(parameter, low, high): µs since 1970 UTC, half open; an open end is OPEN_LOW or OPEN_HIGH."""

ReferenceRow = tuple[str, str | None, str | None, str | None]
"""(parameter, type, id, url): type and id of a relative reference; url of an absolute or canonical one, with the type
where its tail names one; a canonical with a version has a row with it and one without. None into `contained`."""

QuantityRow = tuple[str, float, float, float, str | None, str | None, str | None]
"""(parameter, value, low, high, system, code, unit): [low, high] is what the written precision or a Range means;
`<` and `>` comparators and open ranges reach to ∓inf. For Money, system is ISO 4217 and code the currency."""

NumberRow = tuple[str, float, float, float]
"""(parameter, value, low, high), as in QuantityRow."""

UriRow = tuple[str, str]
"""(parameter, uri)."""

ShownRow = tuple[str, str]
"""(place, text): what a person reads of the code, identifier or reference at that place; see `places`."""

PositionRow = tuple[str, float, float]
"""(parameter, latitude, longitude) in degrees."""

Part = TokenRow | StringRow | DateRow | ReferenceRow | QuantityRow | NumberRow
CompositeRow = tuple[str, tuple[Part, ...]]
"""(composite, one row of each of its parts): values that stand together in one element. See `composite.names`."""


@dataclass(slots=True)
class Index:
    """All rows of a resource. `patient` is the id of the Patient whose compartment it is in (the first, by the order of
    the compartment definition with `patient` and `subject` before others); `date` is its main date in µs since 1970."""

    tokens: list[TokenRow] = field(default_factory=list)
    strings: list[StringRow] = field(default_factory=list)
    dates: list[DateRow] = field(default_factory=list)
    references: list[ReferenceRow] = field(default_factory=list)
    quantities: list[QuantityRow] = field(default_factory=list)
    numbers: list[NumberRow] = field(default_factory=list)
    uris: list[UriRow] = field(default_factory=list)
    shown: list[ShownRow] = field(default_factory=list)
    composites: list[CompositeRow] = field(default_factory=list)
    positions: list[PositionRow] = field(default_factory=list)
    present: set[str] = field(default_factory=set)
    """Parameters whose element is there although it gave no row: a concept with nothing but text, say."""
    patient: str | None = None
    date: int | None = None
