"""Our own names of concepts, by which people ask: code, then names split at |, in `data/icd10cm.tsv`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fhir_profiles.systems import ICD10CM

_TABLES = {ICD10CM: "icd10cm.tsv"}


@cache
def own_names(system: str) -> tuple[tuple[str, str], ...]:
    """(name, code) pairs of a code system; nothing for one that we have no names for."""
    table = _TABLES.get(system)
    if table is None:
        return ()
    text = (Path(__file__).parent / "data" / table).read_text("utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return tuple((name.strip(), code) for code, names in rows for name in names.split("|"))


def names_of(system: str, code: str) -> tuple[str, ...]:
    """Our own names of one concept."""
    return _by_code(system).get(code, ())


@cache
def _by_code(system: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, code in own_names(system):
        found[code] = (*found.get(code, ()), name)
    return found
