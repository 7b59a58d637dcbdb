"""The place of backups: whole ones under `backups/`, archived changes under `changes/`, and what a killed one left.

A backup is made under a name that begins with a dot and renamed when all of it is on the disk: what has a name of its
own is whole (https://pubs.opengroup.org/onlinepubs/9699919799/functions/rename.html).
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from fhir_profiles.errors import Category, FhirError

from . import archived
from .changes import seen
from .manifest import Manifest, read_manifest

BACKUPS, CHANGES, PARTIAL = "backups", "changes", ".partial-"
STAMP = "%Y%m%dT%H%M%SZ"
"""How the name of a backup begins: when it was begun, UTC."""

SPARE = 64 * 1024 * 1024
"""Bytes of the disk that stay free."""


class Target:
    """A directory, local or mounted, that holds the backups of one database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.backups = folder / BACKUPS
        self.changes = folder / CHANGES

    def list(self) -> list[Manifest]:
        """The whole backups, oldest point first."""
        if not self.backups.is_dir():
            return []
        found = [read_manifest(path) for path in self.backups.iterdir() if not path.name.startswith(".")]
        return sorted(found, key=lambda one: (one.point, one.id))

    def get(self, name: str | None = None) -> Manifest:
        """The backup of this name, or the newest; FhirError when there is none."""
        found = [one for one in self.list() if name in (None, one.id)]
        if not found:
            raise FhirError.of(Category.NOT_FOUND, "not-found", "There is no such backup in that place.")
        return found[-1]

    def path(self, manifest: Manifest) -> Path:
        """Where a backup lies."""
        return self.backups / manifest.id

    @contextmanager
    def opened(self, manifest: Manifest, name: str) -> Iterator[BinaryIO]:
        """A file of a backup, to be read once from its beginning."""
        with (self.path(manifest) / name).open("rb") as file:
            yield file

    @contextmanager
    def making(self) -> Iterator[tuple[str, Path]]:
        """A name and an empty folder for a new backup; what killed ones left is removed. One at a time."""
        self.backups.mkdir(parents=True, exist_ok=True, mode=0o700)
        with held(self.backups / ".lock", "Another backup is being made there."):
            for left in self.backups.glob(f"{PARTIAL}*"):
                shutil.rmtree(left)
            name = f"{datetime.now(UTC):{STAMP}}-{secrets.token_hex(3)}"
            folder = self.backups / f"{PARTIAL}{name}"
            folder.mkdir(mode=0o700)
            try:
                yield name, folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def keep(self, name: str, folder: Path) -> None:
        """Give a finished folder its name, on the disk itself."""
        sync(folder)
        folder.rename(self.backups / name)
        sync(self.backups)

    def drop(self, manifest: Manifest) -> None:
        """Remove a backup; it has no name of its own any more before the first file goes."""
        gone = self.backups / f"{PARTIAL}{manifest.id}"
        self.path(manifest).rename(gone)
        shutil.rmtree(gone)

    def sync(self, *, last: bool = False) -> None:
        """Have what was archived of changes where it stays, the `last` of it too; here it is there already."""

    def fetch(self, manifest: Manifest) -> None:
        """Have the changes that follow a backup under `changes`; here they are there already."""

    def segments(self) -> Iterable[str]:
        """Segments of PostgreSQL's log in the archive."""
        return sorted(path.name for path in (self.changes / archived.LOG).glob("*"))

    def runs(self) -> Iterable[tuple[str, int]]:
        """Runs of SQLite's changes in the archive, and up to when each has looked (microseconds; 0: unknown)."""
        return [(path.name, seen(path)) for path in sorted(self.changes.glob("run-*"))]

    def forget(self, name: str) -> None:
        """Remove a segment or a run."""
        path = self.changes / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def held(path: Path, text: str) -> Iterator[None]:
    """Hold a lock that ends with the process; FhirError with `text` when somebody else has it."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise FhirError.of(Category.BUSY, "lock-error", f"{text} Wait for it, or choose another place.") from None
    finally:
        os.close(fd)


def sync(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def need(folder: Path, size: int) -> None:
    """FhirError when the disk has no room for so many bytes."""
    if shutil.disk_usage(folder).free < size + SPARE:
        text = f"The disk of the target has no room for {size + SPARE:,} bytes; nothing was begun."
        raise FhirError.of(Category.UNAVAILABLE, "no-store", text)
