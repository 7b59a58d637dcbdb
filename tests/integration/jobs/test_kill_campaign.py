"""The kill campaign itself, at a small size."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_a_few_kills_lose_and_double_nothing(built: Path, tmp_path: Path) -> None:
    """Two kills among server and workers over eight documents: what is stored is what an unkilled run stores."""
    report = tmp_path / "kill.md"
    size = ["--kills", "2", "--documents", "8", "--engine", "sqlite", "--seed", "5"]
    command = [sys.executable, "-m", "campaigns.kill", *size, "--data", str(built), "--report", str(report)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "| sqlite | 2 (" in report.read_text()
