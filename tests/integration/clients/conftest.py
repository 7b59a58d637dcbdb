"""The clients, installed from their lock files, or a reason to skip; and one closed server for all of them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from tests.integration.clients.closed import Closed
from tests.integration.clients.closed import talk as run_talk
from tests.integration.clients.growth import SCOPES, Site, published


def _load() -> Any:
    spec = spec_from_file_location("clients_install", Path(__file__).with_name("install.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def npm() -> Path:
    """The folder of the npm clients."""
    clients = _load()
    try:
        return Path(clients.install())
    except clients.NotInstalled as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def smart_fetch() -> Path:
    """The command smart-fetch."""
    clients = _load()
    try:
        return Path(clients.install_smart_fetch())
    except clients.NotInstalled as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def node(npm: Path) -> Callable[[str, str], dict[str, Any]]:
    """A function that runs one of the scripts against a URL and gives what it printed."""

    def run(script: str, url: str) -> dict[str, Any]:
        done = subprocess.run(["node", script, url], cwd=npm, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return dict(json.loads(done.stdout))

    return run


@pytest.fixture(scope="session")
def closed(tmp_path_factory: pytest.TempPathFactory, furnish: Callable[[Path], Path]) -> Iterator[Closed]:
    """A closed server with its worker and two patients."""
    made = Closed(furnish(tmp_path_factory.mktemp("closed")))
    yield made
    made.live.stop()


@pytest.fixture(scope="module")
def talk(npm: Path, closed: Closed) -> Iterator[Callable[..., dict[str, Any]]]:
    """A function that runs a script of npm clients at that server, with a person who agrees; what it saw."""
    bob = closed.person("bob")
    yield lambda script, **told: run_talk(script, npm, closed, bob, **told)
    bob.close()


@pytest.fixture(scope="module")
def site(closed: Closed, npm: Path) -> Iterator[Site]:
    """The app, registered as a public client by the name localhost, and one browser; skips where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium")
    with published(npm / "node_modules/fhirclient/build") as port, sync_api.sync_playwright() as playwright:
        app = f"http://localhost:{port}"
        closed.shell(
            "client", "add", "growth", "--title", "Growth", "--redirect", f"{app}/app", "--origin", app,
            "--launch-url", f"{app}/app", "--scopes", SCOPES,
        )  # fmt: skip
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield Site(closed, ada := closed.person("ada"), port, browser.new_context())
        browser.close()
        ada.close()
