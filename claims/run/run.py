"""Run a file of claims through edits and prices over several processes; what was done before a kill is kept."""

from __future__ import annotations

import gc
import hashlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import msgspec
import orjson

from claims.answer.scrub import Scrub
from claims.run.chunk import KINDS, Counts, work, write
from claims.run.cut import LINES, Chunk, cut
from fhir_profiles.errors import Category, FhirError

LAYOUT = 1
_EDGE = 1 << 20
_AHEAD = 2
"""Chunks that wait for each process."""


class Manifest(msgspec.Struct, frozen=True):
    """What a run is of: the same file, rules, tables and day give the same output."""

    bytes: int
    edges: str
    fingerprint: str
    on: str
    chunk: int = LINES
    layout: int = LAYOUT


class Job(msgspec.Struct, frozen=True):
    """A run: the file, where its output goes, the data directory, the user's own rules, the day (YYYY-MM-DD)."""

    file: Path
    out: Path
    data: Path
    mine: Path | None
    on: str
    processes: int = 1


def run(job: Job, told: Callable[[int, int], None] = lambda _done, _total: None) -> Counts:
    """Do what is not done yet; the counts of everything. `told` hears how many bytes of how many are done.

    FhirError when the output belongs to another file, other rules, tables or another day.
    """
    scrub = Scrub.open(job.data, job.mine)
    manifest = _manifest(job, scrub)
    _open(job.out, manifest)
    total, done = Counts(), 0
    waiting: deque[tuple[Chunk, Future[Counts]]] = deque()

    def settle(limit: int) -> None:
        nonlocal done
        while len(waiting) > limit:
            chunk, future = waiting.popleft()
            total.add(future.result())
            done += chunk.length
            told(done, manifest.bytes)

    try:
        with _pool(job) as pool:
            for chunk in cut(job.file):
                counts = _done(job.out, chunk)
                if counts is not None:
                    total.add(counts)
                    done += chunk.length
                    told(done, manifest.bytes)
                    continue
                waiting.append((chunk, pool.submit(_work, chunk)))
                settle(_AHEAD * job.processes)
            settle(0)
    except BrokenProcessPool:
        text = "A process of the run was ended from outside. Run it again: what is done is kept."
        raise FhirError.of(Category.INTERRUPTED, "exception", text) from None
    summary = {"counts": msgspec.to_builtins(total), "on": manifest.on, **scrub.stamp.told()}
    write(job.out / "summary.json", lambda file: file.write(orjson.dumps(summary, option=orjson.OPT_INDENT_2)))
    return total


def _manifest(job: Job, scrub: Scrub) -> Manifest:
    size = job.file.stat().st_size
    digest = hashlib.sha256()
    with job.file.open("rb") as file:
        digest.update(file.read(_EDGE))
        file.seek(max(size - _EDGE, 0))
        digest.update(file.read(_EDGE))
    return Manifest(size, digest.hexdigest(), scrub.stamp.fingerprint, job.on)


def _open(out: Path, manifest: Manifest) -> None:
    """Begin an output, or go on with it."""
    note = out / "run.json"
    out.mkdir(parents=True, exist_ok=True)
    if note.is_file():
        if _read(note) != manifest:
            text = "The folder holds the output of another file, other rules, tables or another day: name a new one"
            raise FhirError.of(Category.CONFLICT, "conflict", text)
    elif any(not path.name.startswith(".") for path in out.iterdir()):
        raise FhirError.of(Category.CONFLICT, "conflict", "The folder for the output is not empty: name a new one")
    for left in (*out.glob(".*.json.*"), *out.glob("*/.*")):
        left.unlink(missing_ok=True)  # half a file of a process that was killed
    if not note.is_file():
        write(note, lambda file: file.write(msgspec.json.encode(manifest)))
    for folder in (*KINDS, "chunks"):
        (out / folder).mkdir(exist_ok=True)


def begun(out: Path) -> str | None:
    """The day of the run whose output a folder holds."""
    manifest = _read(out / "run.json")
    return None if manifest is None else manifest.on


def _read(note: Path) -> Manifest | None:
    try:
        return msgspec.json.decode(note.read_bytes(), type=Manifest)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def _done(out: Path, chunk: Chunk) -> Counts | None:
    """The counts of a chunk that was finished before."""
    try:
        return msgspec.json.decode((out / "chunks" / f"{chunk.number:06}.json").read_bytes(), type=Counts)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


@contextmanager
def _pool(job: Job) -> Iterator[ProcessPoolExecutor]:
    """Processes that each open rules and tables once; Polars takes one thread in each."""
    before = os.environ.get("POLARS_MAX_THREADS")
    os.environ["POLARS_MAX_THREADS"] = "1"
    try:
        with ProcessPoolExecutor(job.processes, get_context("spawn"), _start, (job, os.getpid())) as pool:
            try:
                yield pool
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    finally:
        if before is None:
            del os.environ["POLARS_MAX_THREADS"]
        else:
            os.environ["POLARS_MAX_THREADS"] = before


_job: Job | None = None
_scrub: Scrub | None = None


def _start(job: Job, parent: int) -> None:
    global _job, _scrub
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    _job, _scrub = job, Scrub.open(job.data, job.mine)
    _ = _scrub.stamp.fingerprint
    gc.freeze()  # rules and tables never change: collections need not look at them again


def _follow(parent: int) -> None:
    """End with the process that began the run, however that ends."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)


def _work(chunk: Chunk) -> Counts:
    assert _job is not None and _scrub is not None
    return work(_scrub, _job.file, chunk, _job.out, _job.on)
