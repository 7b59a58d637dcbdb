"""Tests ask no clock how fast something was: the machine that runs them may be slow."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import clock

CLOCKS = {"process_time", "thread_time", "perf_counter", "monotonic"}
BROWSING = CLOCKS - {"monotonic"}
"""Those that the tests with a browser may not ask either: they wait for pages in ways of their own."""


def _asked(tree: ast.Module, clocks: set[str]) -> Iterator[int]:
    """The lines where a module asks or imports one of the clocks."""
    for node in ast.walk(tree):
        name = node.attr if isinstance(node, ast.Attribute) else node.name if isinstance(node, ast.alias) else ""
        if name.removesuffix("_ns") in clocks and hasattr(node, "lineno"):
            yield node.lineno


def test_only_one_module_of_the_tests_has_a_clock(root: Path) -> None:
    """Bounds and waits are those of `tests.support.clock`, which refuses tight ones."""
    found = [
        f"{path.relative_to(root)}:{line}"
        for path in sorted((root / "tests").rglob("*.py"))
        if path != Path(clock.__file__).resolve()
        for line in _asked(ast.parse(path.read_text()), BROWSING if "browser" in path.parts else CLOCKS)
    ]
    assert found == []


def test_a_tight_bound_is_refused() -> None:
    """Less than ten seconds of CPU, or a wait of less than a minute, is no bound."""
    with pytest.raises(AssertionError, match="tells nothing"), clock.within(9):
        raise NotImplementedError
    with pytest.raises(AssertionError, match="slow machine"):
        clock.until(lambda: True, 59)


def test_what_runs_away_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bound that is passed fails, and so does a wait for what does not happen."""
    times = iter([0.0, 11.0])
    monkeypatch.setattr(clock.time, "process_time", lambda: next(times))
    with pytest.raises(AssertionError, match="ran away"), clock.within(10):
        pass
    steps = iter(range(0, 1000, 50))
    monkeypatch.setattr(clock.time, "monotonic", lambda: float(next(steps)))
    with pytest.raises(AssertionError, match="did not happen"):
        clock.until(lambda: False, 60)
