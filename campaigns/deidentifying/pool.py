"""What notes are made of: the names, places, shapes and templates of `pools/NAME.toml`."""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "pools"
POOLS = tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


@dataclass(frozen=True)
class Pool:
    """Names, places, shapes and templates of one pool: whole notes in `templates`, or the parts of one."""

    women: tuple[str, ...]
    men: tuple[str, ...]
    families: tuple[str, ...]
    streets: tuple[str, ...]
    cities: tuple[str, ...]
    hospitals: tuple[str, ...]
    domains: tuple[str, ...]
    date_shapes: tuple[str, ...]  # of strftime
    phone_shapes: tuple[str, ...]  # # is a digit
    mrn_shapes: tuple[str, ...]
    headers: tuple[str, ...] = ()
    histories: tuple[str, ...] = ()
    clinical: tuple[str, ...] = ()
    social: tuple[str, ...] = ()
    clinical_plans: tuple[str, ...] = ()
    plans: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()

    def date(self, day: date, rng: random.Random) -> str:
        """A day in one of the shapes."""
        printed = day.strftime(rng.choice(self.date_shapes))
        return printed.lstrip("0") if rng.random() < 0.3 and "/" in printed else printed

    def phone(self, rng: random.Random) -> str:
        """A telephone number in one of the shapes."""
        return _digits(rng.choice(self.phone_shapes), rng)

    def mrn(self, rng: random.Random) -> str:
        """A medical record number in one of the shapes."""
        return _digits(rng.choice(self.mrn_shapes), rng)


@cache
def pool_of(name: str) -> Pool:
    """The pool of a name in POOLS."""
    told = tomllib.loads((_FOLDER / f"{name}.toml").read_text("utf-8"))
    return Pool(**{key: tuple(values) for key, values in told.items()})


def _digits(shape: str, rng: random.Random) -> str:
    return "".join(rng.choice("23456789") if c == "#" else c for c in shape)
