"""What a killed process leaves in its spool."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from server.audit.chain import events_of
from server.audit.checkpoints import FILE
from server.audit.event import Event, decode, encode
from server.audit.place import directory
from server.audit.spool import Spool
from server.audit.trail import Trail
from server.audit.verify import verify
from server.settings import Settings
from server.store import open_store

DIE = """
import os, signal, sys
from pathlib import Path
from server.audit.event import Event, encode
from server.audit.spool import Spool
spool = Spool(Path(sys.argv[1]))
for n in range(100):
    spool.write(encode(Event(n + 1, "read", 200, request=f"r{n}")) + b"\\n")
torn = encode(Event(101, "read", 200, request="torn")) + b"\\n"
spool._map[spool.size + 1 : spool.size + len(torn)] = torn[1:]  # the first byte, which comes last, is not there yet
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.check("OPS-26")
def test_ops_26_what_a_killed_process_kept_is_chained_once(database_url: str, tmp_path: Path) -> None:
    """OPS-26: after kill -9 each event that was kept is chained once, a torn one not; the chain is whole."""
    settings = Settings(database=database_url, data=tmp_path / "var", open=True)
    store = open_store(database_url, create=False)
    folder = directory(store, settings)
    assert subprocess.run([sys.executable, "-c", DIE, str(folder)], check=False).returncode == -signal.SIGKILL
    trail = Trail(store, settings)
    trail.start()
    for _ in range(3):
        trail.chain()
    trail.close()  # whichever thread took the file in has done so now
    assert [decode(data).at for _, data in events_of(store)] == [*range(1, 101)]
    report = verify(store, (folder / FILE).read_text())
    assert report.whole and report.signed == 100
    store.close()


def test_events_of_a_process_that_lives_are_its_own(tmp_path: Path) -> None:
    """A file is taken in by others only after its process let go of it."""
    from server.audit.spool import orphans

    spool = Spool(tmp_path)
    spool.write(encode(Event(1, "read", 200)) + b"\n")
    assert [one.path.name for one in orphans(tmp_path, [])] == []
    spool.close()
    assert [one.path.name for one in orphans(tmp_path, [])] == [spool.name]
