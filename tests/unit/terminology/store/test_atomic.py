"""A file is the old one or the whole new one, whoever dies or builds beside."""

import multiprocessing
import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from terminology import open_terminology
from terminology.build import install
from terminology.source import Progress
from terminology.store.atomic import written_whole
from tests.unit.terminology.store.invented import many, plants


def _build(folder: Path, version: str, progress: Progress | None = None) -> None:
    install(folder, "many@1", [many(6_000, 1)], progress)


def _build_and_stop(folder: Path, reached) -> None:
    """Build, and wait in the middle of writing."""

    def told(_what: str, done: int, _total: int) -> None:
        if done:
            reached.set()
            time.sleep(60)

    _build(folder, "1", told)


def test_a_builder_that_is_killed_leaves_nothing_half_loaded(tmp_path: Path) -> None:
    """After kill -9 the old file answers, and the next builder clears what was left."""
    install(tmp_path, "many@1", [plants(name="many")])
    context = multiprocessing.get_context("fork")
    reached = context.Event()
    builder = context.Process(target=_build_and_stop, args=(tmp_path, reached))
    builder.start()
    assert reached.wait(120)
    folder = tmp_path / "terminology"
    assert len(list(folder.iterdir())) == 2
    os.kill(builder.pid, signal.SIGKILL)
    builder.join(120)
    assert open_terminology(tmp_path).lookup("many", "T1").display == "Apple tree"
    install(tmp_path, "plants@1", [plants()])
    assert sorted(p.name for p in folder.iterdir()) == ["many@1.sqlite", "plants@1.sqlite"]


def test_a_living_builder_is_left_alone(tmp_path: Path) -> None:
    """Another build beside it does not take its temporary file for a leftover."""
    with written_whole(tmp_path / "a") as one:
        with written_whole(tmp_path / "b") as other:
            other.write_text("b")
        assert one.exists()
        one.write_text("a")
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"a": "a", "b": "b"}


def test_two_processes_build_the_same_file_at_once(tmp_path: Path) -> None:
    """Both end well and one whole file stands there."""
    context = multiprocessing.get_context("fork")
    builders = [context.Process(target=_build, args=(tmp_path, "1")) for _ in range(2)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join(120)
    assert [builder.exitcode for builder in builders] == [0, 0]
    (file,) = (tmp_path / "terminology").iterdir()
    with sqlite3.connect(file) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
    assert open_terminology(tmp_path).lookup("many", "m5999") is not None


def test_an_error_leaves_the_old_file(tmp_path: Path) -> None:
    """What fails in the middle changes nothing."""
    (tmp_path / "a").write_text("old")
    with pytest.raises(ValueError, match="damaged"), written_whole(tmp_path / "a") as temporary:
        temporary.write_text("half")
        raise ValueError("damaged")
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"a": "old"}


def test_a_file_of_another_layout_says_what_to_do(tmp_path: Path) -> None:
    """It is refused by name, and building makes it anew."""
    path = install(tmp_path, "plants@1", [plants()])
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 1")
    db.close()
    with pytest.raises(Exception, match=r"plants@1\.sqlite has another layout: run `fhirwright load`"):
        open_terminology(tmp_path)
    assert install(tmp_path, "plants@1", [plants()]) is not None


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    """Rubbish in the place of a file does not count as that edition."""
    path = install(tmp_path, "plants@1", [plants()])
    path.write_bytes(b"rubbish" * 1000)
    assert install(tmp_path, "plants@1", [plants()]) is not None
