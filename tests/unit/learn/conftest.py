"""The pipeline over a terminology that is built once and found again by later runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from extractors.pipeline import Pipeline


@pytest.fixture(scope="session")
def pipeline(built: Path) -> Pipeline:
    """All stages over everything that the installed packages and our own tables give."""
    return Pipeline.open(built)
