"""What sentences about drugs say: dose, route, frequency, need, duration, steps, status."""

from __future__ import annotations

import pytest

from campaigns.medications import CASES, wrong
from extractors.pages import from_text

FILES = sorted(CASES.glob("medications_*.tsv"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_sentences_are_read_whole(path, pipeline):
    """At least 97 of 100 sentences yield exactly what they say of the drug."""
    lines = path.read_text("utf-8").splitlines()
    failed = wrong(lines, lambda text: list(pipeline.find(from_text(text)).items))
    assert len(failed) <= 0.03 * len(lines), failed


def test_there_are_enough_sentences():
    """The sentences are many enough that a share of them means something."""
    assert sum(len(path.read_text("utf-8").splitlines()) for path in FILES) >= 200


def test_a_taper_is_emitted_step_by_step(pipeline):
    """Each later step of a taper keeps its own dose, frequency and duration."""
    text = "Prednisone 40 mg daily for 5 days, then 20 mg daily for 3 days, then stop."
    drug = next(f for f in pipeline.find(from_text(text)).items if f.kind == "medication")
    (step,) = drug.attributes["steps"]
    assert (step["dose"], step["duration"]["value"], step["timing"]["period_unit"]) == (20, 3, "d")
