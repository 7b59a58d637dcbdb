"""How likely a concept is meant, whatever is asked: short and plain before long and special, active before retired.

The unit is a word of the display. The numbers were chosen on the queries for tuning of `campaigns.terminology_search`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from terminology.search.words import SMALL

OURS = -4.0
"""For a concept that we name ourselves: those are in everyday use."""

HEADER = 2.0
RETIRED = 40.0
EXTERNAL = 5.0
"""For external causes of morbidity (ICD-10-CM V00-Y99)."""

WORDS = {
    **dict.fromkeys(("unspecified", "initial", "encounter", "closed", "nos"), 0.0),
    "sequela": 9.0,
    "subsequent": 7.0,
    "elsewhere": 4.0,
    **dict.fromkeys(("newborn", "neonatal", "congenital", "fetu", "fetal", "perinatal"), 4.0),
    **dict.fromkeys(("pregnancy", "childbirth", "puerperium", "maternal", "trimester", "abortion"), 4.0),
    **dict.fromkeys(("poisoning", "adverse", "underdosing", "intraoperative", "postprocedural"), 3.0),
    **dict.fromkeys(("assault", "undetermined", "intentional"), 2.0),
    **dict.fromkeys(("neoplastic", "complicating", "underlying", "induced", "family", "open", "pathological"), 3.0),
    **dict.fromkeys(("other", "specified", "history", "presence", "screening", "absence"), 2.0),
    **dict.fromkeys(("obsolete", "deprecated", "veterinary"), 4.0),
}
"""What a word of the display costs; any other costs 1."""


def cost(found: Sequence[str], *, billable: bool | None, active: bool, ours: bool) -> float:
    """The less, the likelier the concept is meant; `found` are the words of its display."""
    total = sum(WORDS.get(word, 1.0) for word in found if word not in SMALL)
    return total + HEADER * (billable is False) + RETIRED * (not active) + OURS * ours


def use(properties: Mapping[str, Any]) -> float:
    """What the source itself says of use: LOINC's rank of common tests, RxNorm's kinds of names."""
    rank = properties.get("COMMON_TEST_RANK")
    if isinstance(rank, int) and rank > 0:
        return -12.0 / (1 + rank / 200)
    types = properties.get("TTY") or ()
    return min((_RXNORM.get(one, 0.0) for one in ([types] if isinstance(types, str) else types)), default=0.0)


_RXNORM = {"IN": -3.0, "PIN": -1.0, "BN": -2.0, "SCDC": 2.0}
