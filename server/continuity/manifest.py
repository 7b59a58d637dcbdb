"""What a backup says of itself: its files with their hashes, and what the database held at its point.

https://doi.org/10.6028/NIST.SP.800-34r1 (contingency planning: backups that are verified)
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from fhir_profiles.errors import Category, FhirError

FILE = "manifest.json"
FORMAT = 1
LARGEST = 64 * 1024 * 1024
"""Bytes of a manifest at most; each file takes some 200."""


class Entry(msgspec.Struct, frozen=True):
    """A file of the backup: its path within, its bytes as it lies there, and their SHA-256."""

    path: str
    size: int
    sha256: str


class Standing(msgspec.Struct, frozen=True):
    """What a database holds at one moment."""

    resources: dict[str, int]
    """How many resources of each type there are that are not deleted."""

    versions: int
    digest: str
    """The SHA-256 of each version of each resource, added up modulo 2^256: the same in any order, in hex."""

    event: int
    """The number of the last event of the audit chain; 0 for none."""

    hash: str
    """The hash of the audit chain there, in hex."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A whole backup. Times in microseconds since 1970."""

    id: str
    format: int = FORMAT
    engine: str
    revision: str
    """The schema of the database."""

    version: str
    """The version of fhirwright that made it."""

    began: int
    point: int
    """The moment whose state is in it."""

    ended: int
    standing: Standing
    files: tuple[Entry, ...]
    keys: tuple[int, ...] = ()
    """Versions of the keys that data in it is wrapped with: without them it cannot be read."""

    sealed: int = 0
    """The version of the key that the files themselves are sealed with; 0 when they are not."""

    wrapped: str = ""
    """The key of the files, wrapped by that version, in base64."""

    position: str = ""
    """Where archived changes go on from: a position of SQLite's log, or the log's place and timeline of PostgreSQL."""

    line: str = ""
    """Which changes belong to it: the name of the log of this database."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.files)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put the manifest into the folder of the backup."""
    (folder / FILE).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup; FhirError when it cannot be read or is of another format."""
    path = folder / FILE
    try:
        raw = path.read_bytes() if path.stat().st_size <= LARGEST else b""
    except OSError:
        raw = b""
    return decode_manifest(raw, folder.name)


def decode_manifest(raw: bytes, name: str) -> Manifest:
    """What the bytes of a manifest tell of the backup of this name; FhirError when they cannot be read."""
    try:
        found = msgspec.json.decode(raw, type=Manifest)
    except ValueError:
        raise FhirError.of(Category.INCORRECT, "structure", f"The manifest of backup {name} cannot be read.") from None
    if found.format != FORMAT or found.id != name:
        raise FhirError.of(Category.UNSUPPORTED, "not-supported", f"Backup {name} is of another format.")
    return found
