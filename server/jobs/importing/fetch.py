"""Fetch a file of NDJSON from where the wall lets us, into a temporary file that is read back in parts.

The file is sealed with a key that only this process has, and only while it reads: what is left of it says nothing.
"""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

import httpx
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fhir_profiles.errors import Category, FhirError
from server.jobs.outside import Wall
from server.phi.envelope import new_key

_SECONDS = 60.0  # between two parts of the answer
_TAG = 16
_PART = 1 << 20


async def fetch(wall: Wall, url: str, most: int, folder: Path) -> Iterator[bytes]:
    """The bytes of a file, unpacked when it came in gzip; FhirError says why it could not be had."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = Kept(folder)
    try:
        async with wall.client(_SECONDS) as client:
            headers = {"accept": "application/fhir+ndjson", "accept-encoding": "gzip"}
            async with client.stream("GET", url, headers=headers) as response:
                if response.status_code != 200:
                    raise _failed(f"The server of an input answered with status {response.status_code}.")
                packed = response.headers.get("content-encoding", "").lower() == "gzip"
                await _keep(response, kept, most)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        kept.close()
        raise _failed(f"An input could not be fetched ({type(error).__name__}).") from None
    except FhirError:
        kept.close()
        raise
    return _parts(kept, most, packed=packed)


class Kept:
    """A temporary file without a name; what is written comes back in the same parts, once."""

    def __init__(self, folder: Path) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by who reads it
        self._key = AESGCM(new_key())
        self._lengths: list[int] = []

    def write(self, part: bytes) -> None:
        """Add a part of at most a MiB or so."""
        self._file.write(self._key.encrypt(_nonce(len(self._lengths)), part, None))
        self._lengths.append(len(part))

    def parts(self) -> Generator[bytes, None, None]:
        """The parts; the file is gone after them."""
        with self._file:
            self._file.seek(0)
            for n, length in enumerate(self._lengths):
                yield self._key.decrypt(_nonce(n), self._file.read(length + _TAG), None)

    def close(self) -> None:
        """Drop it unread."""
        self._file.close()


def _nonce(n: int) -> bytes:
    return n.to_bytes(12, "big")


async def _keep(response: httpx.Response, kept: Kept, most: int) -> None:
    size = 0
    async for part in response.aiter_raw(_PART):
        size += len(part)
        if size > most:
            raise _too_large(most)
        kept.write(part)


def _parts(kept: Kept, most: int, *, packed: bool) -> Iterator[bytes]:
    inflate = zlib.decompressobj(31) if packed else None
    size = 0
    with closing(kept.parts()) as parts:
        for whole in parts:
            part = whole
            while part:
                text = inflate.decompress(part, _PART) if inflate else part
                part = inflate.unconsumed_tail if inflate else b""
                size += len(text)
                if size > most:
                    raise _too_large(most)
                yield text


def _too_large(most: int) -> FhirError:
    return FhirError.of(Category.INCORRECT, "too-long", f"An input is larger than the limit of {most} bytes.")


def _failed(text: str) -> FhirError:
    return FhirError.of(Category.INCORRECT, "processing", text)
