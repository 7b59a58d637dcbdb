"""One house and one browser for all tests of pages; without Chromium or npm they skip, visibly."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from tests.browser.house import NORTH, House, Looking, looking

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CLIENTS = Path(__file__).parents[1] / "integration" / "clients" / "install.py"


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, furnish: Callable[[Path], Path]) -> Iterator[House]:
    """A closed server with somebody of every role; what has NORTH as custodian is coded unaided."""
    made = House(furnish(tmp_path_factory.mktemp("house")), FHIRWRIGHT_UNAIDED_CUSTODIANS=f'["{NORTH}"]')
    yield made
    made.live.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless Chromium, ended with its file: the event loop that it brings would stand in the way of other tests."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, from npm."""
    spec = spec_from_file_location("clients_install", CLIENTS)
    assert spec is not None and spec.loader is not None
    clients = module_from_spec(spec)
    spec.loader.exec_module(clients)
    try:
        folder = Path(clients.install())
    except clients.NotInstalled as reason:
        pytest.skip(str(reason))
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


Visit = Callable[..., AbstractContextManager[Looking]]


@pytest.fixture
def visit(chromium: Any, house: House, axe: str) -> Visit:
    """`with visit("coder", scheme="dark", size=SMALL) as seen`: somebody's page; its console must stay silent."""
    return partial(_visit, chromium, house, axe)


def _visit(chromium: Any, house: House, axe: str, role: str, **how: Any) -> AbstractContextManager[Looking]:
    return looking(chromium, house, role, axe, **how)
