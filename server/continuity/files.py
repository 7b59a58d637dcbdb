"""Files into a backup and out of it: copied, hashed, on request sealed in pieces (NIST SP 800-38D), and on the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fhir_profiles.errors import Category, FhirError
from server.phi.envelope import OVERHEAD, Broken, place, seal, unseal

from .manifest import Entry

PIECE = 4 * 1024 * 1024
"""Bytes that are read, and sealed, at once."""


def broken(name: str) -> FhirError:
    """What is said of a file that is not what the manifest says."""
    return FhirError.of(Category.INCORRECT, "value", f"{name} is not what the backup's manifest says; use another one.")


def _pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    while piece := file.read(size):
        yield piece


def pack(source: Path, folder: Path, name: str, key: AESGCM | None, identity: str) -> Entry:
    """Copy a file to `name` in the folder of a backup; its entry in the manifest."""
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = sha256(), 0
    with source.open("rb") as taken, target.open("xb") as given:
        for number, piece in enumerate(_pieces(taken, PIECE)):
            kept = piece if key is None else seal(key, 0, place("backup", identity, name, number), piece)
            given.write(kept)
            digest.update(kept)
            size += len(kept)
        given.flush()
        os.fsync(given.fileno())
    return Entry(name, size, digest.hexdigest())


def entry_of(folder: Path, name: str) -> Entry:
    """The entry of a file that lies in the folder already; it is put on the disk itself."""
    with (folder / name).open("rb") as file:
        entry = _told(file, name)
        os.fsync(file.fileno())
    return entry


def _told(file: BinaryIO, name: str) -> Entry:
    digest, size = sha256(), 0
    for piece in _pieces(file, PIECE):
        digest.update(piece)
        size += len(piece)
    return Entry(name, size, digest.hexdigest())


def check(opened: AbstractContextManager[BinaryIO], entry: Entry) -> None:
    """FhirError unless a file is what the manifest says."""
    try:
        with opened as file:
            told = _told(file, entry.path)
    except FileNotFoundError:
        raise broken(entry.path) from None
    if told != entry:
        raise broken(entry.path)


def unpack(
    opened: AbstractContextManager[BinaryIO], entry: Entry, target: Path, key: AESGCM | None, identity: str
) -> None:
    """Copy a file out of a backup and check it on the way; FhirError when it is not what was packed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = sha256()
    try:
        with opened as taken, target.open("wb") as given:
            for number, piece in enumerate(_pieces(taken, PIECE if key is None else PIECE + OVERHEAD)):
                digest.update(piece)
                where = place("backup", identity, entry.path, number)
                given.write(piece if key is None else unseal(key, where, piece))
            given.flush()
            os.fsync(given.fileno())
    except (FileNotFoundError, Broken):
        raise broken(entry.path) from None
    if digest.hexdigest() != entry.sha256:
        raise broken(entry.path)
