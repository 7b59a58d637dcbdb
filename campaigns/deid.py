"""Measure de-identification on generated notes: `campaigns/deid.py [--pool acceptance] [--notes 500] [--coded 200]`.

Recall and precision count alphanumeric characters. A coded note counts as unchanged when its codes, with their status
and where in the original their proof begins, are the same after the text went out as stand-ins and came back.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from campaigns.deidentifying.making import Note, make
from campaigns.deidentifying.measuring import Score, count, find
from campaigns.deidentifying.pool import POOLS
from extractors.deid.known import known_from
from extractors.deid.surrogates import new_map
from extractors.deid.text import Clean, Road
from extractors.deid.vocabulary import Vocabulary
from extractors.model import Coded
from extractors.pipeline import Pipeline
from fhir_profiles.errors import FhirError

DATA = Path(__file__).parents[1] / "var"
LEAST = {"recall": 0.99, "third": 0.97, "precision": 0.90, "unchanged": 0.99}


def measure(pool: str, notes: int, vocabulary: Vocabulary) -> tuple[Score, float]:
    """The score over a pool, and notes per second of CPU."""
    score, seconds = Score(), 0.0
    for seed in range(notes):
        note = make(pool, seed)
        start = time.process_time()
        mentions = find(note, vocabulary)
        seconds += time.process_time() - start
        count(score, note, mentions)
    return score, notes / max(seconds, 1e-9)


def coded_the_same(pool: str, notes: int, pipeline: Pipeline, vocabulary: Vocabulary) -> tuple[int, int, int]:
    """Notes whose coding is unchanged by the round trip, all but codes of a person's name, and notes refused."""
    same = but_names = refused = 0
    for seed in range(notes):
        note = make(pool, seed)
        try:
            clean = _clean(note, vocabulary, seed)
        except FhirError:
            refused += 1
            continue
        before = _codes(pipeline.run(note.text)[1], None)
        after = _codes(pipeline.run(clean.text)[1], clean)
        same += before == after
        inside = [code for code in before if not any(a <= code[3] < b for a, b, _ in note.gold)]
        but_names += before == after or inside == after
    return same, but_names, refused


def _clean(note: Note, vocabulary: Vocabulary, seed: int) -> Clean:
    key = b"a key for measuring, of 32 bytes"
    return Road(known_from([note.patient]), vocabulary, key, new_map(key, str(seed))).clean(note.text)


def _codes(coded: Coded, clean: Clean | None) -> list[tuple[Any, ...]]:
    back = clean.to_original if clean is not None else lambda start, end: (start, end)
    return sorted((c.system, c.code, c.status, back(c.start, c.end)[0]) for c in coded.codes)


def main() -> int:
    """Print the figures; 1 when one falls short."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", choices=POOLS, default="acceptance")
    parser.add_argument("--notes", type=int, default=500)
    parser.add_argument("--coded", type=int, default=200)
    parser.add_argument("--misses", type=int, default=0, help="how many misses and false findings to print")
    given = parser.parse_args()
    pipeline = Pipeline.open(DATA)
    vocabulary = Vocabulary.of(pipeline.lexicon)
    score, speed = measure(given.pool, given.notes, vocabulary)
    same, but_names, refused = coded_the_same(given.pool, given.coded, pipeline, vocabulary)
    figures = {
        "recall": score.recall, "third": score.of("other"), "precision": score.precision,
        "unchanged": same / max(1, given.coded),
    }  # fmt: skip
    print(
        f"pool {given.pool}: {given.notes} notes, {speed:.0f} a second of CPU; {given.coded} coded, {refused} refused"
    )
    for name, figure in figures.items():
        print(f"{name:10} {figure:.4f}  (at least {LEAST[name]})")
    print(f"unchanged but for codes that rested on a person's name: {but_names / max(1, given.coded):.4f}")
    print("recall by kind:", ", ".join(f"{kind} {score.of(kind):.4f}" for kind in sorted(score.gold)))
    for told in (score.missed, score.extra):
        for example, times in told.most_common(given.misses):
            print(f"{times:4} {example!r}")
    return int(any(figure < LEAST[name] for name, figure in figures.items()))


if __name__ == "__main__":
    sys.exit(main())
