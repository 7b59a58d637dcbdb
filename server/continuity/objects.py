"""Backups in a store of objects (s3://, gs://, az://) or wherever else fsspec writes; the manifest comes last.

A backup is made in a directory of this disk and sent from there; without a manifest it is not one. Credentials are
those of the environment, as the store's own tools take them. https://filesystem-spec.readthedocs.io
"""

from __future__ import annotations

import errno
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import urlsplit

import structlog

from fhir_profiles.errors import Category, FhirError
from server.audit.checkpoints import FILE as CHECKPOINTS
from server.objects import filesystem
from server.phi.envelope import Broken

from . import archived
from .manifest import FILE, Manifest, decode_manifest
from .target import BACKUPS, CHANGES, STAMP, Target, need

WHOLE = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "memory"})
"""Stores where a file appears when its last byte is there; elsewhere it is given its name then."""

SENDING, PARTIAL = ".sending", ".partial"
LEFT_SECONDS = 86_400
"""For so long a backup without a manifest may still be on its way."""

PARTIAL_SECONDS = 10.0
"""Between two times that the segment is sent which PostgreSQL's log has come to."""

_log = structlog.get_logger("backup")


class Objects(Target):
    """A folder of a store of objects; `staging` is a directory of this disk, where backups are made."""

    def __init__(self, uri: str, staging: Path) -> None:
        super().__init__(staging)
        if urlsplit(uri).password is not None:
            text = "Credentials do not belong in the URI: give them by the environment, as the store's tools take them."
            raise FhirError.of(Category.INCORRECT, "security", text)
        with speaking():
            self._fs, root = filesystem(uri)
        self._root = root.rstrip("/")
        self._sent: dict[str, tuple[int, int]] = {}
        self._partial = 0.0

    def list(self) -> list[Manifest]:
        """The whole backups, oldest point first."""
        found = []
        for name in self._names(BACKUPS):
            raw = self._read(f"{BACKUPS}/{name}/{FILE}")
            if raw is not None:
                found.append(decode_manifest(raw, name))
        return sorted(found, key=lambda one: (one.point, one.id))

    @contextmanager
    def opened(self, manifest: Manifest, name: str) -> Iterator[BinaryIO]:
        """A file of a backup, read from the store piece by piece."""
        with speaking(), self._fs.open(self._at(f"{BACKUPS}/{manifest.id}/{name}"), "rb") as file:
            yield cast(BinaryIO, file)

    @contextmanager
    def making(self) -> Iterator[tuple[str, Path]]:
        """A name and an empty folder on this disk; what was sent by killed ones goes after a day."""
        with super().making() as made:
            for name in self._names(BACKUPS):
                with suppress(ValueError):
                    begun = datetime.strptime(name.partition("-")[0], STAMP).replace(tzinfo=UTC).timestamp()
                    if time.time() - begun > LEFT_SECONDS and self._read(f"{BACKUPS}/{name}/{FILE}") is None:
                        self._remove(f"{BACKUPS}/{name}")
            yield made

    def keep(self, name: str, folder: Path) -> None:
        """Send a finished folder: all files, each held against its size, and then the manifest."""
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        for path in sorted(paths, key=lambda path: path == folder / FILE):
            self._put(path, f"{BACKUPS}/{name}/{path.relative_to(folder).as_posix()}")

    def drop(self, manifest: Manifest) -> None:
        """Remove a backup; its manifest goes first."""
        self._remove(f"{BACKUPS}/{manifest.id}/{FILE}")
        self._remove(f"{BACKUPS}/{manifest.id}")

    def sync(self, *, last: bool = False) -> None:
        """Send what came to the archived changes on this disk, in their order."""
        if not self._sent:
            self._sent = {f"{CHANGES}/{name}": (size, -1) for name, size in self._sizes(CHANGES).items()}
        partly = last or time.monotonic() - self._partial >= PARTIAL_SECONDS
        for path in sorted(self.changes.rglob("*")):
            name = f"{CHANGES}/{path.relative_to(self.changes).as_posix()}"
            in_log = path.parent.name == archived.LOG
            if path.name.startswith(".") or (path.suffix == PARTIAL and not (in_log and partly)):
                continue
            with suppress(FileNotFoundError):  # it has another name since, by which it is sent
                if path.is_file():
                    self._send(path, name)
        self._partial = time.monotonic() if partly else self._partial

    def _send(self, path: Path, name: str) -> None:
        stat = path.stat()
        size, at = self._sent.get(name, (-1, -1))
        changing = path.suffix == PARTIAL or path.name in (archived.SEEN, CHECKPOINTS)
        if size == stat.st_size and (at == stat.st_mtime_ns or not changing):
            return
        self._put(path, name)
        self._sent[name] = (stat.st_size, stat.st_mtime_ns)
        if self._sent.pop(name + PARTIAL, None) is not None:
            self._remove(name + PARTIAL)

    def fetch(self, manifest: Manifest) -> None:
        """Bring the changes that follow a backup to this disk."""
        found = self._sizes(CHANGES)
        wanted = {name: size for name, size in found.items() if archived.follows(name, manifest)}
        self.changes.mkdir(parents=True, exist_ok=True, mode=0o700)
        need(self.changes, sum(wanted.values()))
        for name in sorted(wanted):
            (path := self.changes / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with speaking():
                self._fs.get_file(self._at(f"{CHANGES}/{name}"), str(path))

    def segments(self) -> Iterable[str]:
        """Segments of PostgreSQL's log in the archive."""
        return self._names(f"{CHANGES}/{archived.LOG}")

    def runs(self) -> Iterable[tuple[str, int]]:
        """Runs of SQLite's changes in the archive, and up to when each has looked (microseconds; 0: unknown)."""
        for name in self._names(CHANGES):
            if name.startswith("run-"):
                seen = self._read(f"{CHANGES}/{name}/{archived.SEEN}") or b""
                yield name, int(seen) if seen.isdigit() else 0

    def forget(self, name: str) -> None:
        """Remove a segment or a run, here and there."""
        super().forget(name)
        self._remove(f"{CHANGES}/{name}")

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _names(self, folder: str) -> Sequence[str]:
        """What stands in a folder; nothing where there is none."""
        with speaking(), suppress(FileNotFoundError):
            self._fs.invalidate_cache()
            found = (str(path).rstrip("/").rpartition("/")[2] for path in self._fs.ls(self._at(folder), detail=False))
            return sorted(name for name in found if name and not name.startswith("."))
        return []

    def _sizes(self, folder: str) -> dict[str, int]:
        """The files below a folder and their sizes."""
        with speaking(), suppress(FileNotFoundError):
            self._fs.invalidate_cache()
            found = self._fs.find(self._at(folder), detail=True)
            start = f"/{folder}/"
            sizes = {str(path).rpartition(start)[2]: int(told["size"]) for path, told in found.items()}
            return {name: size for name, size in sizes.items() if not name.endswith(SENDING)}
        return {}

    def _read(self, name: str) -> bytes | None:
        with speaking(), suppress(FileNotFoundError):
            found: bytes = self._fs.cat_file(self._at(name))
            return found
        return None

    def _put(self, path: Path, name: str) -> None:
        """Send a file; FhirError unless the store has all of it then."""
        goal = self._at(name)
        whole = not WHOLE.isdisjoint((self._fs.protocol,) if isinstance(self._fs.protocol, str) else self._fs.protocol)
        with speaking():
            self._fs.makedirs(goal.rpartition("/")[0], exist_ok=True)
            size = path.stat().st_size
            self._fs.put_file(str(path), sent := goal if whole else goal + SENDING)
            self._fs.invalidate_cache()
            if self._fs.info(sent)["size"] < size:
                text = "The store did not take a file whole; what was sent is no backup."
                raise FhirError.of(Category.UNAVAILABLE, "incomplete", text)
            if not whole:
                self._fs.mv(sent, goal)

    def _remove(self, name: str) -> None:
        """Remove a file or a folder; who may not is told so, and it stays."""
        try:
            with speaking(), suppress(FileNotFoundError):
                self._fs.rm(self._at(name), recursive=True)
        except FhirError:
            _log.warning("backup.not-removed")


@contextmanager
def speaking() -> Iterator[None]:
    """What a store answers with becomes an error of ours, without its words: they may quote requests and names."""
    try:
        yield
    except (FhirError, FileNotFoundError, Broken):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        text = (
            f"The store of the backups refused or cannot be reached ({type(error).__name__}): see that its URI and the"
            " credentials in the environment are right."
        )
        raise FhirError.of(Category.UNAVAILABLE, "transient", text) from None
