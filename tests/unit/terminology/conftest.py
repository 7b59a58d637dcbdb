"""The terminology, built once into a folder that later runs find again."""

from __future__ import annotations

from pathlib import Path

import pytest

from terminology import Terminology, ensure_terminology

DATA = Path(__file__).parents[3] / "var" / "test-terminology"


@pytest.fixture(scope="session")
def terminology() -> Terminology:
    """Every code system that the installed packages and our own tables give."""
    return ensure_terminology(DATA)
