"""Streams of decisions without documents, to count alarms over many seeds."""

from __future__ import annotations

import random

from fhir_profiles.systems import ICD10CM
from server.figures.rows import Decided

PLANTED = ("none", "codes", "stricter", "overconfident")
CODES = tuple(f"{letter}{number}.9" for letter in "EIJKMN" for number in (10, 25, 44, 78))
NEW = ("U07.1", "U09.9")


def stream(documents: int, seed: int, planted: str) -> list[Decided]:
    """Decisions about so many documents; those of one document are alike, as a coder and a patient make them."""
    chance = random.Random(f"{seed} {planted}")
    found = []
    for number in range(documents):
        taste = chance.gauss(0, 0.08)  # of the coder and the writer of this document
        favourite = chance.choice(CODES)
        for place in range(chance.randrange(2, 8)):
            code = favourite if chance.random() < 0.2 else chance.choice(CODES)
            if planted == "codes" and chance.random() < 0.25:
                code = chance.choice(NEW)
            true = min(max(chance.betavariate(5, 2) + taste, 0.02), 0.98)
            if planted == "stricter":
                true *= 0.75
            sure = min(true / 0.75, 0.98) if planted == "stricter" else true
            if planted == "overconfident":
                sure = min(0.98, true + 0.2)
            kind = "accept" if chance.random() < true else chance.choice(("reject", "reject", "replace"))
            name = f"{seed}-{number}"
            found.append(
                Decided(
                    f"Provenance/{name}-{place}", 0.0, kind, "coder", f"Condition/{name}-{place}", ICD10CM, code,
                    round(sure, 3), "words of the text", f"DocumentReference/{name}", chance.choice(("hpi", "pmh", "")),
                )
            )  # fmt: skip
    return found
