"""A server to talk to, in process over each database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from server.app import create_app
from server.settings import Settings


@pytest.fixture
async def app(database_url: str, tmp_path: Path) -> AsyncIterator[object]:
    """The whole application over an empty database of each engine."""
    made = create_app(Settings(database=database_url, data=tmp_path / "var", open=True, log_requests="problems"))
    yield made
    made.state.fhir.store.close()


@pytest.fixture
async def client(app: object) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, its base URL the FHIR base."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/fhir/") as made:
        yield made
