"""The same work on Spark, for who has Databricks or Glue: `mapInArrow` over the functions that every other run uses.

https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.DataFrame.mapInArrow.html
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from io import BytesIO
from typing import Any

import polars as pl

from server.bulk.place import place_of
from server.bulk.source import Source
from server.bulk.work import Chunk, Item, Work, Worker

SCHEMA = "kind string, input string, line bigint, place int, body string"
"""Of what comes: kind of output, file and line of the item, place of the line among those of its item, and itself."""
ITEMS = "input string, line bigint, body binary, refused string"
"""Of what goes in: as `server.bulk.work.Item`."""
_COLUMNS = {"input": pl.String, "line": pl.Int64, "body": pl.Binary, "refused": pl.String}
_held: dict[Work, Worker] = {}


def items(spark: Any, given: str, work: Work, room: str, longest: int = 64 * 1024 * 1024) -> Any:
    """An input as a DataFrame, by way of `room`, a folder or URI that driver and executors share.

    Documents longer than `longest` bytes are refused with a reason. Whoever has a table already needs none of this:
    its columns are to be called as in ITEMS.
    """
    source, place = Source(given, longest), place_of(room)
    for chunk in source.chunks(work.at_once):
        rows = [(one.input, one.line, one.body, one.refused) for one in source.filled(chunk).items]
        frame, file = pl.DataFrame(rows, _COLUMNS, orient="row"), BytesIO()
        frame.write_parquet(file)
        place.write(f"items-{chunk.number:08}.parquet", file.getvalue())
    return spark.read.schema(ITEMS).parquet(room)


def results(frame: Any, work: Work) -> Any:
    """The lines of all kinds that come of the items of a DataFrame, in no order: `lines` puts them in order."""
    return frame.mapInArrow(partial(_batches, work), SCHEMA)


def lines(frame: Any, kind: str) -> Iterator[bytes]:
    """The output of one kind as any other run writes it."""
    found = frame.where(frame.kind == kind).orderBy("input", "line", "place").select("body")
    for row in found.toLocalIterator():
        yield row.body.encode() + b"\n"


def _batches(work: Work, batches: Iterator[Any]) -> Iterator[Any]:
    """Batches of items as batches of lines. Rules and terminology are opened once in each Python process of Spark."""
    import pyarrow as pa

    os.environ["POLARS_MAX_THREADS"] = "1"
    if (worker := _held.get(work)) is None:
        worker = _held[work] = work.open()
    for batch in batches:
        some = [Item(*row.values()) for row in batch.select(list(Item.__struct_fields__)).to_pylist()]
        for first in range(0, len(some), work.at_once):
            yield pa.RecordBatch.from_pylist(
                _told(worker, work, Chunk(0, some[first : first + work.at_once])), _schema(pa)
            )


def _told(worker: Worker, work: Work, chunk: Chunk) -> list[dict[str, Any]]:
    """What comes of a chunk, each line with its place."""
    rows = worker.rows(chunk.items)
    found = []
    for kind in work.kinds:
        last, place = -1, 0
        for at, body in rows.get(kind, ()):
            place, last = (place + 1 if at == last else 0), at
            item = chunk.items[at]
            found.append({"kind": kind, "input": item.input, "line": item.line, "place": place, "body": body.decode()})
    return found


def _schema(pa: Any) -> Any:
    texts = {name: pa.string() for name in ("kind", "input", "body")}
    kinds = {**texts, "line": pa.int64(), "place": pa.int32()}
    return pa.schema([(name, kinds[name]) for name in ("kind", "input", "line", "place", "body")])
