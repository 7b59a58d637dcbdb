"""What LOINC adds to value sets: those of answer lists and of parts, and its filters (https://terminology.hl7.org/LOINC.html#implicit-value-sets)."""

from __future__ import annotations

import re
from typing import Any

from fhir_profiles.systems import LOINC
from terminology.value_sets.chosen import Chosen
from terminology.value_sets.loaded import Loaded

Json = dict[str, Any]
AXES = frozenset(("COMPONENT", "PROPERTY", "TIME_ASPCT", "SYSTEM", "SCALE_TYP", "METHOD_TYP", "CLASS"))
_IMPLIED = re.compile(re.escape(LOINC) + r"/vs/(L[LP]\d{1,7}-[0-9X])")


def implied(url: str, version: str) -> Json | None:
    """The set that `http://loinc.org/vs/LL…` (the answers of a list) or `…/LP…` (what is below a part) stands for."""
    found = _IMPLIED.fullmatch(url)
    if found is None:
        return None
    code = found[1]
    chosen = ("LIST", "=") if code.startswith("LL") else ("concept", "is-a")
    include: Json = {"system": LOINC, "filter": [dict(zip(("property", "op", "value"), (*chosen, code), strict=True))]}
    if version:
        include["version"] = version
    return {"resourceType": "ValueSet", "url": url, "status": "active", "compose": {"include": [include]}}


def selection(system: Loaded, name: str, op: str, value: str) -> Chosen | None:
    """What a filter of LOINC's own selects; None for any other filter.

    `LIST = LL…`: the answers of a list in their order. `COMPONENT = glucose` and the other axes: the terms with a part
    of that number or name. `ancestor = LP…`: what lies below a part.
    """
    file, values = system.file, value.split(",") if op == "in" else [value]
    if op not in ("=", "in"):
        return None
    if name in ("LIST", "answers-for") and all(v.startswith("LL") for v in values):
        lists = (file.subset(v) for v in values)
        return Chosen((code for one in lists if one is not None for code in one.codes), system.fold)
    if name in AXES:
        numbers = [number for v in values for number in (v, *file.titled(v)) if number]
        return Chosen((code for number in numbers for code in file.having(name, number)), system.fold)
    if name == "ancestor":
        below = (code for v in values for code in system.below(v) or () if system.fold(code) != system.fold(v))
        return Chosen(below, system.fold)
    return None
