"""The file of claims as lines that can be read from any place, or a word on how to make one of it."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from claims.run.write import told
from fhir_profiles.errors import Category, FhirError

MOST_UNPACKED = 1 << 38
"""Bytes that a packed file may have when it is unpacked: 256 GiB."""
_GZIP = b"\x1f\x8b"
_LOOKED = 1 << 16
_BLOCK = 1 << 22
_ALL = "jq -c '.[]' FILE > CLAIMS.ndjson"


@contextmanager
def source(file: Path, out: Path) -> Iterator[Path]:
    """The file, or where it is packed (gzip) what it holds, beside the output for as long as the run lasts.

    FhirError where the file is no UTF-8, empty, damaged, or JSON that is not one object on each line.
    """
    if _start(file, 2) != _GZIP:
        _look(_start(file, _LOOKED))
        yield file
        return
    with told():
        out.mkdir(parents=True, exist_ok=True)
    unpacked = out / ".unpacked"
    try:
        _unpack(file, unpacked)
        _look(_start(unpacked, _LOOKED))
        yield unpacked
    finally:
        unpacked.unlink(missing_ok=True)


def _start(file: Path, size: int) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(size)
    except OSError as error:
        raise FhirError.of(Category.NOT_FOUND, "not-found", f"The file cannot be read: {error.strerror}") from error


def _unpack(file: Path, unpacked: Path) -> None:
    size = 0
    with gzip.open(file) as packed, told(), unpacked.open("wb") as target:
        while block := _next(packed):
            size += len(block)
            if size > MOST_UNPACKED:
                raise _no(f"The file is longer than {MOST_UNPACKED >> 30} GiB when it is unpacked: part it")
            target.write(block)


def _next(packed: gzip.GzipFile) -> bytes:
    try:
        return packed.read(_BLOCK)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _no("The packed file is damaged or ends too early: send it again") from error


def _look(start: bytes) -> None:
    """Refuse what a first look shows to be no lines of claims, with what to do."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _no("The file is written in UTF-16: save it as UTF-8")
    text = start.removeprefix(codecs.BOM_UTF8).lstrip()
    if not text:
        raise _no("The file is empty")
    if text.startswith(b"["):
        raise _no(f"The file is one JSON array; a line for each claim is expected: {_ALL}")
    if text.startswith(b"ISA"):
        raise _no("The file is X12: make claims of it with fhirwright claims import")
    line, end, _ = text.partition(b"\n")
    if end and text.startswith(b"{") and not line.rstrip().endswith(b"}"):
        text_ = "The file is JSON spread over many lines; one object on each is expected: jq -c . FILE > CLAIMS.ndjson"
        raise _no(text_)


def _no(text: str) -> FhirError:
    return FhirError.of(Category.INCORRECT, "structure", text)
