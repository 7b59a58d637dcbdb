"""Backups in stores of objects: whole or not listed, restored from there, each tenant's apart, no credentials told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import typer
from typer.testing import CliRunner

from fhir_profiles.errors import FhirError
from server.cli.backup import backup
from server.cli.exits import Exit
from server.cli.restore import restore as restoring
from server.continuity.create import create
from server.continuity.follow import follow
from server.continuity.houses import houses, target_at
from server.continuity.keep import Keep, prune
from server.continuity.manifest import FILE
from server.continuity.objects import LEFT_SECONDS, Objects
from server.continuity.postgres_tools import Tools
from server.continuity.restore import choose, restore, verify_backup
from server.continuity.target import STAMP
from server.settings import Settings
from server.store import open_store
from tests.support.backups import Live, ids, write
from tests.support.clock import until

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed: the extra `bulk`")
TOOLS = Tools(None)


@pytest.fixture
def s3() -> Iterator[str]:
    """The URI of a folder in a server that speaks S3, whose address and keys are in the environment."""
    pytest.importorskip("s3fs", reason="s3fs is not installed")
    moto = pytest.importorskip("moto.server", reason="moto[server] is not installed")
    server = moto.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_S3", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "planted-id")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "planted-secret")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        fsspec.filesystem("s3", skip_instance_cache=True).mkdir("hospital")
        yield "s3://hospital/backups"
    server.stop()


@pytest.fixture(params=["memory", "file", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A folder in a store of each kind."""
    if request.param == "s3":
        return str(request.getfixturevalue("s3"))
    return f"memory://{uuid4()}/backups" if request.param == "memory" else f"file://{tmp_path / 'store'}"


def names(place: str) -> list[str]:
    """Every file in the store, by its name below the place."""
    files, root = fsspec.core.url_to_fs(place)
    files.invalidate_cache()
    return sorted(str(path).partition("/backups/")[2] for path in files.find(root))


def test_a_backup_goes_to_a_store_and_comes_back_from_there(live: Live, place: str, tmp_path: Path) -> None:
    """Made, listed, held against its hashes, gone on from by archived changes, thinned out: as in a directory."""
    live.write("a", "b")
    ended, target = threading.Event(), target_at(place, tmp_path / "staging")
    run = threading.Thread(
        target=follow, args=(live.settings, target, TOOLS, lambda: not ended.is_set()),
        kwargs={"seconds": 0.02, "every": 3600.0},
    )  # fmt: skip
    run.start()
    try:
        until(lambda: bool(target_at(place, tmp_path / "looking").list()))
        count = len(list(target.changes.rglob("*.segment")))
        live.write("c")
        until(lambda: len(list(target.changes.rglob("*.segment"))) > count)
    finally:
        ended.set()
        run.join()
    other = target_at(place, tmp_path / "another-machine")  # this one has nothing of it on its disk
    [made] = other.list()
    verify_backup(other, made)
    for name, latest, wanted in (("exact", False, {"a", "b"}), ("latest", True, {"a", "b", "c"})):
        there = live.elsewhere(name)
        assert restore(there, other, choose(other, None, None), TOOLS, latest=latest).wrong == ()
        assert ids(there) == (wanted, True)
    second = create(live.settings, other, TOOLS)
    assert prune(other, Keep(0, 0, 0))[0] == made.id
    assert [one.id for one in other.list()] == [second.id]
    assert not [name for name in names(place) if made.id in name]
    assert not list((tmp_path / "another-machine").rglob(f"*{second.id}*"))


