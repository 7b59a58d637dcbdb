"""A server of their own for the tests of HL7 v2."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.interactions.fhir import Fhir
from server.settings import Settings
from server.store import open_store


@pytest.fixture(scope="module")
def house(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fhir]:
    """One server that gets the messages of a file of tests."""
    data = tmp_path_factory.mktemp("samples")
    shutil.copy(sqlite_template, data / "fhirwright.db")
    settings = Settings(data=data, open=True)
    store = open_store(settings.database_url, create=False)
    yield Fhir(store, settings)
    store.close()
