"""The secret of a data directory: it makes stand-ins and seals kept answers; wrapped when encryption is on.

https://doi.org/10.6028/NIST.SP.800-57pt1r5
"""

from __future__ import annotations

import hashlib
import hmac
import os
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.phi.envelope import KEY_BYTES, Broken, is_sealed, new_key, number_of, place, seal, unseal
from server.phi.keys import Keys, KeysError

_PLACE = place("adjudication", "secret")


def open_secret(directory: Path, keys: Keys | None) -> bytes:
    """The secret, made on first use; wrapped anew when the keys have a newer version or encryption was switched.

    KeysError when it cannot be opened: then what is kept cannot be replayed, and the file must be put back or removed.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = directory / "secret"
    if not path.exists():
        _create(path, _wrapped(new_key(), keys))
    kept = path.read_bytes()
    secret, current = _opened(kept, keys)
    if not current:
        _replace(path, _wrapped(secret, keys))
    return secret


def derived(secret: bytes, use: str) -> bytes:
    """A key for one use."""
    return hmac.new(secret, use.encode(), hashlib.sha256).digest()


def _wrapped(secret: bytes, keys: Keys | None) -> bytes:
    return secret if keys is None else seal(AESGCM(keys.of(keys.newest)), keys.newest, _PLACE, secret)


def _opened(kept: bytes, keys: Keys | None) -> tuple[bytes, bool]:
    """The secret, and whether it is kept as it should be now."""
    if len(kept) == KEY_BYTES:
        return kept, keys is None
    try:
        if keys is None or not is_sealed(kept):
            raise Broken
        number = number_of(kept)
        return unseal(AESGCM(keys.of(number)), _PLACE, kept), number == keys.newest
    except Broken:
        text = "The secret in adjudication/ of the data dir cannot be opened. Put it or its key back, or remove it."
        raise KeysError(text) from None


def _create(path: Path, data: bytes) -> None:
    """Write a new file whole, unless another process was first."""
    draft = _draft(path, data)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _replace(path: Path, data: bytes) -> None:
    _draft(path, data).replace(path)


def _draft(path: Path, data: bytes) -> Path:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".")
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)
