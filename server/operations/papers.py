"""The pages of a stored document: whoever may read the DocumentReference and its Binary may see them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import orjson

from fhir_profiles.errors import Category, FhirError
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.interactions.preconditions import tags
from server.jobs.attachments import attachment_of, binary_id, fingerprint, read_attachment
from server.jobs.binary import unpacked
from server.jobs.cache import ContentCache
from server.jobs.children import Failure
from server.settings import Settings

T = TypeVar("T")
KEPT = "private, max-age=300"
"""How long a browser may show a page again without asking: less than a token lives."""

_WAITING = 64  # pages of one lane that may wait to be made; more are told to come back
_CATEGORIES = {"not-found": Category.NOT_FOUND, "exception": Category.FAULT}


@dataclass(frozen=True, slots=True)
class Paper:
    """A DocumentReference that the caller may read, and what its bytes are read from.

    `base` is the FHIR base as its addresses name it; `mark` is the same as long as document and Binary are; `binary` is
    the stored Binary, None for inline data.
    """

    document: dict[str, Any]
    base: str
    mark: str
    binary: bytes | None = None

    @property
    def patients(self) -> tuple[str, ...]:
        """The id of the Patient whom it is about, as far as it says so."""
        kind, _, name = str((self.document.get("subject") or {}).get("reference", "")).rpartition("/")
        return (name,) if kind.rpartition("/")[2] == "Patient" else ()


class Papers:
    """Finds documents for who asks, and their bytes when they are needed."""

    def __init__(self, fhir: Fhir, settings: Settings) -> None:
        self._fhir = fhir
        self._settings = settings
        self.cache = ContentCache(settings.data / "cache", settings.cache_bytes, fhir.store.cache_key())

    def find(self, request: Request) -> Paper:
        """The document that the path names; FhirError as for a read of it, and of its Binary."""
        document = orjson.loads(self._get(request, *request.path[:2]).body)
        found = attachment_of(document)
        url = found[1].get("url") if found and not found[1].get("data") else None
        base = self._settings.base_url or request.base_url
        name = binary_id(url, base) if url else None
        if name is None:
            return Paper(document, base, _digest(fingerprint(document)))
        answer = self._get(request, "Binary", name)
        return Paper(document, base, _digest(fingerprint(document), answer.etag or ""), answer.body)

    def _get(self, request: Request, *path: str) -> Response:
        return self._fhir.handle_sync(
            Request(method="GET", path=path, base_url=request.base_url, caller=request.caller)
        )

    def data(self, paper: Paper) -> bytes:
        """The bytes of the attachment; raises `Failure`."""
        stored = paper.binary

        def fetch(_: str) -> bytes | None:
            return None if stored is None else unpacked(stored)

        return read_attachment(paper.document, paper.base, fetch, self._settings.document_bytes)


class Lane:
    """One thread for work of a kind, with a bound on what waits for it."""

    def __init__(self, name: str) -> None:
        self._threads = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._waiting = 0

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """The function's value; 429 when too many wait, and what a `Failure` says as FhirError."""
        if self._waiting >= _WAITING:
            raise FhirError.of(Category.BUSY, "throttled", "Many pages are being made; try again in a moment.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, partial(function, *arguments))
        except Failure as failure:
            category = _CATEGORIES.get(failure.code, Category.INCORRECT)
            raise FhirError.of(category, failure.code, failure.text) from None
        finally:
            self._waiting -= 1


def absent_page(pages: int) -> FhirError:
    """404 for a page that the document does not have."""
    text = f"The document has {pages} pages." if pages else "The document has no pages: it is text. $page-words has it."
    return FhirError.of(Category.NOT_FOUND, "not-found", text)


def tag(*parts: str) -> str:
    """The ETag of what was made from `parts`."""
    return f'"{_digest(*parts)[:32]}"'


def unchanged(request: Request, etag: str) -> bool:
    """Whether the client has it already."""
    return request.if_none_match is not None and not tags(request.if_none_match).isdisjoint({"*", etag.strip('"')})


def kept(paper: Paper, etag: str, body: bytes | None, content_type: str) -> Response:
    """What may be shown again for a while; 304 without a body."""
    headers = (("Cache-Control", KEPT), ("Vary", "authorization, cookie"))
    if body is None:
        return Response(status=304, etag=etag, headers=headers, about=paper.patients)
    return Response(status=200, body=body, etag=etag, content_type=content_type, headers=headers, about=paper.patients)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
