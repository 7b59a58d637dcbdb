"""Backups: made beside writers, whole or without a name, restored elsewhere with the same counts, hashes and chain."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
import time

import pytest

from fhir_profiles.errors import FhirError
from server.audit.checkpoints import FILE
from server.continuity.changes import Follower
from server.continuity.create import create
from server.continuity.follow import follow
from server.continuity.keep import Keep, prune
from server.continuity.postgres_tools import Tools
from server.continuity.restore import restore, verify_backup
from tests.support.backups import ids
from tests.support.clock import until

TOOLS = Tools(None)


def test_a_restore_brings_back_what_the_backup_held(live):
    """Counts, hashes and the chain are those of the backup's point; what came later is not there."""
    live.write("a", "b")
    live.sign()
    made = create(live.settings, live.target, TOOLS)
    live.write("c")
    there = live.elsewhere("there")
    done = restore(there, live.target, made, TOOLS)
    assert done.wrong == ()
    assert done.standing == made.standing
    assert ids(there) == ({"a", "b"}, True)


def test_the_trail_tells_of_the_cut(live):
    """Checkpoints of events that the restore lost are void by a signed line, and the trail stays whole afterwards."""
    live.write("a")
    live.sign()
    made = create(live.settings, live.target, TOOLS)
    live.write("b", "c")
    live.sign()
    text = (live.audit / FILE).read_text()
    there = live.elsewhere("there")
    live.target.changes.mkdir()
    (live.target.changes / FILE).write_text(text)
    Follower(live.path, live.target.changes).look()
    assert restore(there, live.target, made, TOOLS).wrong == ()
    assert '"restored"' in (there.data / "there.db-audit" / FILE).read_text()
    assert ids(there)[1]


def test_any_later_moment_can_be_reached(live):
    """Archived changes bring a backup to the moment asked for: neither more nor less. What was signed later is void."""
    live.write("a")
    live.sign()
    live.target.changes.mkdir(parents=True)
    follower = Follower(live.path, live.target.changes)
    follower.look()
    made = create(live.settings, live.target, TOOLS)
    live.write("b")
    follower.look()
    moment = time.time_ns() // 1000
    live.write("c")
    live.sign()
    follower.look()
    (live.target.changes / FILE).write_text((live.audit / FILE).read_text())
    for name, options, wanted in (("t", {"to_time": moment}, {"a", "b"}), ("l", {"latest": True}, {"a", "b", "c"})):
        there = live.elsewhere(name)
        assert restore(there, live.target, made, TOOLS, **options).wrong == ()
        assert ids(there) == (wanted, True)


def test_changes_are_archived_while_a_backup_is_made(live, monkeypatch):
    """A large database takes its time: what is committed meanwhile does not wait for it."""
    copying, enough = threading.Event(), threading.Event()

    def slow(*_, **__):
        copying.set()
        enough.wait()

    monkeypatch.setattr("server.continuity.follow.create", slow)
    ended = threading.Event()
    run = threading.Thread(
        target=follow, args=(live.settings, live.target, TOOLS, lambda: not ended.is_set()),
        kwargs={"seconds": 0.01, "every": 3600.0},
    )  # fmt: skip
    run.start()
    try:
        until(copying.is_set)
        count = len(list(live.target.changes.rglob("*.segment")))
        live.write("a")
        until(lambda: len(list(live.target.changes.rglob("*.segment"))) > count)
    finally:
        ended.set()
        enough.set()
        run.join()


def test_changes_go_on_where_the_log_begins_anew(live):
    """A log that starts over leaves no gap where its end could still be read."""
    live.write("a")
    live.target.changes.mkdir(parents=True)
    follower = Follower(live.path, live.target.changes)
    follower.look()
    made = create(live.settings, live.target, TOOLS)
    live.write(*(f"b{n}" for n in range(50)))
    follower.look()
    live.write("tail")
    with sqlite3.connect(live.path) as raw:
        raw.execute("PRAGMA wal_checkpoint(RESTART)")
    live.write("c")
    follower.look()
    there = live.elsewhere("there")
    assert restore(there, live.target, made, TOOLS, latest=True).wrong == ()
    assert ids(there)[0] >= {"a", "tail", "c", "b49"}
    assert len(list(live.target.changes.glob("run-*"))) == 1


def test_a_killed_backup_has_no_name(live):
    """Whatever moment a backup is killed at, what is listed is whole, and the next one clears away what was left."""
    live.write(*(f"a{n}" for n in range(200)))
    create(live.settings, live.target, TOOLS)
    for number in range(6):
        pid = os.fork()
        if pid == 0:
            try:
                create(live.settings, live.target, TOOLS)
            finally:
                os._exit(0)
        time.sleep(0.004 * number)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        for one in live.target.list():
            verify_backup(live.target, one)
    create(live.settings, live.target, TOOLS)
    assert not list(live.target.backups.glob(".partial-*"))


def test_a_damaged_backup_is_refused(live):
    """A byte that changed is told before anything is restored."""
    live.write("a")
    made = create(live.settings, live.target, TOOLS)
    path = live.target.path(made) / "database" / "database.db"
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(FhirError, match="not what the backup's manifest says"):
        restore(live.elsewhere("there"), live.target, made, TOOLS)


def test_a_full_directory_is_not_overwritten(live):
    """Restoring goes into an empty place only, unless forced."""
    live.write("a")
    made = create(live.settings, live.target, TOOLS)
    with pytest.raises(FhirError, match="not empty"):
        restore(live.settings, live.target, made, TOOLS)


def test_the_newest_backup_always_stays(live):
    """Thinning out leaves one of each day, and never nothing."""
    live.write("a")
    first, second = (create(live.settings, live.target, TOOLS) for _ in range(2))
    assert first.id in prune(live.target, Keep(0, 0, 0))
    assert [one.id for one in live.target.list()] == [second.id]
