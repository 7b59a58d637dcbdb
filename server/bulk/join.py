"""The files of chunks joined to the output: one file of lines for each kind, or Parquet in parts of equal length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import polars as pl

from server.bulk.place import Place
from server.bulk.rows import PART, parquet

_TEXT, _NUMBER = pl.String(), pl.Int64()
_KEY: dict[str, pl.DataType] = {"input": _TEXT, "line": _NUMBER}
COLUMNS: dict[str, dict[str, pl.DataType]] = {
    "coded": {**_KEY, "answer": _TEXT, "outcome": _TEXT},
    "resources": {"resourceType": _TEXT, "id": _TEXT, "resource": _TEXT},
    "responses": {**_KEY, "response": _TEXT, "outcome": _TEXT},
    "findings": {
        **_KEY, "claim": _TEXT, "control": _TEXT, "rule": _TEXT, "severity": _TEXT, "scope": _TEXT,
        "sequence": _NUMBER, "carc": _TEXT,
    },
    "prices": {
        **_KEY, "claim": _TEXT, "seq": _NUMBER, "allowed": _NUMBER, "unit": _NUMBER, "fee": _NUMBER, "why": _TEXT,
        "method": _TEXT, "units": _NUMBER, "carrier": _TEXT, "locality": _TEXT, "factor": _NUMBER,
        "assumed": pl.Boolean(),
    },
    "indexed": {**_KEY, "indexed": _TEXT, "outcome": _TEXT},
}  # fmt: skip
"""Kind → its columns as Parquet; what is nested is JSON as text. Money is in cents."""


def joined(kinds: Sequence[str], form: str, place: Place, folder: str, chunks: int) -> dict[str, str]:
    """Write the output from `folder`; name of each file → its SHA-256."""
    files: dict[str, str] = {}
    for kind in kinds:
        if form == "ndjson":
            parts = (place.read(f"{folder}/{number:08}.{kind}") or b"" for number in range(chunks))
            files[f"{kind}.ndjson"] = place.join(f"{kind}.ndjson", parts)
            continue
        lines = _lines(place, folder, kind, chunks)
        part = 0
        while some := list(islice(lines, PART)):
            name = f"{kind}.parquet/part-{part:06}.parquet"
            if kind == "resources":
                some = [_whole(line) for line in some]
            files[name] = place.join(name, [parquet(some, COLUMNS[kind])])
            part += 1
    return files


def _lines(place: Place, folder: str, kind: str, chunks: int) -> Iterator[bytes]:
    for number in range(chunks):
        yield from (place.read(f"{folder}/{number:08}.{kind}") or b"").splitlines()


def _whole(line: bytes) -> bytes:
    """A resource as a row: what it is, and itself."""
    import orjson

    resource = orjson.loads(line)
    return orjson.dumps({"resourceType": resource["resourceType"], "id": resource.get("id"), "resource": resource})
