"""The examples of the page on terminology say what is true."""

import re
from pathlib import Path

import pytest

from terminology import Terminology

PAGE = Path(__file__).parents[4] / "docs" / "terminology.md"


def test_the_python_section_runs(terminology: Terminology, built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line with a comment has the value that the comment shows."""
    monkeypatch.setenv("FHIRWRIGHT_DATA", str(built))
    section = PAGE.read_text("utf-8").split("\n## Python\n")[1].split("\n## ")[0]
    names: dict[str, object] = {}
    checked = 0
    for line in "\n".join(re.findall(r"```python\n(.*?)```", section, re.DOTALL)).splitlines():
        statement, mark, shown = line.partition("  # ")
        if mark:
            assert repr(eval(statement, names)) == shown, statement
            checked += 1
        else:
            exec(line, names)
    assert checked > 10
