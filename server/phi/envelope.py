"""Sealed bytes: AES-256-GCM whose additional data says where they belong (NIST SP 800-38D).

A sealed value is one byte of mark, one of format, eight of the number of its key, twelve of nonce, then the ciphertext
with its tag of sixteen. All before the nonce, and the place, are authenticated: moved elsewhere it does not open.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MARK = 0xF5
"""No UTF-8 text, so no JSON, begins with this byte."""

FORMAT = 1
KEY_BYTES = 32
HEAD, BODY = 10, 22
"""Where the nonce begins, and the ciphertext."""

_NONCE, _TAG = BODY - HEAD, 16
OVERHEAD = BODY + _TAG
"""Bytes that a sealed value has more than what is in it."""

PREFIX = bytes((MARK, FORMAT))
"""How each sealed value begins."""


class Broken(Exception):
    """The bytes are not what was sealed for this place."""


def place(tenant: str, *parts: str | int) -> bytes:
    """Where a value belongs, so that no two places read the same; parts hold no unit separator."""
    return "\x1f".join((tenant, *map(str, parts))).encode()


def new_key() -> bytes:
    """A key of 256 bits."""
    return os.urandom(KEY_BYTES)


def is_sealed(data: bytes) -> bool:
    """Whether the bytes are a sealed value of a format known here."""
    return data[:2] == PREFIX and len(data) >= OVERHEAD


def number_of(data: bytes) -> int:
    """The number of the key that a value was sealed with; Broken when it is none."""
    if not is_sealed(data):
        raise Broken
    return int.from_bytes(data[2:HEAD], "big")


def head_of(number: int) -> bytes:
    """How each value begins that key `number` seals."""
    return PREFIX + number.to_bytes(8, "big")


def seal(key: AESGCM, number: int, where: bytes, data: bytes) -> bytes:
    """The data sealed for a place with key `number`. Nonces are random: far fewer than 2^32 for one key are safe."""
    head = head_of(number)
    nonce = os.urandom(_NONCE)
    return head + nonce + key.encrypt(nonce, data, head + where)


def unseal(key: AESGCM, where: bytes, data: bytes) -> bytes:
    """What was sealed for this place; Broken when it was not, or was changed since."""
    try:
        return key.decrypt(data[HEAD : HEAD + _NONCE], data[HEAD + _NONCE :], data[:HEAD] + where)
    except InvalidTag:
        raise Broken from None


def wrap(kek: bytes, version: int, number: int, owner: str, key: bytes) -> bytes:
    """A data key as it is kept, bound to its number and whose data it seals."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(kek).encrypt(nonce, key, place("key", version, number, owner))


def unwrap(kek: bytes, version: int, number: int, owner: str, wrapped: bytes) -> bytes:
    """The data key; Broken when another key encrypted it, or it was changed."""
    try:
        return AESGCM(kek).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], place("key", version, number, owner))
    except (InvalidTag, ValueError):
        raise Broken from None