def test_what_was_cut_off_is_no_backup(live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sending that ends after any number of files leaves nothing that is listed; after a day it is removed."""
    live.write("a")
    place = f"memory://{uuid4()}/backups"
    target = target_at(place, tmp_path / "staging")
    put, left, sent = Objects._put, [0], []

    def cut(self: Objects, path: Path, name: str) -> None:
        if len(sent) == left[0]:
            raise FhirError.of("unavailable", "transient", "cut off")  # type: ignore[arg-type]
        sent.append(name)
        put(self, path, name)

    whole = len(create(live.settings, target, TOOLS).files) + 1
    monkeypatch.setattr(Objects, "_put", cut)
    for count in range(whole):
        left[0], sent[:] = count, []
        with pytest.raises(FhirError, match="cut off"):
            create(live.settings, target, TOOLS)
        assert len(target.list()) == 1
    left[0], sent[:] = whole, []
    create(live.settings, target, TOOLS)
    assert sent[-1].endswith(f"/{FILE}")
    files, root = fsspec.core.url_to_fs(place)
    old = f"{datetime.now(UTC) - timedelta(seconds=LEFT_SECONDS + 60):{STAMP}}-abcdef"
    files.pipe_file(f"{root}/backups/{old}/database/database.db", b"half")
    left[0], sent[:] = whole, []
    create(live.settings, target, TOOLS)
    assert not [name for name in names(place) if old in name]


def test_a_changed_byte_in_the_store_is_refused(live: Live, tmp_path: Path) -> None:
    """What is read back is held against its hash before anything is put in its place."""
    live.write("a")
    target = target_at(f"memory://{uuid4()}/backups", tmp_path / "staging")
    made = create(live.settings, target, TOOLS)
    assert isinstance(target, Objects)
    path = target._at(f"backups/{made.id}/database/database.db")
    raw = bytearray(target._fs.cat_file(path))
    raw[len(raw) // 2] ^= 1
    target._fs.pipe_file(path, bytes(raw))
    for attempt in (lambda: verify_backup(target, made), lambda: restore(live.elsewhere("there"), target, made, TOOLS)):
        with pytest.raises(FhirError, match="not what the backup's manifest says"):
            attempt()
    assert not (live.folder / "there" / "there.db").exists()


def test_credentials_are_not_told(tmp_path: Path) -> None:
    """A URI with a password is refused, and what a store answers with is told without its words."""
    with pytest.raises(FhirError, match="do not belong in the URI") as told:
        target_at("sftp://who:planted-secret@host/backups", tmp_path)
    assert "planted" not in str(told.value)
    target = target_at("memory://x/backups", tmp_path)
    assert isinstance(target, Objects)

    class Refusing:
        def __getattr__(self, _: str) -> Any:
            raise RuntimeError("planted-secret")

    target._fs = Refusing()
    with pytest.raises(FhirError, match=r"refused or cannot be reached \(RuntimeError\)") as told:
        target.list()
    assert "planted" not in str(told.value)
    assert told.value.__cause__ is None


def test_each_tenant_has_its_own_backups(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One command for all, or for one; a tenant comes back alone and brings nothing of another."""
    settings = Settings(data=tmp_path / "live", tenants={"north.example": "", "south.example": ""})
    target = str(tmp_path / "target")
    of = {house.name: house.settings for house in houses(settings, target, every=True)}
    assert list(of) == ["", "north.example", "south.example"]
    for one in of.values():
        one.data.mkdir(parents=True)
        Path(one.database_url.partition("///")[2]).write_bytes(sqlite_template.read_bytes())
    for name, one in of.items():
        with closing(open_store(one.database_url, create=False)) as store:
            write(store, f"of-{name or 'server'}")
    monkeypatch.setenv("FHIRWRIGHT_TENANTS", '{"north.example": "", "south.example": ""}')
    (commands := typer.Typer()).command("restore")(restoring)
    commands.add_typer(backup, name="backup")

    def run(*arguments: str) -> int:
        return CliRunner().invoke(commands, arguments).exit_code

    assert run("backup", "create", target, "--tenants", "--data", str(settings.data)) == 0
    assert run("restore", target, "--tenant", "north.example", "--data", str(tmp_path / "north")) == 0
    assert run("restore", target, "--tenants", "--data", str(tmp_path / "all")) == 0
    assert run("restore", target, "--tenants", "--data", str(tmp_path / "all")) == Exit.FAILED
    [north] = houses(settings.model_copy(update={"data": tmp_path / "north"}), target, "north.example")
    assert ids(north.settings) == ({"of-north.example"}, True)
    assert not [path for path in (tmp_path / "north").rglob("*.db") if "north.example" not in str(path)]
    every = houses(settings.model_copy(update={"data": tmp_path / "all"}), target, every=True)
    assert [ids(one.settings)[0] for one in every] == [{f"of-{name or 'server'}"} for name in of]
    with pytest.raises(FhirError, match="no such tenant"):
        houses(settings, target, "west.example")
