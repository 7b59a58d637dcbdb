"""Making secrets and telling whether one is right: random tokens, their hashes, passwords with argon2id.

https://datatracker.ietf.org/doc/html/rfc9106
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

TOKEN_BYTES = 32
AT_ONCE = threading.BoundedSemaphore(4)
"""Each hash of a password takes 64 MiB: more at once would let strangers fill the memory."""

_hasher = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)


def _of_nobody(hasher: PasswordHasher) -> str:
    """A hash that no password has, of the same cost; made of its parameters, since hashing would slow every start."""
    salt, found = (
        base64.b64encode(bytes(length)).decode().rstrip("=") for length in (hasher.salt_len, hasher.hash_len)
    )
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${cost}${salt}${found}"


_NOBODY = _of_nobody(_hasher)


def new_token() -> str:
    """256 random bits as text that stands in URLs and headers."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def digest(token: str) -> str:
    """What is kept of a token: whoever reads the database has none."""
    return hashlib.sha256(token.encode()).hexdigest()


def same(one: str, other: str) -> bool:
    """Whether two texts are the same, in a time that does not depend on where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())


def hash_password(password: str) -> str:
    """What is kept of a password or a client's secret."""
    with AT_ONCE:
        return _hasher.hash(password)


def is_password(kept: str | None, password: str) -> bool:
    """Whether it is the password; where there is nobody, after the same time, no."""
    try:
        with AT_ONCE:
            return _hasher.verify(kept or _NOBODY, password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False
