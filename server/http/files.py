"""Streaming the files of exports and imports: whole or a Range, as stored when the client takes gzip.

https://hl7.org/fhir/uv/bulkdata/STU2/export.html#bulk-data-output-file-request
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import orjson

from fhir_profiles.errors import Category, FhirError
from server.access.caller import Caller, Identify, anybody
from server.http.errors import headers_of, outcome_of, status_of
from server.jobs import chunks, later
from server.jobs.chunks import Chunk
from server.jobs.deflate import HEAD, TAIL_SIZE, tail, unpack
from server.observability import Receive, Scope, Send
from server.store import Store

_PATH = re.compile(
    r"/\$file/([0-9a-f\-]{36})/(output|deleted|error)/([A-Za-z0-9.\-]{1,80}?)(?:\.ndjson$|(?<=\.parquet)$)"
)
_PARQUET = b"application/vnd.apache.parquet"
_RANGE = re.compile(rb"bytes=(\d*)-(\d*)$")
ROUTE = "/fhir/$file/{job}/{section}/{name}"


class Files:
    """An ASGI application for `/fhir/$file/JOB/SECTION/NAME.ndjson`, and for tables `NAME.parquet`."""

    def __init__(self, store: Store, identify: Identify = anybody) -> None:
        self._store = store
        self._identify = identify

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - no body is read
        """Answer one request."""
        scope["fhir_route"] = ROUTE
        try:
            await self._serve(scope, send)
        except FhirError as error:
            body = orjson.dumps(outcome_of(error))
            headers = [(b"content-type", b"application/fhir+json"), (b"content-length", b"%d" % len(body))]
            headers += headers_of(error)
            await send({"type": "http.response.start", "status": status_of(error), "headers": headers})
            await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _serve(self, scope: Scope, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            raise FhirError.of(Category.UNSUPPORTED, "not-supported", "Files can be read with GET and HEAD only.")
        fields: dict[bytes, bytes] = dict(scope["headers"])
        caller = scope["fhir_caller"] = await self._identify(fields.get(b"authorization"), scope)
        job, parts = await self._store.run(self._find, scope["path"], caller)
        wanted = _RANGE.match(fields.get(b"range", b""))
        packed = wanted is None and _takes_gzip(fields.get(b"accept-encoding", b""))
        size = sum(part.packed if packed else part.size for part in parts)
        size += len(HEAD) + TAIL_SIZE if packed else 0
        headers = [
            (b"content-type", _PARQUET if scope["path"].endswith(".parquet") else b"application/fhir+ndjson"),
            (b"accept-ranges", b"bytes"),
            (b"vary", b"accept-encoding"),
        ]
        first, last = 0, size - 1
        status = 200
        if wanted:
            first, last = _span(wanted, size)
            status = 206
            headers.append((b"content-range", b"bytes %d-%d/%d" % (first, last, size)))
        if packed:
            headers.append((b"content-encoding", b"gzip"))
        headers.append((b"content-length", b"%d" % (last - first + 1)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if scope["method"] == "GET":
            async for body in self._packed(job, parts) if packed else self._bytes(job, parts, first, last):
                await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    def _find(self, path: str, caller: Caller) -> tuple[str, list[Chunk]]:
        """The job and the chunks of a file; 404 when it was removed or has expired, or is somebody else's."""
        named = _PATH.search(path)
        found = later.find(self._store, named[1]) if named else None
        if named and found is not None and found.state == later.DONE and found.belongs_to(caller):
            parts = chunks.chunks_of(self._store, named[1], named[2], named[3])
            if parts:
                return named[1], parts
        text = "There is no such file: it was removed, it has expired, or there never was one."
        raise FhirError.of(Category.NOT_FOUND, "not-found", text)

    async def _packed(self, job: str, parts: list[Chunk]) -> AsyncIterator[bytes]:
        """The file in gzip: the stored bytes."""
        yield HEAD
        for part in parts:
            yield await self._store.run(chunks.read_chunk, self._store, job, part.n)
        yield tail((part.crc, part.size) for part in parts)

    async def _bytes(self, job: str, parts: list[Chunk], first: int, last: int) -> AsyncIterator[bytes]:
        """The bytes from `first` to `last`, a chunk at a time."""
        at = 0
        for part in parts:
            end = at + part.size
            if end > first and at <= last:
                text = await self._store.run(_read, self._store, job, part.n)
                yield text[max(first - at, 0) : last + 1 - at]
            at = end


def _read(store: Store, job: str, n: int) -> bytes:
    return unpack(chunks.read_chunk(store, job, n))


def _takes_gzip(accepted: bytes) -> bool:
    return any(re.fullmatch(rb"\s*gzip\s*(;\s*q=(1|0\.\d*[1-9]\d*)(\.0*)?)?\s*", one) for one in accepted.split(b","))


def _span(wanted: re.Match[bytes], size: int) -> tuple[int, int]:
    """The first and last byte of a Range; 416 when there is nothing there."""
    low, high = wanted[1], wanted[2]
    if not low and high:
        first, last = max(size - int(high), 0), size - 1
    else:
        first, last = int(low or 0), min(int(high), size - 1) if high else size - 1
    if first > last:
        from server.http.errors import HttpError

        headers = ((b"content-range", b"bytes */%d" % size),)
        raise HttpError(
            416, "value", "The Range lies behind the end of the file.", category=Category.INCORRECT, headers=headers
        )
    return first, last
