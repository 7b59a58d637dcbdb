"""The five packages and the walls between them."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = ("server", "extractors", "claims", "terminology", "fhir_profiles")


@pytest.mark.parametrize("package", PACKAGES)
def test_package_resolves_inside_the_repository(package: str, root: Path) -> None:
    """No other distribution of the same name stands in front of ours."""
    found = importlib.import_module(package).__file__
    assert found
    assert Path(found).parent == root / package


@pytest.mark.parametrize("package", PACKAGES)
def test_package_is_typed(package: str, root: Path) -> None:
    """Type checkers of users see our annotations."""
    assert (root / package / "py.typed").exists()


def test_import_walls_hold(root: Path) -> None:
    """import-linter finds every contract of pyproject.toml kept."""
    command = shutil.which("lint-imports", path=str(Path(sys.executable).parent)) or "lint-imports"
    result = subprocess.run([command, "--no-cache"], cwd=root, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_starting_the_command_line_imports_nothing_heavy() -> None:
    """`--help` answers without the web, the ORM, the NLP and the imaging libraries."""
    code = "import sys, server.cli.main; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"fastapi", "sqlalchemy", "spacy", "cv2", "numpy", "fhir.resources", "httpx", "PIL"}.isdisjoint(found)
