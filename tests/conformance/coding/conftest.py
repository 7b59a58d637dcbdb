"""The pipeline over the terminology of the tests, and the cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from extractors.model import Coded
from extractors.pipeline import Pipeline

CASES = Path(__file__).with_name("cases.jsonl")
OTHERS = Path(__file__).parents[2] / "unit" / "coding" / "guideline_cases.jsonl"


@pytest.fixture(scope="session")
def pipeline(built: Path) -> Pipeline:
    """All stages over everything that the installed packages and our own tables give."""
    return Pipeline.open(built)


@pytest.fixture(scope="session")
def answers(pipeline: Pipeline) -> list[tuple[dict[str, Any], Coded]]:
    """Each case with what the pipeline makes of it."""
    rows = [json.loads(line) for line in CASES.read_text("utf-8").splitlines()]
    return [(row, pipeline.run(row["text"], row["setting"])[1]) for row in rows]


@pytest.fixture(scope="session")
def other_answers(pipeline: Pipeline) -> list[Coded]:
    """What it makes of the guideline cases beside the rules."""
    rows = [json.loads(line) for line in OTHERS.read_text("utf-8").splitlines()]
    return [pipeline.run(row["text"], row["setting"])[1] for row in rows]
