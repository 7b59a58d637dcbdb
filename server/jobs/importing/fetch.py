"""Fetch a file of NDJSON from where the wall lets us, into a temporary file that is read back in parts."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import httpx

from fhir_profiles.errors import Category, FhirError
from server.jobs.outside import Wall

_SECONDS = 60.0  # between two parts of the answer
_PART = 1 << 20


async def fetch(wall: Wall, url: str, most: int, folder: Path) -> Iterator[bytes]:
    """The bytes of a file, unpacked when it came in gzip; FhirError says why it could not be had."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by who reads it
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


async def _keep(response: httpx.Response, kept: IO[bytes], most: int) -> None:
    size = 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > most:
            raise _too_large(most)
        kept.write(part)


def _parts(kept: IO[bytes], most: int, *, packed: bool) -> Iterator[bytes]:
    with kept:
        kept.seek(0)
        inflate = zlib.decompressobj(31) if packed else None
        size = 0
        while part := kept.read(_PART):
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
