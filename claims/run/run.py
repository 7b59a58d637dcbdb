"""Run a file of claims through edits and prices; what was done before a kill is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec
import orjson

from claims.run.counts import Counts
from claims.run.cut import LINES, MOST_BYTES, Chunk, cut
from claims.run.job import Crew, Job
from claims.run.processes import Processes
from claims.run.repeats import repeats
from claims.run.source import source
from claims.run.write import told as disk
from claims.run.write import write
from fhir_profiles.errors import Category, FhirError

FOLDERS = ("findings", "prices", "scores", "responses", "rejected", "chunks")
LAYOUT = 2
_EDGE = 1 << 20


class Manifest(msgspec.Struct, frozen=True):
    """What a run is of: the same file, rules, tables, day and model give the same output."""

    bytes: int
    edges: str
    fingerprint: str
    on: str
    responses: bool
    chunk: tuple[int, int] = (LINES, MOST_BYTES)
    layout: int = LAYOUT
    model: str = ""


Crewed = Callable[[Job], AbstractContextManager[Crew]]


def run(job: Job, told: Callable[[int, int], None] = lambda _done, _total: None, crewed: Crewed = Processes) -> Counts:
    """Do what is not done yet; the counts of everything. `told` hears how many bytes of how many are done.

    `crewed` gives those who work: processes of this machine, or others that keep what is done below `job.out`.

    FhirError when the file holds no lines of claims, when the output belongs to another file, other rules, tables or
    another day, when it cannot be written, and when those who work are lost again and again.
    """
    with source(job.file, job.out) as file, crewed(msgspec.structs.replace(job, file=file)) as crew:
        rests = crew.told()
        sentences = rests.pop("sentences")
        _open(job.out, _manifest(job, rests["fingerprint"], rests.get("model", "")))
        total, done, size = Counts(), 0, file.stat().st_size

        def add(chunk: Chunk, counts: Counts) -> None:
            nonlocal done
            total.add(counts)
            done += chunk.length
            told(done, size)

        def left() -> Iterator[Chunk]:
            for chunk in cut(file):
                counts = _done(job.out, chunk)
                if counts is None:
                    yield chunk
                else:
                    add(chunk, counts)

        for chunk, counts in crew.kept(left()):
            add(chunk, counts)
    repeated = repeats(job.out)
    write(job.out / "summary.json", _summary(job, total, repeated, rests, sentences))
    return total


def _summary(job: Job, total: Counts, repeated: int, rests: dict[str, Any], sentences: dict[str, Any]) -> bytes:
    counts = msgspec.to_builtins(total)
    del counts["rules"]
    top = [
        {"rule": rule, "severity": sentences[rule][0], **msgspec.to_builtins(found), "sentence": sentences[rule][1]}
        for rule, found in total.top()
    ]
    summary = {"counts": {**counts, "repeated": repeated}, "on": job.on, "by_rule": top, **rests}
    return orjson.dumps(summary, option=orjson.OPT_INDENT_2)


def _manifest(job: Job, fingerprint: str, model: str) -> Manifest:
    size = job.file.stat().st_size
    digest = hashlib.sha256()
    with job.file.open("rb") as file:
        digest.update(file.read(_EDGE))
        file.seek(max(size - _EDGE, 0))
        digest.update(file.read(_EDGE))
    return Manifest(size, digest.hexdigest(), fingerprint, job.on, job.responses, model=model)


def _open(out: Path, manifest: Manifest) -> None:
    """Begin an output, or go on with it."""
    note = out / "run.json"
    with disk():
        out.mkdir(parents=True, exist_ok=True)
        if note.is_file():
            if _read(note) != manifest:
                text = (
                    "The folder holds the output of another file, day or model, other rules or tables: name a new one"
                )
                raise FhirError.of(Category.CONFLICT, "conflict", text)
        elif any(not path.name.startswith(".") for path in out.iterdir()):
            raise FhirError.of(Category.CONFLICT, "conflict", "The folder for the output is not empty: name a new one")
        for left in (*out.glob(".*.json.*"), *out.glob("*/.*")):
            left.unlink(missing_ok=True)  # half a file of a process that was killed
        left_out = {"responses": not manifest.responses, "scores": not manifest.model}
        for folder in (name for name in FOLDERS if not left_out.get(name)):
            (out / folder).mkdir(exist_ok=True)
    if not note.is_file():
        write(note, msgspec.json.encode(manifest))


def begun(out: Path) -> str | None:
    """The day of the run whose output a folder holds."""
    manifest = _read(out / "run.json")
    return None if manifest is None else manifest.on


def _read(note: Path) -> Manifest | None:
    try:
        return msgspec.json.decode(note.read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError):
        return None


def _done(out: Path, chunk: Chunk) -> Counts | None:
    """The counts of a chunk that was finished before."""
    try:
        return msgspec.json.decode((out / "chunks" / f"{chunk.number:06}.json").read_bytes(), type=Counts)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
