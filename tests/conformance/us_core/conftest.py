"""US Core 6.1.0, loaded from its package as a user loads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fhir_profiles.conform import Members, Own, Profiles
from fhir_profiles.packages import Library, install
from terminology.value_sets import ValueSets

PACKAGE = Path(__file__).parents[4] / "shared/conformance/packages/hl7.fhir.us.core-6.1.0.tgz"


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A data directory with the package."""
    if not PACKAGE.exists():
        pytest.skip("the US Core package is not beside the repository")
    data = tmp_path_factory.mktemp("us-core")
    install(data, PACKAGE)
    return Library(data)


@pytest.fixture(scope="session")
def profiles(library: Library) -> Profiles:
    """Our profiles and those of the package."""
    return Profiles([Own(), library])


@pytest.fixture(scope="session")
def codes(profiles: Profiles) -> Callable[[str], Members | None]:
    """The value sets of the package and of HL7, without any licensed code system."""

    def resolve(url: str) -> dict | None:
        return profiles.resource("ValueSet", url) or profiles.resource("CodeSystem", url)

    return ValueSets(None, resolve).members
