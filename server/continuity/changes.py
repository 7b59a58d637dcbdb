"""Archived changes of a SQLite database: segments of whole transactions, linked by hashes, and their way back.

A run is a chain without a gap. A backup whose log's generation lies in a run can be brought to any later moment of it:
its copy shows some moment of that generation, and pages written again in the order of the log end as they were.
"""

from __future__ import annotations

import os
import secrets
import struct
import time
import zlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import msgspec

from fhir_profiles.errors import Category, FhirError

from .archived import SEEN
from .log import Place, Taken, beginning, log_of, name_of, read
from .manifest import Manifest

SUFFIX = ".segment"
LARGEST = 2 << 30


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """What stands at the head of a segment. `at`: all that was committed before it is in this one or those before."""

    at: int
    number: int
    before: str
    """The hash of the segment before this one; empty of the first."""

    first: int
    """The frame of the log before its first."""

    size: int
    place: Place
    sha256: str


class Run:
    """A chain of segments in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.last: Segment | None = None
        self._digest = ""
        for segment, digest in segments(folder):
            self.last, self._digest = segment, digest

    def add(self, taken: Taken, first: int, at: int) -> Segment:
        """Archive what was taken of the log, on the disk itself before it has a name."""
        body = zlib.compress(b"".join(struct.pack(">I", n) + page for n, page in sorted(taken.pages.items())), 1)
        made = Segment(
            at=at, number=self.last.number + 1 if self.last else 0, before=self._digest, first=first, size=taken.size,
            place=taken.place, sha256=sha256(body).hexdigest(),
        )  # fmt: skip
        head = msgspec.json.encode(made)
        path = self.folder / f"{made.number:012}{SUFFIX}"
        with (temporary := path.with_suffix(".partial")).open("wb") as file:
            file.write(head + b"\n" + body)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
        self.last, self._digest = made, sha256(head).hexdigest()
        return made


def segments(folder: Path) -> Iterator[tuple[Segment, str]]:
    """The heads of a run and their hashes, as far as they are linked."""
    before = ""
    for number, path in enumerate(sorted(folder.glob(f"*{SUFFIX}"))):
        with path.open("rb") as file:
            head = file.readline().rstrip(b"\n")
        try:
            told = msgspec.json.decode(head, type=Segment)
        except msgspec.MsgspecError:
            return
        if told.before != before or told.number != number:
            return
        before = sha256(head).hexdigest()
        yield told, before


class Follower:
    """Takes what is committed into the newest run; begins another where something was missed."""

    def __init__(self, database: Path, folder: Path) -> None:
        self._log = log_of(database)
        self._folder = folder
        found = sorted(folder.glob("run-*"))
        self.run = Run(found[-1]) if found else self._begin()

    def _begin(self) -> Run:
        path = self._folder / f"run-{time.time_ns() // 1000:016}-{secrets.token_hex(2)}"
        path.mkdir(parents=True)
        return Run(path)

    def look(self) -> int:
        """Archive what came; how many segments that made."""
        at = time.time_ns() // 1000
        begun = beginning(self._log)
        made = 0
        if begun is not None:
            place = self._place(begun, at)
            made = int(self._take(place, at))
        temporary = self.run.folder / f"{SEEN}.partial"
        temporary.write_text(str(at))
        temporary.rename(self.run.folder / SEEN)
        return made

    def _place(self, begun: Place, at: int) -> Place:
        """Where to go on: behind the last segment, or at the beginning of a generation or of a run."""
        if self.run.last is None:
            return begun
        last = self.run.last.place
        if last.salts == begun.salts:
            return last
        follows = begun.salts[0] == (last.salts[0] + 1) % (1 << 32)
        self._take(last, at)  # the end of the generation before, where it still lies behind the new one
        after = read(self._log, begun)
        now = beginning(self._log)
        reached = after.place.frame if after is not None else 0
        if follows and now is not None and now.salts == begun.salts and reached <= last.frame:
            return begun
        self.run = self._begin()
        return now or begun

    def _take(self, place: Place, at: int) -> bool:
        try:
            taken = read(self._log, place)
        except FileNotFoundError:
            return False
        if taken is None:
            return False
        self.run.add(taken, place.frame, at)
        return True


def covers(folder: Path, manifest: Manifest) -> Path | None:
    """The newest run that a backup's changes are in from before its copy; None when there is none."""
    for run in sorted(folder.glob("run-*"), reverse=True):
        if any(name_of(told.place) == manifest.position and told.first == 0 for told, _ in segments(run)):
            return run
    return None


def apply(run: Path, manifest: Manifest, database: Path, until: int) -> int:
    """Bring the copy of a backup to a moment; the time up to which all is in it, in microseconds.

    Without a segment that was taken after the copy, the copy stays as it is: it shows a later moment than those before.
    """
    chosen = [told for told, _ in segments(run) if told.at <= until]
    begins = [n for n, told in enumerate(chosen) if name_of(told.place) == manifest.position and told.first == 0]
    if not begins or chosen[-1].at < manifest.point:
        return manifest.point
    with database.open("r+b") as file:
        for told in chosen[begins[0] :]:
            for number, page in _pages(run, told):
                file.seek((number - 1) * told.place.page)
                file.write(page)
            file.truncate(told.size * told.place.page)
        file.flush()
        os.fsync(file.fileno())
    return chosen[-1].at


def _pages(run: Path, told: Segment) -> Iterator[tuple[int, bytes]]:
    raw = (run / f"{told.number:012}{SUFFIX}").read_bytes().partition(b"\n")[2]
    if sha256(raw).hexdigest() != told.sha256:
        text = f"Segment {told.number} of the archived changes is damaged; restore to a moment before it."
        raise FhirError.of(Category.INCORRECT, "value", text)
    packer = zlib.decompressobj()
    body = packer.decompress(raw, LARGEST)
    step = 4 + told.place.page
    for at in range(0, len(body), step):
        yield int.from_bytes(body[at : at + 4]), body[at + 4 : at + step]


def seen(run: Path) -> int:
    """Up to which time a run has looked, in microseconds."""
    try:
        return int((run / SEEN).read_text())
    except (OSError, ValueError):
        return 0
