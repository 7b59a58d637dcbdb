"""The campaign that kills the MLLP listener, at a small size."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]


def test_nothing_lost_nothing_doubled(tmp_path: Path) -> None:
    """A listener killed in the middle of a stream of messages: each message has its effect once."""
    report = tmp_path / "doors.md"
    size = ["--kills", "1", "--messages", "60", "--engine", "sqlite", "--report", str(report)]
    command = [sys.executable, "-m", "campaigns.doors", *size]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "| sqlite | 1 | 60 |" in report.read_text()
