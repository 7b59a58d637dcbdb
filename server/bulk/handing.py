"""Resources of a bulk run handed to a server as `$import`, or written into a database as `fhirwright import` does.

https://github.com/smart-on-fhir/bulk-import
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from io import BytesIO
from itertools import count
from typing import Any

import msgspec
import polars as pl

from fhir_profiles.errors import Category, FhirError
from server.bulk.place import Place
from server.jobs.importing.lines import LINES
from server.settings import Settings

PART = 4 * 1024 * 1024
"""Bytes of one upload, about: below what a server takes as a body unless it is set lower."""
_PATIENCE = 3600
"""Seconds that an import may take."""
_PAUSE = 1.0


class Handed(msgspec.Struct):
    """Resources that were stored, and lines that were refused."""

    stored: int = 0
    refused: int = 0


def hand_over(to: str, place: Place, form: str, settings: Settings) -> Handed:
    """Store the resources of an output; doing it twice stores the same. FhirError where there is no way to it.

    A server gets the token of FHIRWRIGHT_TOKEN where one is set.
    """
    lines = _lines(place, form)
    return _upload(to.rstrip("/"), lines) if to.startswith(("http://", "https://")) else _write(to, lines, settings)


def _lines(place: Place, form: str) -> Iterator[bytes]:
    """Each resource."""
    if form == "ndjson":
        yield from (place.read("resources.ndjson") or b"").splitlines()
        return
    for part in count():
        body = place.read(f"resources.parquet/part-{part:06}.parquet")
        if body is None:
            return
        yield from (text.encode() for text in pl.read_parquet(BytesIO(body))["resource"])


def _parts(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    """As many lines as go at once."""
    some, size = list[bytes](), 0
    for line in lines:
        if some and (size + len(line) > PART or len(some) == LINES):
            yield some
            some, size = [], 0
        some.append(line)
        size += len(line) + 1
    if some:
        yield some


def _write(database: str, lines: Iterator[bytes], settings: Settings) -> Handed:
    from server.access.caller import server_as
    from server.interactions.exchange import Request
    from server.jobs.importing.lines import read_lines, write_lines
    from server.parts import join
    from server.phi.keys import keys_of
    from server.settings import read_settings
    from server.store import open_store

    settings = read_settings(data=settings.data, database=database)
    store, told = open_store(settings.database_url, keys=keys_of(settings)), Handed()
    try:
        fhir, caller = join(store, settings).fhir, server_as("fhirwright-bulk")
        base = Request(method="PUT", base_url=settings.base_url or "", prefer="return=minimal", caller=caller)
        for some in _parts(lines):
            prepared = read_lines(fhir, some, 1, base)
            loaded = store.write_sync(lambda tx, prepared=prepared: write_lines(tx, prepared))  # type: ignore[misc]
            told.stored += sum(loaded.counts.values())
            told.refused += len(loaded.errors)
    finally:
        store.close()
    return told


def _upload(base: str, lines: Iterator[bytes]) -> Handed:
    import os

    import httpx

    token = os.environ.get("FHIRWRIGHT_TOKEN")
    head = {"content-type": "application/fhir+ndjson", "prefer": "respond-async"}
    allowed = {"authorization": f"Bearer {token}"} if token else {}
    told = Handed()
    with httpx.Client(headers=allowed, timeout=60) as client:
        for some in _parts(lines):
            try:
                begun = client.post(f"{base}/$import", content=b"\n".join(some), headers=head)
                body = _ended(client, begun)
            except httpx.HTTPError as error:
                raise _no("The server cannot be reached") from error
            told.stored += sum(int(one.get("count", 0)) for one in body.get("output") or ())
            told.refused += sum(int(one.get("count", 0)) for one in body.get("error") or ())
    return told


def _ended(client: Any, begun: Any) -> dict[str, Any]:
    """What an import came to, once it has ended."""
    until = time.monotonic() + _PATIENCE
    if begun.status_code != 202:
        raise _no(f"The server refused the import ({begun.status_code}); FHIRWRIGHT_TOKEN holds a token for it")
    while time.monotonic() < until:
        state = client.get(begun.headers["content-location"])
        if state.status_code == 200:
            body: dict[str, Any] = state.json()
            return body
        if state.status_code != 202:
            raise _no(f"The import failed ({state.status_code})")
        time.sleep(_PAUSE)
    raise _no("The import takes too long")


def _no(text: str) -> FhirError:
    return FhirError.of(Category.UNAVAILABLE, "transient", f"{text}. Run again: what is done is kept")
