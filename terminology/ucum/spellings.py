"""What people write for units, and how UCUM writes it."""

from __future__ import annotations

from terminology.ucum.grammar import parse

WRITTEN = {
    "mmhg": "mm[Hg]", "mm hg": "mm[Hg]", "cmh2o": "cm[H2O]", "mcg": "ug", "µg": "ug", "μg": "ug", "cc": "mL",
    "bpm": "/min", "beats/min": "{beats}/min", "breaths/min": "{breaths}/min", "lb": "[lb_av]", "lbs": "[lb_av]",
    "oz": "[oz_av]", "in": "[in_i]", "inch": "[in_i]", "inches": "[in_i]", "ft": "[ft_i]", "iu": "[iU]",
    "iu/l": "[iU]/L", "iu/ml": "[iU]/mL", "miu/l": "m[iU]/L", "miu/ml": "m[iU]/mL", "uiu/ml": "u[iU]/mL",
    "degf": "[degF]", "°f": "[degF]", "degc": "Cel", "°c": "Cel", "sec": "s", "hr": "h", "hour": "h", "hours": "h",
    "day": "d", "days": "d", "week": "wk", "weeks": "wk", "month": "mo", "months": "mo", "year": "a", "years": "a",
    "yr": "a", "meq/l": "meq/L", "ph": "[pH]", "x10e3/ul": "10*3/uL", "10e3/ul": "10*3/uL", "k/ul": "10*3/uL",
    "10e9/l": "10*9/L", "10e6/ul": "10*6/uL", "m/ul": "10*6/uL", "percent": "%", "units": "U", "units/l": "U/L",
    "tsp": "[tsp_us]", "tbsp": "[tbs_us]", "kcals": "kcal", "psi": "[psi]", "copies/ml": "{copies}/mL",
    "cells/ul": "{cells}/uL",
}  # fmt: skip


def suggestion(text: str) -> str | None:
    """The code that was probably meant by what is not one; None without a good guess."""
    bare = text.strip()
    parts = "/".join(WRITTEN.get(part.strip().lower(), part.strip()) for part in bare.split("/"))
    for meant in (WRITTEN.get(bare.lower()), parts, parts.replace(" ", "").replace("µ", "u").replace("μ", "u")):
        if meant and meant != text and parse(meant) is not None:
            return meant
    return None
