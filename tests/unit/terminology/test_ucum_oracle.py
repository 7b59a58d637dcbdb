"""Our grammar of units held against an independent one."""

from __future__ import annotations

import random
import re
import warnings
from collections.abc import Callable
from functools import cache
from importlib.resources import files

import pytest

from terminology import ucum
from terminology.ucum.atoms import table

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    parser = pytest.importorskip("ucumvert.parser")

NOT_UCUM = {"Torr"}  # in the list of examples, but no unit of the table
SEED = 20260401


@cache
def other() -> Callable[[str], object]:
    """The other parser."""
    parse: Callable[[str], object] = parser.get_ucum_parser().parse
    return parse


def accepts(code: str) -> bool:
    """What the other parser says."""
    try:
        other()(code)
    except Exception:
        return False
    return True


def examples() -> list[str]:
    """The units that UCUM's own table of examples lists."""
    lines = files("ucumvert.vendor").joinpath("ucum_examples.tsv").read_text("utf-8").splitlines()[1:]
    return [line.split("\t")[1] for line in lines]


def test_all_examples_of_ucum_are_valid() -> None:
    """Every unit that is given as an example is one."""
    assert {code for code in examples() if not ucum.is_valid(code)} == NOT_UCUM


def test_damaged_examples_are_judged_alike() -> None:
    """Examples with a character dropped, doubled, swapped or put in are accepted or refused by both."""
    choose = random.Random(SEED)
    known, marks = examples(), "./(){}[]0123456789-+*^%'mgLsUdK"
    for _ in range(400):
        code = choose.choice(known)
        at = choose.randrange(len(code))
        damaged = choose.choice((
            code[:at] + code[at + 1 :],
            code[:at] + code[at] * 2 + code[at + 1 :],
            code[:at] + choose.choice(marks) + code[at:],
            code[:at] + code[at:][::-1],
        ))  # fmt: skip
        if not re.search("[0-9]{3}", damaged):  # ours bounds exponents
            assert ucum.is_valid(damaged) == accepts(damaged), damaged


def test_all_prefixes_before_all_atoms_are_judged_alike() -> None:
    """A prefix may stand before a metric atom and no other."""
    choose = random.Random(SEED)
    pairs = [p + a for p in table().prefixes for a in table().atoms]
    for code in choose.sample(pairs, 300):
        assert ucum.is_valid(code) == accepts(code), code
