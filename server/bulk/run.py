"""A bulk run: chunks of an input go to those who work, what comes back is kept, and in the end it is joined.

The output follows the order of the input alone: it is the same to the byte whoever works, however the input is cut and
whatever was killed meanwhile. `run.json` says what the run is of, `.chunks` holds what is done until all is.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any, Literal

import msgspec

from fhir_profiles.errors import Category, FhirError
from server.bulk.cluster import Cluster
from server.bulk.join import joined
from server.bulk.place import Place
from server.bulk.processes import BulkProcesses
from server.bulk.source import Input
from server.bulk.work import Chunk, Done, Work, Worker, done

LAYOUT = 1
CHUNKS = ".chunks"
Form = Literal["ndjson", "parquet"]
Each = Callable[[Iterator[Chunk]], Iterator[tuple[Chunk, Done | FhirError]]]


class Kept(msgspec.Struct, frozen=True):
    """What is noted of a chunk once its files are there: a hash of the names of its items, counts, hashes of files."""

    of: str
    items: int
    refused: int
    files: dict[str, str]


class Progress(msgspec.Struct, frozen=True):
    """How far a run is: items done, those refused, those done by an earlier run, seconds, and items each second."""

    items: int
    refused: int
    before: int
    seconds: float

    @property
    def rate(self) -> float:
        """Items that this run did each second."""
        return (self.items - self.before) / max(self.seconds, 1e-9)


class Summary(msgspec.Struct, frozen=True):
    """What a run came to; the same for the same input and the same tables. `files` are names and SHA-256."""

    items: int
    refused: int
    files: dict[str, str]
    rests_on: dict[str, Any]


class Task(msgspec.Struct, frozen=True):
    """What is asked of a run. `processes` work on this machine (1: this one), or the Ray cluster at `ray` does."""

    work: Work
    form: Form = "ndjson"
    processes: int = 1
    ray: str | None = None


def run(task: Task, source: Input, place: Place, told: Callable[[Progress], object] = lambda _: None) -> Summary:
    """Do what is not done yet and join it; `told` hears how far it is after each chunk.

    FhirError where the output belongs to another input or other tables, cannot be written, or workers are lost for
    good. What is done by then is kept.
    """
    with closing(task.work.open()) as worker:
        rests = worker.told()
        _open(task, source, place, rests["fingerprint"])
        if (ended := place.read("summary.json")) is not None:
            place.remove(CHUNKS)  # a run that was killed after its end may have left it
            return msgspec.json.decode(ended, type=Summary)
        with _crew(task, worker, rests["fingerprint"]) as each:
            kept = _work(task, source, place, each, told)
    files = joined(task.work.kinds, task.form, place, CHUNKS, len(kept))
    summary = Summary(sum(one.items for one in kept), sum(one.refused for one in kept), files, rests)
    place.write("summary.json", msgspec.json.format(msgspec.json.encode(summary, order="sorted"), indent=2))
    place.remove(CHUNKS)
    return summary


def _work(task: Task, source: Input, place: Place, each: Each, told: Callable[[Progress], object]) -> list[Kept]:
    """What is noted of all chunks, in their order."""
    began, before, seen = time.monotonic(), 0, dict[int, Kept]()

    def add(number: int, kept: Kept) -> None:
        seen[number] = kept
        items, refused = sum(one.items for one in seen.values()), sum(one.refused for one in seen.values())
        told(Progress(items, refused, before, time.monotonic() - began))

    def left() -> Iterator[Chunk]:
        nonlocal before
        for chunk in source.chunks(task.work.at_once):
            if (kept := _kept(place, chunk)) is None:
                yield source.filled(chunk)
            else:
                before += kept.items
                add(chunk.number, kept)

    for chunk, value in each(left()):
        if isinstance(value, FhirError):
            raise value
        add(chunk.number, _keep(place, chunk, value))
    return [kept for _, kept in sorted(seen.items())]


@contextmanager
def _crew(task: Task, worker: Worker, fingerprint: str) -> Iterator[Each]:
    """Those who work."""
    if task.ray is None and task.processes == 1:
        yield lambda chunks: ((chunk, done(worker, task.work, chunk)) for chunk in chunks)
        return
    crew: AbstractContextManager[Any]
    if task.ray is None:
        crew = BulkProcesses(task.processes, task.work)
    else:
        crew = Cluster(task.ray, _opened, (task.work, task.work.shared(), fingerprint))
    with crew as workers:
        yield workers.each


def _opened(given: tuple[Work, Any, str]) -> Callable[[Chunk], Done]:
    """What does chunks on a node, where it rests on the same as here."""
    work, shared, fingerprint = given
    worker = work.open(shared)
    if worker.told()["fingerprint"] != fingerprint:
        text = "A node has another version or other tables than this machine: give all the same data directory"
        raise FhirError.of(Category.CONFLICT, "conflict", text)
    return lambda chunk: done(worker, work, chunk)


def _open(task: Task, source: Input, place: Place, fingerprint: str) -> None:
    """Begin an output, or go on with it."""
    files = hashlib.sha256(msgspec.json.encode([(one.name, one.size, one.stamp) for one in source.files])).hexdigest()
    of = {
        "files": files, "form": task.form, "fingerprint": fingerprint, "kinds": task.work.kinds, "layout": LAYOUT,
        "at_once": task.work.at_once,
    }  # fmt: skip
    note = msgspec.json.encode(of, order="sorted")
    known = place.read("run.json")
    if known is None and not place.is_empty():
        raise FhirError.of(Category.CONFLICT, "conflict", "The folder for the output is not empty: name a new one")
    if known is not None and known != note:
        text = "The folder holds the output of another input, version, tables, day or options: name a new one"
        raise FhirError.of(Category.CONFLICT, "conflict", text)
    if known is None:
        place.write("run.json", note)


def _keep(place: Place, chunk: Chunk, value: Done) -> Kept:
    """Write what a chunk comes to; the note about it comes last, and says it is done."""
    for kind, content in value.files.items():
        place.write(f"{CHUNKS}/{chunk.number:08}.{kind}", content)
    hashes = {kind: hashlib.sha256(content).hexdigest() for kind, content in value.files.items()}
    kept = Kept(_names(chunk), value.items, value.refused, hashes)
    place.write(f"{CHUNKS}/{chunk.number:08}.json", msgspec.json.encode(kept))
    return kept


def _kept(place: Place, chunk: Chunk) -> Kept | None:
    """What was noted of a chunk by an earlier run, where its files are still what they were."""
    try:
        kept = msgspec.json.decode(place.read(f"{CHUNKS}/{chunk.number:08}.json") or b"", type=Kept)
    except msgspec.MsgspecError:
        return None
    for kind, digest in kept.files.items():
        content = place.read(f"{CHUNKS}/{chunk.number:08}.{kind}")
        if content is None or hashlib.sha256(content).hexdigest() != digest:
            return None
    return kept if kept.of == _names(chunk) else None


def _names(chunk: Chunk) -> str:
    return hashlib.sha256(msgspec.json.encode([(item.input, item.line) for item in chunk.items])).hexdigest()
