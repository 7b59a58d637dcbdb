"""Install the clients of the interop tests that are no part of the environment: those of npm, and smart-fetch.

`python tests/integration/clients/install.py`; prints where, or why not. Each is as its lock file says. fhirclient is
used as its build for browsers: what it depends on elsewhere is overridden in package.json and never loaded.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
TARGET = Path(sys.prefix) / "share" / "fhirwright-clients"


class NotInstalled(Exception):
    """The clients cannot be had; the message says why."""


def install(target: Path = TARGET) -> Path:
    """The folder with the npm clients; NotInstalled without node, npm or a registry to take them from."""
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        raise NotInstalled("node and npm are not on this machine")
    lock = (HERE / "package-lock.json").read_bytes()
    if not _is_there(target, lock):
        target.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, target)
        quiet = ("--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund")
        _run([npm, "ci", *quiet, "--prefix", str(target)])
        _mark(target, lock)
    for script in HERE.glob("*.mjs"):
        shutil.copy(script, target)
    return target


def install_smart_fetch(target: Path = TARGET / "smart-fetch") -> Path:
    """The command smart-fetch, in an environment of its own; NotInstalled without a registry to take it from."""
    lock = (HERE / "smart_fetch.txt").read_bytes()
    if not _is_there(target, lock):
        uv = [sys.executable, "-m", "uv", "--quiet"]
        _run([*uv, "venv", "--clear", "--python", sys.executable, str(target)])
        python = ["--python", str(target / "bin" / "python")]
        _run([*uv, "pip", "install", "--only-binary", ":all:", *python, "--requirement", str(HERE / "smart_fetch.txt")])
        _mark(target, lock)
    return target / "bin" / "smart-fetch"


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        raise NotInstalled("the registry did not answer in time") from None
    if done.returncode:
        raise NotInstalled(f"{Path(command[0]).name} ended with {done.returncode}: is there a registry?")


def _is_there(target: Path, lock: bytes) -> bool:
    mark = target / "installed"
    return mark.is_file() and mark.read_text() == hashlib.sha256(lock).hexdigest()


def _mark(target: Path, lock: bytes) -> None:
    (target / "installed").write_text(hashlib.sha256(lock).hexdigest())


if __name__ == "__main__":
    for one in (install, install_smart_fetch):
        try:
            sys.stdout.write(f"{one()}\n")
        except NotInstalled as reason:
            sys.stderr.write(f"a client is not installed: {reason}\n")
