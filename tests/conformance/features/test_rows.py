"""The table itself."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

rows = SimpleNamespace(**runpy.run_path(str(Path(__file__).parent / "rows.py")))


def test_every_row_has_a_test_or_a_reason() -> None:
    """No feature is claimed without a test, and none that must be there is missing."""
    for row in rows.ROWS:
        assert bool(rows.tests_of(row)) is not bool(row.missing), row.name
        assert len(rows.tests_of(row)) >= len(row.elsewhere), row.name
        assert not (row.must and row.missing), row.name


def test_the_page_is_the_table() -> None:
    """docs/conformance.md is what the table gives."""
    assert rows.PAGE.read_text() == rows.page()
