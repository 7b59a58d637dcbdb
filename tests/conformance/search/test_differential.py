"""The differential campaign itself, at a small size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from campaigns.search_differential import ask, read_arguments


def test_random_searches_find_what_they_must(
    database_url: str, tmp_path: Path, furnish: Callable[[Path], Path]
) -> None:
    """Some hundred searches of all kinds over Synthea and made resources: no difference from a plain evaluation."""
    arguments = read_arguments(["--queries", "600", "--bundles", "2", "--made", "250", "--seed", "11"])
    result = ask(database_url, furnish(tmp_path / "data"), "here", arguments)
    assert not result.differences, "\n".join(result.differences[:5])
    assert result.resources > 250 and result.found > 2000
