"""Results kept by the hash of what they were made from, on disk, within a bound; the oldest unused goes first.

The files hold document text: directory and files are for the owner only. A lost file costs work, never a result.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.phi.envelope import Broken, is_sealed, place, seal, unseal

_SWEEP_EVERY = 64  # puts between looks at the total size


class ContentCache:
    """Bytes by key below a directory, at most `max_bytes` (checked now and then, so briefly a little more).

    With a key of 32 bytes the files are sealed, each for its own name.
    """

    def __init__(self, directory: Path, max_bytes: int, key: bytes = b"") -> None:
        self._seal = AESGCM(key) if key else None
        self._directory = directory
        self._max_bytes = max_bytes
        self._puts = 0
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    @staticmethod
    def key(*parts: bytes | str) -> str:
        """A key for what was made from `parts`: content, engine version, options."""
        digest = hashlib.sha256()
        for part in parts:
            raw = part.encode() if isinstance(part, str) else part
            digest.update(len(raw).to_bytes(8, "big"))
            digest.update(raw)
        return digest.hexdigest()

    def _path(self, key: str) -> Path:
        name = hashlib.sha256(key.encode()).hexdigest()
        return self._directory / name[:2] / name

    def get(self, key: str) -> bytes | None:
        """The bytes under `key`, or None; a hit counts as use."""
        path = self._path(key)
        try:
            data = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return data if self._seal is None else self._open(key, data)

    def _open(self, key: str, data: bytes) -> bytes | None:
        """What was sealed under this name; None when it was not, or with a key that is no longer known."""
        assert self._seal is not None
        try:
            return unseal(self._seal, place("cache", key), data) if is_sealed(data) else None
        except Broken:
            return None

    def put(self, key: str, data: bytes) -> None:
        """Keep `data` under `key`; a reader sees all of it or nothing. A full disk is not an error here."""
        path = self._path(key)
        if self._seal is not None:
            data = seal(self._seal, 0, place("cache", key), data)
        try:
            path.parent.mkdir(exist_ok=True, mode=0o700)
            descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".")
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            Path(draft).replace(path)
        except OSError:
            return
        self._puts += 1
        if self._puts % _SWEEP_EVERY == 1:
            self.sweep()

    def sweep(self) -> None:
        """Delete the least recently used files until the rest fits in the bound."""
        files = []
        for path in self._directory.glob("??/*"):
            try:
                stat = path.stat()
            except OSError:
                continue
            files.append((stat.st_mtime, stat.st_size, path))
        excess = sum(size for _, size, _ in files) - self._max_bytes
        for _, size, path in sorted(files):
            if excess <= 0:
                return
            path.unlink(missing_ok=True)
            excess -= size
