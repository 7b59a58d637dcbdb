"""The adapter for Spark, at its seam: batches of Arrow in, batches of Arrow out; Spark itself runs in the campaign."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from campaigns.claiming.making import claims
from server.bulk import spark
from server.bulk.claiming import Claiming
from server.bulk.work import Chunk, Item, done

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed: the extra `spark`")


def test_batches_hold_the_lines_of_any_other_run(tmp_path: Path) -> None:
    """However items come in batches, the lines by item and place are those that a process writes."""
    work = Claiming(str(tmp_path), "2026-09-01")
    items = [Item("a", n, orjson.dumps(one)) for n, one in enumerate(claims(9), 1)] + [Item("b", 1, b"none")]
    rows = [dict(zip(Item.__struct_fields__, one.__reduce__()[1], strict=True)) for one in items]
    batches = [pa.RecordBatch.from_pylist(rows[5:]), pa.RecordBatch.from_pylist(rows[:5])]
    told = [row for batch in spark._batches(work, iter(batches)) for row in batch.to_pylist()]
    told.sort(key=lambda row: (row["input"], row["line"], row["place"]))
    for kind, content in done(work.open(), work, Chunk(0, items)).files.items():
        assert b"".join(row["body"].encode() + b"\n" for row in told if row["kind"] == kind) == content
