"""Bulk runs of notes and of a store: gone on with after a kill, the same as if nothing had happened."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest

from server.bulk import coding, reindexing
from server.bulk.coding import Coding
from server.bulk.place import place_of
from server.bulk.reindexing import Reindexing, Stored
from server.bulk.run import Progress, Task, run
from server.bulk.source import Source
from server.interactions.fhir import Fhir
from server.jobs.bounds import bounds_of
from server.settings import Settings
from server.store import Store, open_store
from tests.conftest import make_request

pytest.importorskip("fsspec", reason="fsspec is not installed: the extra `bulk`")
NOTES = [f"ASSESSMENT\n1. Essential hypertension (I10)\nVitals: BP 1{n}8/82 mmHg\n" for n in range(2, 6)]
PATIENTS = 7


class Killed(BaseException):
    """The process was killed."""


def kill_after(items: int) -> Any:
    """Dies once so many items are done."""

    def told(at: Progress) -> None:
        if at.items >= items:
            raise Killed

    return told


def test_coding_goes_on_after_a_kill(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes that were coded before are not coded again; answers and resources are those of one run to the byte."""
    file = tmp_path / "notes.ndjson"
    file.write_bytes(b"\n".join(orjson.dumps({"id": f"n{n}", "text": text}) for n, text in enumerate(NOTES)))
    monkeypatch.setattr(coding, "AT_ONCE", 1)
    work = Coding(bounds_of(Settings(data=built)), None, "2026-09-01T00:00:00Z")
    worked: list[int] = []
    with closing(work.open()) as coders:

        class Open:
            told, close = coders.told, staticmethod(lambda: None)

            def rows(self, items: Any) -> Any:
                worked.append(len(items))
                return coders.rows(items)

        monkeypatch.setattr(Coding, "open", lambda *_: Open())
        task, source = Task(work), Source(str(file), 1 << 20)
        whole = run(task, source, place_of(str(tmp_path / "whole")))
        assert set(whole.files) == {"coded.ndjson", "resources.ndjson"} and whole.items == len(NOTES) == sum(worked)
        with pytest.raises(Killed):
            run(task, source, place_of(str(tmp_path / "out")), kill_after(3))
        worked.clear()
        assert run(task, source, place_of(str(tmp_path / "out"))).files == whole.files
    assert sum(worked) == 1
    rows = [orjson.loads(line) for line in (tmp_path / "out" / "coded.ndjson").read_bytes().splitlines()]
    assert [row["line"] for row in rows] == [1, 2, 3, 4] and all(b"I10" in orjson.dumps(row["answer"]) for row in rows)


@pytest.fixture
def filled(sqlite_template: Path, tmp_path: Path) -> Iterator[tuple[Store, str]]:
    """A store with patients whose index is lost, and its URL."""
    shutil.copy(sqlite_template, tmp_path / "t.db")
    url = f"sqlite:///{tmp_path / 't.db'}"
    store = open_store(url)
    fhir = Fhir(store, Settings(data=tmp_path, database=url, open=True))
    for n in range(PATIENTS):
        patient = {"resourceType": "Patient", "id": f"p{n}", "gender": "female", "name": [{"family": f"Family{n}"}]}
        fhir.handle_sync(make_request("PUT", f"Patient/p{n}", patient))
    yield store, url
    store.close()


def test_reindexing_goes_on_after_a_kill(
    filled: tuple[Store, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each resource is found again, and each that was indexed before the kill was done once."""
    store, url = filled
    index = "SELECT param, value, rid FROM idx_string ORDER BY 1, 2, 3"
    before = store.query(index)
    store.write_sync(lambda tx: tx.execute("DELETE FROM idx_string"))
    monkeypatch.setattr(reindexing, "AT_ONCE", 2)
    task = Task(Reindexing(str(tmp_path), url))
    out = place_of(str(tmp_path / "out"))
    with pytest.raises(Killed):
        run(task, Stored(store, ("Patient",)), out, kill_after(4))
    assert len(store.query(index)) == len(before) * 4 // PATIENTS
    done = run(task, Stored(store, ("Patient",)), out)
    assert (done.items, done.refused) == (PATIENTS, 0)
    assert store.query(index) == before and len(before) >= PATIENTS
    rows = [orjson.loads(line) for line in (tmp_path / "out" / "indexed.ndjson").read_bytes().splitlines()]
    assert [row["indexed"] for row in rows] == [f"Patient/p{n}" for n in range(PATIENTS)]
