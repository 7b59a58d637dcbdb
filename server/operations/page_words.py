"""`DocumentReference/[id]/$page-words`: what a page says, word by word (docs/operations/page-words.md).

https://hl7.org/fhir/R4/operations.html
"""

from __future__ import annotations

import atexit
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
import orjson

from extractors.model import Document
from fhir_profiles.errors import Category, FhirError
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.jobs import tasks
from server.jobs.bounds import bounds_of
from server.jobs.children import Children, Failure
from server.jobs.corrections import packed_of
from server.jobs.shown import ALL, overview, page_key, page_words, pages_key
from server.operations.papers import Lane, Paper, Papers, absent_page, kept, tag, unchanged
from server.operations.parameters import read_arguments
from server.settings import Settings

T = TypeVar("T")
JSON = "application/json"
_FULL = "The cache in the data directory cannot be written. Make room, then try again."
_WORKED_ON = "The document is still being read. Follow its Task, and ask again when that has ended."


class PageWords:
    """Answers with words: those that were coded, or, where the cache has lost them, read again."""

    def __init__(self, papers: Papers, fhir: Fhir, settings: Settings, prepare: Callable[[], None]) -> None:
        self._papers = papers
        self._fhir = fhir
        self._prepare = prepare
        self._lane = Lane("words")
        self._children = Children(bounds_of(settings), 1, fhir.store.cache_key())
        atexit.register(self._children.close)

    async def __call__(self, request: Request) -> Response:
        """The words of a page, or without `page` an overview; 404 for what may not be read or is not there."""
        arguments = read_arguments(request)
        arguments.only("page")
        number = ALL if arguments.text("page") is None else arguments.whole("page", 1, 1_000_000)
        paper = await self._fhir.store.run(self._papers.find, request)
        self._prepare()
        key = await self._fhir.store.run(self._known, paper)
        if key and unchanged(request, etag := tag(key, str(number))):
            return kept(paper, etag, None, JSON)
        body = await self._fhir.store.run(self._shown, key, number) if key else None
        shown = (key, body) if key and body else await self.apart(self._make, paper, number)
        return kept(paper, tag(shown[0], str(number)), shown[1], JSON)

    async def apart(self, function: Callable[..., T], *arguments: Any) -> T:
        """The value of what calls `read`, in the thread that is there for that."""
        return await self._lane.run(function, *arguments)

    def read(self, paper: Paper) -> Document:
        """The Document as it was read; raises `Failure`, and FhirError while a worker is at it."""
        key = self._known(paper) or self._again(paper)
        packed = self._papers.cache.get(key) or self._papers.cache.get(self._again(paper))
        if packed is None:
            raise Failure("exception", _FULL)
        return msgspec.msgpack.decode(packed, type=Document)

    def _again(self, paper: Paper) -> str:
        """Read a document that the cache has lost; its key there."""
        self._refuse_while_read(paper.document["id"])
        key = str(self._children.run("read", self._papers.data(paper), packed_of(paper.document)))
        self._papers.cache.put(pages_key(paper.document), key.encode())
        return key

    def _known(self, paper: Paper) -> str | None:
        key = self._papers.cache.get(pages_key(paper.document))
        return None if key is None else key.decode()

    def _refuse_while_read(self, document: str) -> None:
        """503 while a run of the document is under way: its worker reads what would be read twice."""
        found = self._fhir.store.read("Task", tasks.task_id(document))
        if found and not found.deleted and orjson.loads(found.body).get("status") in ("requested", "in-progress"):
            raise FhirError.of(Category.UNAVAILABLE, "transient", _WORKED_ON)

    def _make(self, paper: Paper, number: int) -> tuple[str, bytes]:
        """A page's words, of a document that the cache has lost."""
        key = self._again(paper)
        body = self._shown(key, number)
        if body is None:
            raise Failure("exception", _FULL)
        return key, body

    def _shown(self, key: str, number: int) -> bytes | None:
        """What the cache has of a page; 404 for one that is not there, None where the document must be read again."""
        get = self._papers.cache.get
        body = get(page_key(key, number))
        if body is not None:
            return body
        told = get(page_key(key))
        if told is not None:
            pages = orjson.loads(told)["of"]
            if number > pages:
                raise absent_page(pages)
            return None
        packed = get(key)
        document = None if packed is None else msgspec.msgpack.decode(packed, type=Document)
        if document is None or document.pages:
            return None
        if number > 1:
            raise absent_page(0)
        return overview(document) if number == ALL else page_words(document, number)
