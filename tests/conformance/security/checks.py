"""Writes docs/security-checks.md from titles and marked tests: `python tests/conformance/security/checks.py`."""

from __future__ import annotations

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[2]
PAGE = TESTS.parent / "docs" / "security-checks.md"
HEAD = """# Security checks

What a security officer would try, one row for each check, with the tests that try it. A test says which check it is of
with `@pytest.mark.check`; this page is written from those marks by `python tests/conformance/security/checks.py`, and
a test keeps it true. `pytest -m check` runs them all.
What of it is measured at length is under [results](results/index.md).

| check | what holds | tests |
|---|---|---|
"""


def titles() -> dict[str, str]:
    """Each check with its title, in order."""
    told: dict[str, str] = tomllib.loads((Path(__file__).parent / "checks.toml").read_text("utf-8"))["checks"]
    return told


@cache
def marked() -> dict[str, list[str]]:
    """The tests of each check as `path::name`, from the decorators of every test that pytest collects."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        text = path.read_text("utf-8")
        for node in ast.parse(text).body if "mark.check" in text else ():
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for check in _checks_of(node):
                    found[check].append(f"{path.relative_to(TESTS).as_posix()}::{node.name}")
    return found


def _checks_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    for one in node.decorator_list:
        if isinstance(one, ast.Call) and ast.unparse(one.func) == "pytest.mark.check":
            yield from (str(ast.literal_eval(argument)) for argument in one.args)


def page() -> str:
    """The page as it should be."""
    tests = marked()
    rows = (
        f"| {check} | {title} | {'<br>'.join(f'`{name}`' for name in tests[check])} |"
        for check, title in titles().items()
    )
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
