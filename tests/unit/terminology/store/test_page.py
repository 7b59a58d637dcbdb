"""The examples of the page on terminology say what is true."""

import ast
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
    for block in re.findall(r"```python\n(.*?)```", section, re.DOTALL):
        lines = block.splitlines()
        for node in ast.parse(block).body:
            statement = ast.unparse(node)
            _, mark, shown = lines[node.end_lineno - 1].partition("  # ")
            if mark and isinstance(node, ast.Expr):
                assert repr(eval(statement, names)) == shown, statement
                checked += 1
            else:
                exec(statement, names)
    assert checked > 10
