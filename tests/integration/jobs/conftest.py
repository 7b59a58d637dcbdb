"""What the tests of the jobs share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the terminology and its matcher, built once."""
    from extractors.pipeline import Pipeline

    data = tmp_path_factory.mktemp("built")
    Pipeline.open(data)
    return data
