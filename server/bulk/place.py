"""Where an output goes: a folder of this machine or of an object store; every file appears whole or not at all."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from claims.run.write import told, write
from fhir_profiles.errors import Category, FhirError
from server.objects import filesystem


class Place(Protocol):
    """A folder, by the names below it."""

    def read(self, name: str) -> bytes | None:
        """What a file holds; None where there is none."""

    def write(self, name: str, content: bytes) -> None:
        """A file, whole and durable."""

    def join(self, name: str, parts: Iterable[bytes]) -> str:
        """A file of many parts, whole and durable; the SHA-256 of it."""

    def is_empty(self) -> bool:
        """Whether nothing is there."""

    def remove(self, name: str) -> None:
        """A folder with all that is in it."""


def place_of(given: str) -> Place:
    """The place at a path or URI."""
    return Store(given) if "://" in given and not given.startswith("file://") else Folder(given.removeprefix("file://"))


class Folder:
    """A folder of this machine. Faults of the disk are FhirError that say what to do."""

    def __init__(self, given: str) -> None:
        self.path = Path(given)
        if self.path.exists() and not self.path.is_dir():
            raise FhirError.of(Category.INCORRECT, "value", "--output names a file; a folder is wanted")

    def read(self, name: str) -> bytes | None:
        """What a file holds."""
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """A file, by another name until it is whole."""
        target = self.path / name
        with told():
            target.parent.mkdir(parents=True, exist_ok=True)
        write(target, content)

    def join(self, name: str, parts: Iterable[bytes]) -> str:
        """A file of many parts."""
        import os

        target, digest = self.path / name, hashlib.sha256()
        half = target.with_name(f".{target.name}.{os.getpid()}")
        with told():
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with half.open("wb") as file:
                    for part in parts:
                        digest.update(part)
                        file.write(part)
                    file.flush()
                    os.fsync(file.fileno())
                half.replace(target)
            except OSError:
                half.unlink(missing_ok=True)
                raise
        return digest.hexdigest()

    def is_empty(self) -> bool:
        """Whether nothing is there but half files."""
        return not self.path.is_dir() or all(path.name.startswith(".") for path in self.path.iterdir())

    def remove(self, name: str) -> None:
        """A folder, and half files of runs that were killed."""
        shutil.rmtree(self.path / name, ignore_errors=True)
        for left in self.path.glob(".*"):
            if left.is_file():
                left.unlink(missing_ok=True)


class Store:
    """A folder of an object store, where a file appears when its last byte is there."""

    def __init__(self, given: str) -> None:
        self._fs, root = filesystem(given)
        self._root = root.rstrip("/")

    def read(self, name: str) -> bytes | None:
        """What a file holds."""
        try:
            content: bytes = self._fs.cat_file(f"{self._root}/{name}")
        except FileNotFoundError:
            return None
        return content

    def write(self, name: str, content: bytes) -> None:
        """A file in one request."""
        with self._open(name) as file:
            file.write(content)

    def join(self, name: str, parts: Iterable[bytes]) -> str:
        """A file of many parts, which the store puts together."""
        digest = hashlib.sha256()
        with self._open(name) as file:
            for part in parts:
                digest.update(part)
                file.write(part)
        return digest.hexdigest()

    def is_empty(self) -> bool:
        """Whether nothing is there."""
        with suppress(FileNotFoundError):
            return not self._fs.find(self._root)
        return True

    def remove(self, name: str) -> None:
        """A folder with all that is in it."""
        with suppress(FileNotFoundError):
            self._fs.rm(f"{self._root}/{name}", recursive=True)

    @contextmanager
    def _open(self, name: str) -> Iterator[BinaryIO | Any]:
        path = f"{self._root}/{name}"
        with told():
            self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
            with self._fs.open(path, "wb") as file:
                yield file
