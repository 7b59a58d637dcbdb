"""One defect for each rule: what turns a sound claim into one that breaks this rule and no other."""

from __future__ import annotations

import importlib
import pkgutil

from campaigns.claiming.defects.defect import DEFECTS, Defect, breaks

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["DEFECTS", "Defect", "breaks"]
