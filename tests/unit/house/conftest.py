"""The repository, seen from outside."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("server", "extractors", "claims", "terminology", "fhir_profiles")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def tracked() -> list[Path]:
    """Every file under version control that exists; without git, every file of the folders that ship."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, text=True)
    if listing.returncode:
        return [file for package in PACKAGES for file in (ROOT / package).rglob("*") if file.is_file()]
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="session")
def modules() -> list[Path]:
    """Every Python file of the five packages."""
    return sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
