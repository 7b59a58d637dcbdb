"""How our source reads."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

MAX_FILE, MAX_FUNCTION = 400, 60
URI = re.compile(r"\bhttps?://[a-z][\w-]*(\.[\w-]+)+|\burn:(?!uuid)[a-z]+:[\w.]{2,}", re.IGNORECASE)


def test_a_uri_literal_stands_only_in_systems(modules: list[Path], root: Path) -> None:
    """Every other module takes its URIs from `fhir_profiles.systems`; docstrings may point to the specification."""
    found = [
        f"{path.relative_to(root)}:{node.lineno} {node.value[:80]}"
        for path in modules
        if path != root / "fhir_profiles" / "systems.py"
        for node in _strings(ast.parse(path.read_text()))
        if URI.search(node.value)
    ]
    assert found == []


def _strings(tree: ast.Module) -> Iterator[ast.Constant]:
    """The string constants of a module that are not docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node


def test_files_fit_in_a_few_screens(modules: list[Path], root: Path) -> None:
    """No module is longer than the cap; one that is has two ideas in it."""
    lengths = {str(path.relative_to(root)): len(path.read_text().splitlines()) for path in modules}
    assert {name: length for name, length in lengths.items() if length > MAX_FILE} == {}


def test_functions_fit_in_one_screen(modules: list[Path], root: Path) -> None:
    """No function is longer than the cap."""
    found = [
        f"{path.relative_to(root)}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for path in modules
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno + 1 > MAX_FUNCTION
    ]
    assert found == []


def test_every_module_says_what_it_is(modules: list[Path], root: Path) -> None:
    """The first line of each module is a docstring of one sentence."""
    assert [str(p.relative_to(root)) for p in modules if not ast.get_docstring(ast.parse(p.read_text()))] == []


def test_nothing_prints(modules: list[Path], root: Path) -> None:
    """Packages log or return; only the command line talks, through its own module."""
    found = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in modules
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert [place for place in found if not place.startswith("fhir_profiles/compile.py")] == []


def test_no_vague_names(modules: list[Path], root: Path) -> None:
    """A file or class is named for what it is, not for being useful."""
    vague = re.compile(r"(Manager|Helper|Util|Utils|Service)$")
    files = [str(p.relative_to(root)) for p in modules if p.stem in ("utils", "util", "helpers", "common", "misc")]
    classes = [
        f"{path.relative_to(root)} {node.name}"
        for path in modules
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and vague.search(node.name)
    ]
    assert files + classes == []


def test_every_test_states_its_promise(root: Path) -> None:
    """Each test function has a docstring."""
    found = [
        f"{path.relative_to(root)} {node.name}"
        for path in sorted((root / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert found == []
