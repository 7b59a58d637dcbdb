"""The npm clients, installed from their lock file, or a reason to skip."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest


def _load() -> Any:
    spec = spec_from_file_location("clients_install", Path(__file__).with_name("install.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def node() -> Callable[[str, str], dict[str, Any]]:
    """A function that runs one of the scripts against a URL and gives what it printed."""
    clients = _load()
    try:
        folder = clients.install()
    except clients.NotInstalled as reason:
        pytest.skip(str(reason))

    def run(script: str, url: str) -> dict[str, Any]:
        done = subprocess.run(
            ["node", script, url], cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return dict(json.loads(done.stdout))

    return run
