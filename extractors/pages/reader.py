"""`read`: any attachment to a `Document`, page by page through a child process."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from importlib.metadata import version
from typing import Protocol, TypeVar

import msgspec

from extractors.model import Document
from extractors.pages import children, wire
from extractors.pages.assemble import assemble, whole
from extractors.pages.limits import Limits, Refused
from extractors.pages.ocr import OFF
from extractors.pages.plain import decode, from_text
from extractors.pages.session import Session
from extractors.pages.sniff import TEXT, media_type

READING = "3"  # raise when a page would be read differently, so that no cache answers for an older reading

T = TypeVar("T", wire.Opened, wire.PageRead)
Lookup = Callable[[str], str | None]
Progress = Callable[[int, int], None]


class Cache(Protocol):
    """Where page readings are kept, by content hash."""

    def get(self, key: str) -> bytes | None:
        """The value kept under `key`, if any."""

    def put(self, key: str, value: bytes) -> None:
        """Keep `value` under `key`."""


def read(
    data: bytes,
    *,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    ocr: str = "auto",
    second: str = OFF,
    cache: Cache | None = None,
    lexicon: Lookup | None = None,
    progress: Progress | None = None,
) -> Document:
    """The document in `data`, whose type is found by its bytes; raises `Refused`.

    `ocr` is `auto`, `tesserocr` or `pytesseract`; `second`, who reads numbers and doubtful words again, is `off` or
    `rapidocr`. `lexicon` answers the display of a code or None, and lets misread
    codes be repaired. `progress(done, pages)` is called after each page. Pages that fail stay in the document with
    their reason; it is refused when none could be read.
    """
    if len(data) > limits.size:
        raise Refused(
            "too-long", f"The attachment is over {limits.size / 1e6:g} MB. Send it in parts or at less resolution."
        )
    kind = media_type(data)
    digest = hashlib.sha256(data).hexdigest()
    if kind == TEXT:
        return dataclasses.replace(_plain(data, limits), sha256=digest)
    key = f"{digest}:{READING}:{ocr}:{second}:{_versions()}:{hashlib.sha256(repr(limits).encode()).hexdigest()[:12]}"
    with children.seat(), Session(data, kind, limits, ocr, second) as session:
        opened = _cached(cache, key + ":open", wire.Opened, session.open)
        if not opened.pages:
            return whole(opened, kind, digest)
        pages = []
        for number in range(1, opened.pages + 1):
            pages.append(_cached(cache, f"{key}:{number}", wire.PageRead, lambda n=number: session.page(n)))  # type: ignore[misc]
            if progress:
                progress(number, opened.pages)
    if not any(page.method not in ("failed", "empty") for page in pages):
        _refuse_unread(pages)
    return assemble(pages, kind, digest, lexicon=lexicon)


def _plain(data: bytes, limits: Limits) -> Document:
    text = decode(data)
    if len(text) > limits.characters:
        raise Refused("too-long", f"The text has over {limits.characters:,} characters. Send it in parts.")
    return from_text(text)


def _refuse_unread(pages: list[wire.PageRead]) -> None:
    failed = next((page for page in pages if page.method == "failed"), None)
    if failed is not None:
        raise Refused(failed.code, failed.reason or "The document cannot be read.")


def _versions() -> str:
    return f"{version('tesserocr')}:{version('pypdfium2')}:{version('opencv-python-headless')}"


def _cached(cache: Cache | None, key: str, kind: type[T], make: Callable[[], T]) -> T:
    kept = cache.get(key) if cache is not None else None
    if kept is not None:
        return msgspec.msgpack.decode(kept, type=kind)
    value = make()
    if cache is not None and getattr(value, "method", "") != "failed":
        cache.put(key, msgspec.msgpack.encode(value))
    return value
