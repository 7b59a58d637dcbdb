"""Invented narratives with a hidden truth: what is wrong with a patient, in words, and the codes that are right.

From a day on a new jargon names conditions, or a practice changes; both are planted, so that it is known what a model
should learn and when an alarm should fire. No word comes from a document of anybody.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
DAYS = 120
Planted = Literal["none", "jargon", "practice"]

KNOWN = (
    ("I10", "arterial hypertension"), ("E11.9", "type 2 diabetes mellitus"), ("N39.0", "urinary tract infection"),
    ("J18.9", "pneumonia"), ("D50.9", "iron deficiency anemia"), ("E03.9", "hypothyroidism"), ("M10.9", "gout"),
    ("G43.909", "migraine"), ("L40.9", "psoriasis"), ("E78.5", "hyperlipidemia"), ("B02.9", "herpes zoster"),
    ("I48.91", "atrial fibrillation"), ("J45.909", "asthma"), ("K80.20", "cholelithiasis"), ("E66.9", "obesity"),
)  # fmt: skip
OTHERS = (
    ("K21.9", "gastroesophageal reflux disease"), ("G20.A1", "parkinson's disease"), ("I26.99", "pulmonary embolism"),
    ("K85.90", "acute pancreatitis"), ("G40.909", "epilepsy"), ("M81.0", "osteoporosis"), ("K74.60", "cirrhosis"),
    ("M54.50", "low back pain"), ("R50.9", "fever"), ("R05.9", "cough"), ("J90", "pleural effusion"),
    ("I10", "hypertension"),
    ("E11.9", "type 2 diabetes mellitus"), ("J18.9", "pneumonia"), ("N20.0", "nephrolithiasis"), ("D64.9", "anemia"),
)  # fmt: skip
"""Conditions of the fixed documents (`server/learning/data/fixed.jsonl`): `fixed()` makes that file."""
JARGON = (("J84.10", "brackwater lung"), ("K76.0", "tallow liver"), ("M35.3", "millstone shoulders"))
"""Words that no table and no training document has."""
UNCODED = "E66.9"
"""A code that the new practice leaves out."""
SAID = (
    "He was found to have {}, which was treated.", "The work-up showed {}.", "The course was complicated by {}.",
    "There was also {} of long standing.", "The family doctor had written of {}.", "Treatment for {} was begun.",
)  # fmt: skip
FILLER = (
    "The days before admission had been spent at home with little appetite and much sleep.",
    "The visit took place in the late afternoon and an interpreter was present all along.",
    "The neighbours had called the ambulance because the curtains had stayed closed since Sunday.",
    "Over the next days the general condition improved and the appetite came back slowly.",
    "A walk along the corridor was possible on the third day, the stairs on the fifth.",
    "The relatives were told of the findings and agreed with what was planned next.",
    "A visit in the outpatient clinic was arranged for the following month.",
    "The diet was adapted, and the medication was written down on a card for the pocket.",
    "Nothing in the journeys of the past year seemed to be of importance for the matter.",
    "At the end of the stay the way home was made by train in the company of a sister.",
)


class Paper(NamedTuple):
    """A document: its words, when it was decided on, whose it is, and the codes that are right with their words."""

    name: str
    text: str
    at: datetime
    patient: str
    male: bool
    born: int
    truth: dict[str, tuple[int, int]]
    """Code → where its words begin and end."""


def papers(count: int, seed: int, planted: Planted = "none", since: float = 0.5) -> Iterator[Paper]:
    """Documents in the order of their days; what is planted holds from `since` of the time on."""
    chance = random.Random(seed)
    people = max(count * 3 // 4, 1)
    who = [(chance.random() < 0.5, chance.randrange(1925, 2015)) for _ in range(people)]
    for number in range(count):
        share = number / count
        at = START + timedelta(days=DAYS * share, minutes=chance.randrange(300))
        person = number if number < people else chance.randrange(people)
        text, truth = _written(chance, planted if share >= since else "none")
        yield Paper(f"d{number:05d}", text, at, f"p{person:05d}", *who[person], truth)


def fixed(count: int = 40, seed: int = 20) -> Iterator[str]:
    """The lines of the fixed documents, in the form of a corpus."""
    chance = random.Random(seed)
    for number in range(count):
        text, truth = _written(chance, "none", OTHERS)
        evidence = [{"code": code, "start": a, "end": b} for code, (a, b) in truth.items()]
        gold = {"icd10cm": sorted(truth), "evidence": evidence}
        yield json.dumps({"id": f"fixed{number:02d}", "split": "fixed", "text": text, "gold": gold}) + "\n"


def _written(
    chance: random.Random, planted: Planted, conditions: tuple[tuple[str, str], ...] = KNOWN
) -> tuple[str, dict[str, tuple[int, int]]]:
    named = chance.sample(conditions, chance.randrange(2, 5))
    if planted == "jargon":
        named += chance.sample(JARGON, chance.randrange(1, 3))
    sentences: list[tuple[str, str, str]] = [("", "", line) for line in chance.sample(FILLER, 9)]
    for code, words in named:
        before, _, after = chance.choice(SAID).partition("{}")
        sentences.insert(chance.randrange(len(sentences) + 1), (code, words, f"{before}{words}{after}"))
    text, truth = "", {}
    for code, words, sentence in sentences:
        if code:
            at = len(text) + sentence.index(words)
            truth[code] = (at, at + len(words))
        text += sentence + " "
    if planted == "practice":
        truth.pop(UNCODED, None)
        truth.pop("E78.5", None)
    return text.strip() + "\n", truth
