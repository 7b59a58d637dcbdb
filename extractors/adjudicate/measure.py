"""What an adjudication changed, against the codes of people: codes right and wrong before and after, and by verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set
from dataclasses import dataclass, field

from extractors.model import Coded
from fhir_profiles.systems import ICD10CM


@dataclass(slots=True)
class Tally:
    """Counts over documents; codes are ICD-10-CM as accepted, exact."""

    documents: int = 0
    asked: int = 0  # documents with at least one code to ask about
    offered: int = 0
    before: Counter[str] = field(default_factory=Counter)  # right, wrong, missed
    after: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)  # "keep right", "drop wrong", …
    undecided: Counter[str] = field(default_factory=Counter)

    def add(self, gold: Set[str], plain: Coded, adjudicated: Coded) -> None:
        """Count a document whose people's codes are `gold`."""
        self.documents += 1
        for coded, counts in ((plain, self.before), (adjudicated, self.after)):
            found = {code.code for code in coded.codes if code.status == "accepted" and code.system == ICD10CM}
            counts.update(right=len(found & gold), wrong=len(found - gold), missed=len(gold - found))
        asked = adjudicated.adjudication
        if asked is None:
            return
        self.asked += 1
        self.offered += len(asked.offered)
        self.undecided.update(asked.refused.values())
        for decision in asked.decisions:
            right = (decision.code in gold) == (decision.verdict == "keep")
            self.verdicts[f"{decision.verdict} {'right' if right else 'wrong'}"] += 1


def micro(counts: Counter[str]) -> tuple[float, float, float]:
    """Precision, recall and F1; 0 where nothing was found or sought."""
    right, found, sought = counts["right"], counts["right"] + counts["wrong"], counts["right"] + counts["missed"]
    return right / max(found, 1), right / max(sought, 1), 2 * right / max(found + sought, 1)
