"""Short forms of given names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def groups() -> Mapping[str, frozenset[str]]:
    """Name, in small letters → the groups of names it belongs to, each by its full form."""
    found: dict[str, set[str]] = {}
    for full, *short in _rows():
        for name in (full, *short):
            found.setdefault(name, set()).add(full)
    return {name: frozenset(group) for name, group in found.items()}


@cache
def _forms() -> Mapping[str, frozenset[str]]:
    return {full: frozenset((full, *short)) for full, *short in _rows()}


def also_called(name: str) -> frozenset[str]:
    """How a bearer of the name may be written down besides, in small letters."""
    folded = name.lower()
    return frozenset(form for full in groups().get(folded, ()) for form in _forms()[full]) - {folded}


def _rows() -> list[list[str]]:
    text = files("extractors.deid").joinpath("data/nicknames.tsv").read_text("utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
