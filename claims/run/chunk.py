"""One chunk of claims: scrub it and write what was found, each file whole or not at all."""

from __future__ import annotations

import gc
import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec
import orjson
import polars as pl

from claims.answer.head import Head, read_head
from claims.answer.response import Result, Written, response
from claims.answer.scrub import Scrub
from claims.run.cut import LONGEST, Chunk
from claims.sheet.read import read_claim
from claims.sheet.values import day
from fhir_profiles.errors import FhirError

KINDS = {"findings": "parquet", "prices": "parquet", "responses": "ndjson", "rejected": "ndjson"}
"""Folder → what its files are; one file for each chunk."""

_FINDINGS: dict[str, Any] = {
    "line": pl.Int64, "claim": pl.String, "control": pl.String, "rule": pl.String, "severity": pl.String,
    "scope": pl.String, "sequence": pl.Int64, "carc": pl.String,
}  # fmt: skip


class Counts(msgspec.Struct):
    """What became of a chunk, or of all."""

    lines: int = 0
    claims: int = 0
    rejected: int = 0
    findings: int = 0
    errors: int = 0
    clean: int = 0
    priced: int = 0
    charged: int = 0
    allowed: int = 0
    """Lines of claims that have a price, what all lines charge, and what those with a price are allowed: cents."""

    def add(self, other: Counts) -> None:
        """Add those of another chunk."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def work(scrub: Scrub, path: Path, chunk: Chunk, out: Path, on: str) -> Counts:
    """Scrub a chunk and write its files; the counts come last, and say that it is done."""
    gc.disable()
    try:
        counts = _work(scrub, path, chunk, out, on)
    finally:
        gc.enable()
        gc.collect()
    write(out / "chunks" / f"{chunk.number:06}.json", lambda file: file.write(msgspec.json.encode(counts)))
    return counts


def _work(scrub: Scrub, path: Path, chunk: Chunk, out: Path, on: str) -> Counts:
    lines, bodies, rejected = _bodies(path, chunk)
    records: list[dict[str, Any]] = []
    heads: list[Head] = []
    numbers: list[int] = []
    ids: list[str] = []
    received = day(on)
    for number, body in zip(lines, bodies, strict=True):
        try:
            records.append(read_claim(body, len(records), None, received))
            heads.append(read_head(body))
        except FhirError as error:
            rejected.append((number, error.problems[0].text))
            continue
        numbers.append(number)
        ids.append(_id(body, scrub.stamp.fingerprint))
    many = scrub.many(records, heads)
    counts = _counts(chunk, many.results, many.prices, len(rejected))
    findings, prices = _findings(many.results, numbers), _prices(many.prices, records, numbers)
    rejected.sort()
    partial, brief = bool(scrub.stamp.not_run), scrub.stamp.brief

    def answers(file: IO[bytes]) -> None:
        for id, result in zip(ids, many.results, strict=True):
            file.write(response(result, Written(id, on, brief, partial)) + b"\n")

    def refusals(file: IO[bytes]) -> None:
        file.writelines(orjson.dumps({"line": number, "error": text}) + b"\n" for number, text in rejected)

    writers: dict[str, Callable[[IO[bytes]], Any]] = {
        "findings": findings.write_parquet,
        "prices": prices.write_parquet,
        "responses": answers,
        "rejected": refusals,
    }
    for kind, ending in KINDS.items():
        write(out / kind / f"{chunk.number:06}.{ending}", writers[kind])
    return counts


def _bodies(path: Path, chunk: Chunk) -> tuple[list[int], list[bytes], list[tuple[int, str]]]:
    """Numbers and bytes of the lines, and those that are not read."""
    text = f"A line has at most {LONGEST} bytes"
    if chunk.too_long:
        return [], [], [(chunk.first, text)]
    with path.open("rb") as file:
        file.seek(chunk.offset)
        numbered = enumerate(file.read(chunk.length).split(b"\n"), chunk.first)
    kept = [(number, line) for number, line in numbered if line.strip()]
    rejected = [(number, text) for number, line in kept if len(line) > LONGEST]
    kept = [(number, line) for number, line in kept if len(line) <= LONGEST]
    return [number for number, _ in kept], [line for _, line in kept], rejected


def _id(body: bytes, fingerprint: str) -> str:
    return f"scrub-{hashlib.sha256(body + fingerprint.encode()).hexdigest()[:40]}"


def _counts(chunk: Chunk, results: Sequence[Result], prices: pl.DataFrame, rejected: int) -> Counts:
    graves = [sum(f.rule.severity == "error" for f in result.findings) for result in results]
    return Counts(
        lines=chunk.lines,
        claims=len(results),
        rejected=rejected,
        findings=sum(len(result.findings) for result in results),
        errors=sum(graves),
        clean=graves.count(0),
        priced=prices["allowed"].count(),
        charged=sum(result.record["claim"]["lines_total"] for result in results),
        allowed=int(prices["allowed"].sum() or 0),
    )


def _findings(results: Sequence[Result], numbers: list[int]) -> pl.DataFrame:
    rows = []
    for number, result in zip(numbers, results, strict=True):
        claim = result.record["claim"]
        rows += [
            (number, claim["id"], claim["control"], f.rule.id, f.rule.severity, f.rule.scope, f.sequence, f.rule.carc)
            for f in result.findings
        ]
    return pl.DataFrame(rows, _FINDINGS, orient="row")


def _prices(prices: pl.DataFrame, records: list[dict[str, Any]], numbers: list[int]) -> pl.DataFrame:
    at = prices["row"]
    lines = pl.Series("line", numbers, dtype=pl.Int64).gather(at)
    claims = pl.Series("claim", [r["claim"]["id"] for r in records], dtype=pl.String).gather(at)
    return prices.select(lines, claims, pl.exclude("row"))


def write(path: Path, fill: Callable[[IO[bytes]], Any]) -> None:
    """A file that appears when it is whole."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        fill(file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
