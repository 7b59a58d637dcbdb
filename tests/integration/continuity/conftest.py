"""What the tests of backups share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.backups import Live


@pytest.fixture
def live(tmp_path: Path, sqlite_template: Path) -> Iterator[Live]:
    """An empty SQLite database."""
    made = Live(tmp_path, sqlite_template)
    yield made
    made.store.close()
