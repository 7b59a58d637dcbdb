"""How a challenger would have coded a live document beside the champion: counts, and nothing of the document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from extractors.model import Code
from server.figures.families import chapter

SILENT = "nothing"


def counted(champion: Iterable[Code], challenger: Iterable[Code]) -> dict[str, int]:
    """The decisions of both on a document: accepted in common, and champion's status → challenger's by code.

    Codes that both leave out or reject are no difference. Differences are told by chapter too.
    """
    before, after = _statuses(champion), _statuses(challenger)
    found: Counter[str] = Counter({"documents": 1, "accepted by both": 0, "accepted by either": 0})
    for key in before.keys() | after.keys():
        was, would = before.get(key, SILENT), after.get(key, SILENT)
        found["accepted by both"] += was == would == "accepted"
        found["accepted by either"] += "accepted" in (was, would)
        found[f"{was} → {would}"] += 1
        if was != would:
            found[f"differs in {chapter(*key)}"] += 1
    found["documents alike"] = int(all(before.get(k) == after.get(k) for k in before.keys() | after.keys()))
    return dict(sorted(found.items()))


def _statuses(codes: Iterable[Code]) -> dict[tuple[str, str], str]:
    """The best status of each code that is offered at all."""
    found: dict[tuple[str, str], str] = {}
    for code in codes:
        key = (code.system, code.code)
        if code.status == "accepted" or (code.status == "suggested" and key not in found):
            found[key] = code.status
    return found
