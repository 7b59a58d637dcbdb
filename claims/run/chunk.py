"""One chunk of claims: scrub it and write what was found, each file whole or not at all."""

from __future__ import annotations

import gc
import hashlib
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import msgspec
import orjson
import polars as pl

from claims.answer.head import Head
from claims.answer.response import Written, response
from claims.answer.scrub import Scrub
from claims.learn.columns import ASKED
from claims.learn.score import Scorer
from claims.run.counts import Counts
from claims.run.cut import LONGEST, Chunk, read
from claims.run.repeats import MARK
from claims.run.sheets import findings, prices, scores, tally
from claims.run.write import write
from claims.sheet.sheet import Sheet
from claims.sheet.values import day
from fhir_profiles.errors import FhirError

KINDS = {
    "findings": "parquet", "prices": "parquet", "scores": "parquet", "responses": "ndjson", "rejected": "ndjson",
}  # fmt: skip
"""Folder → what its files are; one file for each chunk."""


class Made(NamedTuple):
    """What a chunk comes to: kind → content of its file, a mark for each claim, and the counts."""

    files: dict[str, bytes]
    marks: bytes
    counts: Counts


class Read(NamedTuple):
    """The claims of a chunk: numbers of their lines, rows, heads where answers are asked, digests; and what is none."""

    numbers: list[int]
    sheet: Sheet
    heads: list[Head]
    digests: list[bytes]
    rejected: list[tuple[int, str]]


def work(
    scrub: Scrub, path: Path, chunk: Chunk, out: Path, on: str, *, responses: bool = True, scorer: Scorer | None = None
) -> Counts:
    """Scrub a chunk and write its files below `out`, whose folders exist; its counts come last, and say it is done."""
    return keep(out, chunk, made(scrub, read(path, chunk), chunk, on, responses=responses, scorer=scorer))


def made(
    scrub: Scrub, body: bytes, chunk: Chunk, on: str, *, responses: bool = True, scorer: Scorer | None = None
) -> Made:
    """What the bytes of a chunk come to; the same for the same bytes."""
    collecting = gc.isenabled()
    gc.disable()  # rows of claims hold no cycles, and are many
    try:
        written = Written("", on, scrub.stamp.brief, bool(scrub.stamp.not_run))
        return _made(scrub, body, chunk, written, responses, scorer)
    finally:
        if collecting:
            gc.enable()


def keep(out: Path, chunk: Chunk, made: Made) -> Counts:
    """Write the files of a chunk."""
    for kind, content in made.files.items():
        write(out / kind / f"{chunk.number:06}.{KINDS[kind]}", content)
    write(out / "chunks" / f"{chunk.number:06}.marks", made.marks)
    write(out / "chunks" / f"{chunk.number:06}.json", msgspec.json.encode(made.counts))
    return made.counts


def _made(scrub: Scrub, body: bytes, chunk: Chunk, written: Written, responses: bool, scorer: Scorer | None) -> Made:
    claims = _read(scrub, body, chunk, day(written.created), responses)
    sheet, numbers = claims.sheet, claims.numbers
    many = scrub.many(sheet, claims.heads) if responses else scrub.tables(sheet)
    counts = tally(scrub.edits.active, many, sheet)
    counts.lines, counts.rejected = chunk.lines, len(claims.rejected)
    files = {
        "findings": _parquet(findings(scrub.edits.active, many.found, sheet, numbers)),
        "prices": _parquet(prices(many.prices, sheet, numbers)),
        "rejected": b"".join(orjson.dumps({"line": n, "error": text}) + b"\n" for n, text in sorted(claims.rejected)),
    }
    if scorer is not None:
        scored = scorer.of_frames(sheet.frames(ASKED), scrub.edits.active, many.found, many.prices)
        files["scores"] = _parquet(scores(scored, sheet, numbers))
    if responses:
        answers = [
            response(result, written._replace(id=f"scrub-{digest.hex()[:40]}"))
            for digest, result in zip(claims.digests, many.results, strict=True)
        ]
        files["responses"] = b"".join(answer + b"\n" for answer in answers)
    marks = [MARK.pack(int.from_bytes(d[:8]), n) for d, n in zip(claims.digests, numbers, strict=True)]
    return Made(files, b"".join(marks), counts)


def _read(scrub: Scrub, body: bytes, chunk: Chunk, received: int | None, responses: bool) -> Read:
    """The claims among the lines."""
    found = Read([], Sheet(), [], [], [])
    begun = hashlib.sha256(scrub.stamp.fingerprint.encode())
    lines = [b""] if chunk.too_long else body.split(b"\n")
    for number, line in enumerate(lines, chunk.first):
        text = line.strip()
        if chunk.too_long or len(text) > LONGEST:
            found.rejected.append((number, f"A line has at most {LONGEST} bytes"))
            continue
        if not text:
            continue
        try:
            claim = found.sheet.add(text, received)
        except FhirError as error:
            found.rejected.append((number, error.problems[0].text))
            continue
        found.numbers.append(number)
        (digest := begun.copy()).update(text)
        found.digests.append(digest.digest())
        if responses:
            found.heads.append(Head.of(claim))
    return found


def _parquet(frame: pl.DataFrame) -> bytes:
    file = BytesIO()
    frame.write_parquet(file)
    return file.getvalue()
