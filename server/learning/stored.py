"""The reviewed documents that a server has, to learn from."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

import msgspec

from extractors.pages import Refused
from extractors.pipeline import Pipeline
from server.access.caller import SYSTEM
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.jobs.exporting.pages import Pages
from server.learning.decisions import Reviewed, reviewed
from server.phi.keys import keys_of
from server.settings import Settings
from server.store import open_store


def stored(settings: Settings, pipeline: Pipeline) -> Reviewed:
    """Every document whose Conditions were all decided on, its text read again as it was read for coding."""
    store = open_store(settings.database_url, keys=keys_of(settings))
    try:
        pages = pages_of(Fhir(store, settings))
        documents = {f"DocumentReference/{d['id']}": d for d in map(_decode, every(pages, "DocumentReference"))}
        return reviewed(
            every(pages, "Condition"), every(pages, "Provenance"), lambda name: text_of(documents.get(name), pipeline)
        )
    finally:
        store.close()


def pages_of(fhir: Fhir) -> Pages:
    """All that the server has, in pages."""
    return Pages(fhir, Request(method="GET", base_url=fhir.settings.base_url or "", caller=SYSTEM))


def _decode(body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(body)
    return found


def text_of(document: dict[str, Any] | None, pipeline: Pipeline) -> str | None:
    """The text of a document with its bytes inside; None where it is gone, elsewhere or cannot be read."""
    attachment = ((document or {}).get("content") or [{}])[0].get("attachment") or {}
    try:
        return pipeline.read(base64.b64decode(attachment["data"])).text
    except (KeyError, binascii.Error, Refused):
        return None


def every(pages: Pages, name: str) -> Iterator[bytes]:
    """Every resource of a type."""
    cursor, begun = None, False
    while not begun or cursor:
        page = pages.search(name, (), cursor)
        yield from page.resources
        cursor, begun = page.cursor, True
