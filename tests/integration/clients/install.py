"""Install the npm clients of the interop tests beside the Python environment, from their lock file.

`python tests/integration/clients/install.py`; prints where, or why not.
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
    """The folder with the clients; NotInstalled without node, npm or a registry to take them from."""
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        raise NotInstalled("node and npm are not on this machine")
    lock = (HERE / "package-lock.json").read_bytes()
    mark = target / "installed"
    wanted = hashlib.sha256(lock).hexdigest()
    if not (mark.is_file() and mark.read_text() == wanted):
        target.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, target)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(target)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            raise NotInstalled(f"npm ci ended with {done.returncode}")
        mark.write_text(wanted)
    for script in HERE.glob("*.mjs"):
        shutil.copy(script, target)
    return target


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{install()}\n")
    except NotInstalled as reason:
        sys.stderr.write(f"the npm clients are not installed: {reason}\n")
