"""The prefixes and unit atoms of UCUM (https://ucum.org/ucum#section-Tables-of-Terminal-Symbols)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Atom:
    """A unit that stands for itself: `value` times `unit` is what it means; a base unit has neither."""

    code: str
    kind: str  # base | metric (takes prefixes) | plain
    value: Fraction
    unit: str
    arbitrary: bool
    function: str
    name: str
    measures: str

    @property
    def metric(self) -> bool:
        """Whether the atom takes prefixes."""
        return self.kind != "plain"


@dataclass(frozen=True, slots=True)
class Table:
    """All of them; `prefixes` maps a prefix to its factor and its name."""

    prefixes: Mapping[str, tuple[Fraction, str]]
    atoms: Mapping[str, Atom]


@cache
def table() -> Table:
    """The table of `units.tsv`, read once per process."""
    prefixes: dict[str, tuple[Fraction, str]] = {}
    atoms: dict[str, Atom] = {}
    lines = files("terminology.ucum").joinpath("units.tsv").read_text("utf-8").splitlines()
    for line in [one for one in lines if not one.startswith("#")][1:]:
        code, kind, value, unit, arbitrary, function, name, of = line.split("\t")
        if kind == "prefix":
            prefixes[code] = (Fraction(value), name)
        else:
            atoms[code] = Atom(code, kind, Fraction(value or 1), unit, arbitrary == "yes", function, name, of)
    return Table(prefixes, atoms)
