"""The terminology, built once into a folder that later runs find again."""

from __future__ import annotations

from pathlib import Path

import pytest

from terminology import Terminology, ensure_terminology


@pytest.fixture(scope="session")
def terminology(built: Path) -> Terminology:
    """Every code system that the installed packages and our own tables give."""
    return ensure_terminology(built)
