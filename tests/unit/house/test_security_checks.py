"""Each security check has its tests, and the page of them is true."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conformance.security.checks import PAGE, marked, page, titles


def test_each_check_is_of_a_test() -> None:
    """Every check that has a title has a test, and no test is of a check that there is not."""
    assert set(titles()) == set(marked())


def test_each_check_that_was_asked_for_is_there(shared: Path) -> None:
    """The ids in the list of checks that was handed over are those that tests are marked with."""
    asked = [json.loads(line)["id"] for line in (shared / "security" / "checks.jsonl").read_text().splitlines()]
    assert len(asked) == len(set(asked))
    assert sorted(asked) == sorted(titles())
    assert set(asked) <= set(marked())


def test_a_marked_test_is_collected(request: pytest.FixtureRequest) -> None:
    """A name that another of the same file hides is run by nobody: each stands once."""
    for names in marked().values():
        for name in names:
            file, _, function = name.partition("::")
            text = (request.config.rootpath / "tests" / file).read_text("utf-8")
            assert text.count(f"def {function}(") == 1, name


def test_the_page_is_what_the_marks_say() -> None:
    """One that is behind them is written again by `python tests/conformance/security/checks.py`."""
    assert PAGE.read_text("utf-8") == page()
