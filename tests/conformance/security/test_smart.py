"""The page about SMART App Launch says what is so: each requirement decided, each test that it names there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
ROW = re.compile(r"\| (\d+) \| \[.+?\]\(https://hl7\.org/fhir/smart-app-launch/STU2\.2/\S+\) \| (.+) \|")
DEMANDS = 172
"""SHALL and SHALL NOT of 2.2.0 for servers."""


def _rows() -> list[tuple[int, str]]:
    text = (ROOT / "docs" / "smart-conformance.md").read_text()
    return [(int(found[1]), found[2]) for found in ROW.finditer(text)]


def test_each_requirement_is_decided_once() -> None:
    """As many as there are, none twice, each with tests or a reason."""
    rows = _rows()
    assert len(rows) == DEMANDS == len({number for number, _ in rows})
    for number, decided in rows:
        assert "::" in decided or decided.startswith(("does not apply: ", "by operation: ")), number


def test_each_test_that_is_named_is_there() -> None:
    """No row leans on a test that is not."""
    known: dict[str, set[str]] = {}
    for number, decided in _rows():
        for path, name in re.findall(r"`([\w/]+\.py)::(\w+)`", decided):
            if path not in known:
                tree = ast.parse((ROOT / "tests" / path).read_text())
                kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
                known[path] = {node.name for node in tree.body if isinstance(node, kinds)}
            assert name in known[path], (number, path, name)
