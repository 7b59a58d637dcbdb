"""Runs of claims that are killed, cannot write, or go over a cluster."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from campaigns.claim_kills import campaign
from campaigns.claiming.making import claims
from claims.run import write as writing
from claims.run.job import Job
from claims.run.run import run
from claims.run.write import write
from fhir_profiles.errors import FhirError


def test_killed_runs_end_with_the_same_bytes(tmp_path: Path) -> None:
    """Killed whole, at its head or one process alone, a run that is gone on with ends as one that was let alone."""
    result = campaign(tmp_path, 1200, 5, 3, 600_000)
    assert result.kills.total() == 5 and result.sound


def test_a_full_disk_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to do, no half file is left, and what stood before stands."""
    (file := tmp_path / "a.json").write_bytes(b"before")

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writing.os, "fsync", full)
    with pytest.raises(FhirError, match="Make room and run again"):
        write(file, b"after")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"] and file.read_bytes() == b"before"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Below a file there can be no folder: an error in words, before any work."""
    file = tmp_path / "f.ndjson"
    file.write_bytes(b"\n".join(orjson.dumps(one) for one in claims(3)))
    with pytest.raises(FhirError, match="cannot be written"):
        run(Job(file, file / "out", tmp_path / "data", None, "2026-07-01"))


def test_a_run_stops_at_a_limit_of_the_disk_and_goes_on(tmp_path: Path) -> None:
    """Where a process may write no more than some bytes the run ends in words; with room it goes on to the end."""
    file = tmp_path / "f.ndjson"
    file.write_bytes(b"\n".join(orjson.dumps(one) for one in claims(60)))
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); "
    begin = "import sys; from server.cli.main import main; main(sys.argv[1:])"
    command = ["claims", "run", str(file), "--out", str(tmp_path / "out"), "--data", str(tmp_path), "--processes", "1"]
    first: Any = subprocess.run([sys.executable, "-c", limit + begin, *command], capture_output=True, check=False)
    assert first.returncode == 4 and b"Make room" in first.stderr
    assert not list((tmp_path / "out").glob("*/.*"))
    subprocess.run([sys.executable, "-c", begin, *command], capture_output=True, check=True)
    assert len((tmp_path / "out" / "responses" / "000000.ndjson").read_bytes().splitlines()) == 60


def test_a_cluster_gives_the_same_bytes() -> None:
    """On Ray with two nodes every file is as without; also where a process and a node are lost meanwhile."""
    pytest.importorskip("ray", reason="Ray is not installed: the extra `ray`")
    command = [sys.executable, "-m", "campaigns.claim_ray", "--claims", "800", "--chunk", "300000", "--untimed"]
    done = subprocess.run(command, capture_output=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    told = done.stdout.decode()
    assert all(f"{name}: every byte" in told for name in ("two nodes", "a process and a node lost"))
