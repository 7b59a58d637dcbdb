"""Bulk runs of claims: whoever works, however the input lies and whatever is killed, the output is the same."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from campaigns.claiming.making import claims
from fhir_profiles.errors import FhirError
from server.bulk import claiming
from server.bulk.claiming import Claiming
from server.bulk.place import place_of
from server.bulk.run import Form, Progress, Summary, Task, run
from server.bulk.source import Source
from server.bulk.work import Item, Rows

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed: the extra `bulk`")
DAY = "2026-09-01"
LINES = [orjson.dumps(one) for one in claims(60)]
LINES[7:7] = [b"no claim", b"", b'{"resourceType":"Patient"}']


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Claims, with lines that are none."""
    path = tmp_path / "claims.ndjson"
    path.write_bytes(b"\n".join(LINES))
    return path


def ran(
    file: str | Path,
    out: str | Path,
    form: Form = "ndjson",
    processes: int = 1,
    told: Callable[[Progress], object] = id,
) -> Summary:
    """A run over what is loaded nowhere: rules alone."""
    work = Claiming(str(Path(__file__).parent / "nothing"), DAY)
    return run(Task(work, form, processes), Source(str(file), 1 << 20), place_of(str(out)), told)


def test_each_item_has_a_line_with_its_answer_or_its_reason(file: Path, tmp_path: Path) -> None:
    """Every line that is not blank has its line of output, in its place, and one that is no claim says why."""
    summary = ran(file, tmp_path / "out")
    rows = [orjson.loads(line) for line in (tmp_path / "out" / "responses.ndjson").read_bytes().splitlines()]
    assert [row["line"] for row in rows] == [n for n, line in enumerate(LINES, 1) if line]
    refused = [row for row in rows if "outcome" in row]
    assert [row["line"] for row in refused] == [8, 10] and summary.refused == 2 and summary.items == 62
    assert all(row["outcome"]["issue"][0]["diagnostics"] for row in refused)
    assert not (tmp_path / "out" / ".chunks").exists()


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_the_output_does_not_know_how_the_input_was_cut(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Chunks of any length give the same files."""
    whole = ran(file, tmp_path / "whole").files
    monkeypatch.setattr(claiming, "AT_ONCE", at_once)
    assert ran(file, tmp_path / "cut").files == whole


def test_processes_give_the_same(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes write what one writes."""
    monkeypatch.setattr(claiming, "AT_ONCE", 10)
    assert ran(file, tmp_path / "two", processes=2).files == ran(file, tmp_path / "one").files


def test_a_run_goes_on_after_a_kill(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done is not done again, a chunk whose file was damaged is, and the output is that of one run."""
    monkeypatch.setattr(claiming, "AT_ONCE", 5)
    whole, out = ran(file, tmp_path / "whole"), tmp_path / "out"

    def killed(at: Progress) -> None:
        if at.items >= 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ran(file, out, told=killed)
    assert not (out / "responses.ndjson").exists()
    (out / ".chunks" / "00000002.responses").write_bytes(b"half")
    worked: list[int] = []
    rows = claiming.Scrubber.rows

    def counted(self: Any, items: Sequence[Item]) -> Rows:
        worked.append(len(items))
        return rows(self, items)

    monkeypatch.setattr(claiming.Scrubber, "rows", counted)
    assert ran(file, out).files == whole.files
    assert sum(worked) == whole.items - 30 + 5
    assert ran(file, out) == whole and sum(worked) == whole.items - 25


def test_another_input_is_not_mixed_in(file: Path, tmp_path: Path) -> None:
    """A folder that holds the output of another input is refused, and so is one that holds anything else."""
    ran(file, tmp_path / "out")
    (tmp_path / "other.ndjson").write_bytes(LINES[0])
    with pytest.raises(FhirError, match="another input"):
        ran(tmp_path / "other.ndjson", tmp_path / "out")
    with pytest.raises(FhirError, match="not empty"):
        ran(file, tmp_path)


@pytest.fixture
def memory() -> Iterator[Any]:
    """An object store in memory."""
    store = fsspec.filesystem("memory")
    yield store
    store.rm("/bulk", recursive=True)


def test_object_stores_are_read_and_written(file: Path, tmp_path: Path, memory: Any) -> None:
    """By URI, packed, as Parquet: the same claims have the same answers, named by the file they came from."""
    memory.pipe_file("/bulk/in/a.ndjson.gz", gzip.compress(file.read_bytes()))
    pl.DataFrame({"resource": [line.decode() for line in LINES if line]}).write_parquet(tmp_path / "b.parquet")
    memory.pipe_file("/bulk/in/deep/b.parquet", (tmp_path / "b.parquet").read_bytes())
    memory.pipe_file("/bulk/in/_SUCCESS", b"")
    ran("memory://bulk/in", "memory://bulk/out")
    rows = [orjson.loads(line) for line in memory.cat_file("/bulk/out/responses.ndjson").splitlines()]
    packed, rowed = ([r.get("response") for r in rows if r["input"] == n] for n in ("a.ndjson.gz", "deep/b.parquet"))
    assert packed == rowed and len(rows) == 124
    assert ran("memory://bulk/in/*.gz", tmp_path / "glob").items == 62


def test_a_damaged_file_is_a_line_and_stops_nothing(tmp_path: Path) -> None:
    """What is packed badly, no Parquet, or no claims at all has a reason; the files around it are worked on."""
    (folder := tmp_path / "in").mkdir()
    (folder / "a.ndjson.gz").write_bytes(gzip.compress(LINES[0] * 50)[:-20])
    (folder / "b.parquet").write_bytes(b"PAR1 no more")
    (folder / "c.pdf").write_bytes(b"%PDF-1.4")
    (folder / "d.ndjson").write_bytes(LINES[0])
    ran(folder, tmp_path / "out")
    rows = [orjson.loads(line) for line in (tmp_path / "out" / "responses.ndjson").read_bytes().splitlines()]
    assert {row["input"]: "outcome" in row for row in rows} == {
        "a.ndjson.gz": True, "b.parquet": True, "c.pdf": True, "d.ndjson": False,
    }  # fmt: skip


def test_parquet_holds_what_lines_hold(file: Path, tmp_path: Path) -> None:
    """As Parquet the output has the same rows, with what is nested as JSON."""
    ran(file, tmp_path / "lines")
    ran(file, tmp_path / "rows", "parquet")
    frame = pl.read_parquet(tmp_path / "rows" / "responses.parquet" / "part-000000.parquet")
    lines = [orjson.loads(line) for line in (tmp_path / "lines" / "responses.ndjson").read_bytes().splitlines()]
    assert frame["line"].to_list() == [row["line"] for row in lines]
    assert [text and orjson.loads(text) for text in frame["response"]] == [row.get("response") for row in lines]
