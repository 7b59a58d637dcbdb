"""The files of a kick-off as chunks of lines in the database: from this server, or fetched from elsewhere."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Iterator

import orjson

from fhir_profiles.errors import Category, FhirError
from server.interactions.exchange import Request
from server.jobs import chunks, later
from server.jobs.deflate import unpack
from server.jobs.importing.asked import our_file
from server.jobs.importing.fetch import fetch
from server.jobs.importing.lines import Measure, cut
from server.jobs.kinds import Work
from server.jobs.outside import Wall
from server.store import Tx

PER_INPUT = 1_000_000  # numbers of chunks that an input may have
_BINARY = re.compile(r"Binary/([A-Za-z0-9\-.]{1,64})")
_LINES = "SELECT coalesce(sum(lines), 0) FROM later_chunk WHERE request = ? AND section = 'input' AND file = ?"
_REMOVE = "DELETE FROM later_chunk WHERE request = ? AND section = 'input' AND file = ?"


def bring(work: Work, request: Request, number: int, url: str | None, measure: Measure = Measure()) -> int:  # noqa: B008
    """Bring an input into the database; how many lines it has. An upload (no URL) is there since the kick-off."""
    store, name = work.fhir.store, str(number)
    if url is not None:
        store.write_sync(lambda tx: tx.execute(_REMOVE, (work.id, name)))
        for at, lines in enumerate(cut(_parts(work, request, url), work.settings.max_body_bytes, measure)):
            store.write_sync(lambda tx, at=at, lines=lines: keep(tx, work.id, number, at, lines))  # type: ignore[misc]
    return int(store.query(_LINES, (work.id, name))[0][0])


def keep(tx: Tx, job: str, number: int, at: int, lines: list[bytes]) -> None:
    """Store a chunk of an input."""
    chunks.write_chunk(tx, job, number * PER_INPUT + at, ("input", str(number), ""), lines)


def our_binary(url: str, base_url: str) -> str | None:
    """The id of a Binary of this server that a URL names, absolute or not."""
    found = _BINARY.fullmatch(url.removeprefix(f"{base_url}/"))
    return found[1] if found else None


def _parts(work: Work, request: Request, url: str) -> Iterator[bytes]:
    """The bytes of a file."""
    settings = work.settings
    if (ours := our_file(url, request.base_url)) is not None:
        return _exported(work, request, *ours)
    if (binary := our_binary(url, request.base_url)) is not None:
        asked = Request(method="GET", path=("Binary", binary), base_url=request.base_url, caller=request.caller)
        data = orjson.loads(work.fhir.handle_sync(asked).body).get("data") or ""
        return iter([base64.b64decode(data)])
    return asyncio.run(fetch(Wall(settings.inner_hosts), url, settings.import_bytes, settings.data))


def _exported(work: Work, request: Request, job: str, name: str) -> Iterator[bytes]:
    """A file that an export of ours wrote for the same client."""
    store = work.fhir.store
    found = later.find(store, job)
    if found is None or not found.belongs_to(request.caller):
        raise FhirError.of(Category.NOT_FOUND, "not-found", "There is no such exported file.")
    for part in chunks.chunks_of(store, job, "output", name):
        yield unpack(chunks.read_chunk(store, job, part.n))
