"""The campaign that kills server and workers while claims are worked on, at a small size."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_a_kill_changes_no_byte(furnish: Callable[[Path], Path], tmp_path: Path) -> None:
    """A kill while claims are taken in and answered again: every file is that of a run without kills."""
    report = tmp_path / "kill.md"
    size = ["--kills", "1", "--claims", "200", "--stored", "3", "--engine", "sqlite", "--seed", "5"]
    size += ["--data", str(furnish(tmp_path / "built"))]
    command = [sys.executable, "-m", "campaigns.claim_bulk_kill", *size, "--report", str(report)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "| sqlite | 1 (" in report.read_text()
