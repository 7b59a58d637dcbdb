"""From comparisons to a probability and a grade (Fellegi and Sunter, JASA 64:1183, 1969)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from server.matching.comparing import compare

Grade = Literal["certain", "probable", "possible", "certainly-not"]

PRIOR = math.log2(1 / 5000)
"""How unlikely it is that a candidate of the blocks is the person asked for, before anything is compared."""
CERTAIN, PROBABLE, POSSIBLE = 0.995, 0.9, 0.3
PERSONAL = frozenset({"family", "given", "birthdate"})
CONTACT = ("postal", "address", "telecom")
AGREES = frozenset({"equal", "sounds", "close", "nickname", "initial", "swapped", "part"})
SURE = frozenset({"equal", "nickname", "swapped"})


@dataclass(frozen=True, slots=True)
class Score:
    """How likely two Patients are one person, the grade, and the comparisons that it rests on."""

    probability: float
    grade: Grade
    levels: tuple[tuple[str, str], ...]


@cache
def _weights() -> dict[tuple[str, str], float]:
    lines = files("server.matching").joinpath("weights.tsv").read_text().splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {(field, level): math.log2(float(m) / float(u)) for field, level, m, u in rows}


def score(one: Mapping[str, Any], other: Mapping[str, Any]) -> Score:
    """The score of two Patients."""
    levels = tuple(compare(one, other))
    bits = PRIOR + sum(_weights()[level] for level in levels)
    probability = 1 / (1 + 2 ** -max(-60.0, min(60.0, bits)))
    return Score(probability, _grade(probability, dict(levels)), levels)


def _grade(probability: float, levels: Mapping[str, str]) -> Grade:
    """Certain needs agreement on who it is, not on where and how to reach them, and nothing that speaks against it."""
    agreed = [field for field in PERSONAL if levels.get(field) in AGREES]
    surely = [field for field in PERSONAL if levels.get(field) in SURE]
    against = [field for field in (*PERSONAL, "identifier") if levels.get(field) == "different"]
    elsewhere = {levels[field] for field in CONTACT if field in levels} == {"different"}
    against += ["contact"] if elsewhere and any(levels.get(field) != "equal" for field in PERSONAL) else []
    if probability >= CERTAIN and len(surely) >= 2 and len(agreed) == len(PERSONAL & levels.keys()) and not against:
        return "certain"
    if probability >= PROBABLE and len(agreed) >= 2:
        return "probable"
    return "possible" if probability >= POSSIBLE else "certainly-not"
