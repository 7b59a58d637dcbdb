"""The pipeline over a terminology that is built once and found again by later runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from extractors.model import Coded
from extractors.pipeline import Pipeline


@pytest.fixture(scope="session")
def pipeline(built: Path) -> Pipeline:
    """All stages over everything that the installed packages and our own tables give."""
    return Pipeline.open(built)


@pytest.fixture(scope="session")
def coded(pipeline: Pipeline) -> Callable[..., Coded]:
    """Text to codes."""
    return lambda text, setting="outpatient": pipeline.run(text, setting)[1]


@pytest.fixture(scope="session")
def accepted(coded) -> Callable[..., list[str]]:
    """Text to the accepted diagnosis and procedure codes in claim order."""

    def answer(text: str, setting: str = "outpatient") -> list[str]:
        codes = coded(text, setting).codes
        return [c.code for c in codes if c.status == "accepted" and not c.system.endswith(("loinc.org", "rxnorm"))]

    return answer
