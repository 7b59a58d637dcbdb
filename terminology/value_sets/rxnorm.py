"""The filters of RxNorm by its relations (https://terminology.hl7.org/RxNorm.html).

`has_ingredient = CUI:1191` holds the concepts that have the ingredient 1191, as `$lookup` tells of them.
"""

from __future__ import annotations

from terminology.value_sets.chosen import Chosen
from terminology.value_sets.loaded import Loaded


def selection(system: Loaded, name: str, op: str, value: str) -> Chosen | None:
    """What a filter by a relation selects, its target with or without `CUI:`; None for any other filter."""
    if op not in ("=", "in") or name in system.file.declared:
        return None
    targets = [v.strip().removeprefix("CUI:") for v in (value.split(",") if op == "in" else [value])]
    return Chosen((code for target in targets for code in system.file.related(name, target)), system.fold)
