"""One live worker for each slot."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fhir_profiles.errors import Category, FhirError
from server.jobs.slot import Slot

HOLD = """
import sys, time
from server.jobs.slot import Slot
slot = Slot(sys.argv[1], 3)
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'slot.db'}"
    made: Callable[[], str] = request.getfixturevalue("postgres_template")
    return made()


def test_a_slot_is_refused_while_its_worker_lives_and_free_when_it_was_killed(url: str) -> None:
    """`kill -9` frees the slot within seconds; until then a second process is refused, another slot is not."""
    other = subprocess.Popen([sys.executable, "-c", HOLD, url], stdout=subprocess.PIPE)
    assert other.stdout is not None
    assert other.stdout.readline() == b"held\n"
    with pytest.raises(FhirError) as refused:
        Slot(url, 3, wait=0)
    assert refused.value.category is Category.BUSY
    with Slot(url, 4, wait=0) as slot:
        assert slot.held()
    other.send_signal(signal.SIGKILL)
    other.wait()
    other.stdout.close()
    with Slot(url, 3) as slot:
        assert slot.held()


def test_a_thread_is_refused_as_another_process_is(tmp_path: Path) -> None:
    """Whoever asks again in the process that has a slot is refused, and the slot stays taken for the others."""
    url = f"sqlite:///{tmp_path / 'test.db'}"
    with Slot(url, 3):
        for _ in range(2):
            with pytest.raises(FhirError):
                Slot(url, 3, wait=0)
        other = f"from server.jobs.slot import Slot; Slot({url!r}, 3, wait=0)"
        refused = subprocess.run([sys.executable, "-c", other], capture_output=True, text=True, check=False)
        assert "FhirError" in refused.stderr
    Slot(url, 3, wait=0).release()
