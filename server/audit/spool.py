"""Events on their way to the database: a file for each process, written to for each request before it is answered.

The file is mapped: what stands in its pages is the system's and outlives the process, without a system call
(https://pubs.opengroup.org/onlinepubs/9699919799/functions/mmap.html); with `sync` it outlives the machine too. Its
blocks are taken beforehand, so that a full disk is told and not met. Behind the last event there are zeros, which no
event has; the first byte of a write comes last, so that what a killed process was about to write is not seen.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from fhir_profiles.errors import Category, FhirError

SUFFIX = ".spool"
LARGEST = 64 * 1024 * 1024
"""Bytes after which a process goes on in a new file."""

STEP = 1024 * 1024
"""Bytes of the disk that are taken at a time."""

CHUNK = 4 * 1024 * 1024
"""Bytes that are read at once."""


def full() -> FhirError:
    """503: what cannot be recorded is not answered."""
    return FhirError.of(Category.UNAVAILABLE, "no-store", "The audit trail cannot be written; nothing is answered.")


class Spool:
    """The file of this process, which holds a lock on it for as long as it lives."""

    def __init__(self, folder: Path, *, sync: bool = False) -> None:
        self._folder = folder
        self._sync = sync
        self.opened: list[str] = []
        """Names of this process's files, oldest first; all but the last are complete."""
        self._fds: dict[str, int] = {}
        self._map: mmap.mmap | None = None
        self._taken = 0
        self.size = 0
        """Bytes of events in the file that is written now."""
        self._open()

    def _open(self) -> None:
        name = f"{secrets.token_hex(8)}{SUFFIX}"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        fd = os.open(self._folder / name, flags, 0o600)
        fcntl.flock(fd, fcntl.LOCK_EX)
        if self._map is not None:
            self._map.close()
        self._fd, self._map, self.size, self._taken = fd, None, 0, 0
        self._fds[name] = fd
        self.opened.append(name)

    def write(self, lines: bytes) -> None:
        """Append whole lines; FhirError (503) when the disk does not take them."""
        begin = self.size
        end = begin + len(lines)
        try:
            mapped = self._map if end <= self._taken and self._map is not None else self._grow(end)
            mapped[begin + 1 : end] = lines[1:]
            mapped[begin] = lines[0]
            if self._sync:
                page = begin // mmap.PAGESIZE * mmap.PAGESIZE
                mapped.flush(page, end - page)
            self.size = end
            if end >= LARGEST:
                self._open()
        except (OSError, ValueError):
            raise full() from None

    def _grow(self, end: int) -> mmap.mmap:
        """The file with more of the disk behind it."""
        wanted = -(-end // STEP) * STEP
        os.posix_fallocate(self._fd, 0, wanted)
        made = mmap.mmap(self._fd, wanted)
        if self._map is not None:
            self._map.close()
        self._map, self._taken = made, wanted
        return made

    @property
    def name(self) -> str:
        """The file that is written now."""
        return self.opened[-1]

    def remove(self, name: str) -> None:
        """Forget a file whose lines are all in the database."""
        (self._folder / name).unlink(missing_ok=True)
        self.opened.remove(name)
        os.close(self._fds.pop(name))

    def close(self) -> None:
        """Let go of what is left; whoever comes next takes it in."""
        if self._map is not None:
            self._map.close()
            self._map, self._taken = None, 0
            os.ftruncate(self._fd, self.size)
        for fd in self._fds.values():
            os.close(fd)
        self._fds.clear()


def lines_from(path: Path, position: int) -> Iterator[tuple[list[bytes], int]]:
    """Whole lines from a position on, a chunk at a time, each with the position behind it; a torn end is left."""
    with path.open("rb") as file:
        file.seek(position)
        while chunk := file.read(CHUNK):
            zeros = chunk.find(b"\0")
            end = chunk.rfind(b"\n", 0, zeros if zeros >= 0 else len(chunk)) + 1
            if not end:
                return
            position += end
            yield chunk[: end - 1].split(b"\n"), position
            file.seek(position)


def filled(path: Path, position: int) -> int:
    """Bytes of a file from a position to the zeros behind its last event."""
    found = 0
    with path.open("rb") as file:
        file.seek(position)
        while chunk := file.read(CHUNK // 64):
            zeros = chunk.find(b"\0")
            if zeros >= 0:
                return found + zeros
            found += len(chunk)
    return found


class Orphan:
    """The file of a process that is gone; while this one is held nobody else takes it in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def claim(self) -> bool:
        """Whether it is ours now: its process lives no more, and nobody else was faster."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return self.path.exists()

    def close(self) -> None:
        """Let go."""
        os.close(self._fd)


def orphans(folder: Path, own: list[str]) -> Iterator[Orphan]:
    """Files of processes that ended."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        if path.name in own:
            continue
        try:
            found = Orphan(path)
        except FileNotFoundError:
            continue
        try:
            if found.claim():
                yield found
        finally:
            found.close()
