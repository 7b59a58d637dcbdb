"""Invented releases, loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from terminology import Terminology, open_terminology
from terminology.build import install
from terminology.ecl.substrate import Substrate
from terminology.importers.given import Given
from terminology.importers.snomed import read
from terminology.source import Source
from tests.unit.terminology.snomed.naive import Naive
from tests.unit.terminology.snomed.release import Release, small, tangled


def load(release: Release, folder: Path) -> Terminology:
    """The terminology of a data directory into which a release was loaded."""
    given = Given((release.write(folder / "release"),))
    for source in read(given):
        if isinstance(source, Source):
            install(folder, f"snomed@{release.day}", [source])
    return open_terminology(folder)


@pytest.fixture(scope="session")
def tangle() -> Release:
    """Some hundred concepts with several parents each."""
    return tangled()


@pytest.fixture(scope="session")
def naive(tangle: Release) -> Naive:
    """What expressions mean there, slowly."""
    return Naive(tangle)


@pytest.fixture(scope="session")
def substrate(tangle: Release, tmp_path_factory: pytest.TempPathFactory) -> Substrate:
    """The same, as the server reads it."""
    loaded = load(tangle, tmp_path_factory.mktemp("tangle"))
    file = loaded.file("http://snomed.info/sct")
    assert file is not None
    return Substrate(file)


@pytest.fixture(scope="session")
def gadgets(tmp_path_factory: pytest.TempPathFactory) -> Terminology:
    """The small release."""
    return load(small(), tmp_path_factory.mktemp("gadgets"))
