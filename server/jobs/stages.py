"""What runs in a child process: the four stages of a document, results kept by content hash and passed on by name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from extractors.model import Document
from extractors.pages import Refused, from_text
from extractors.pages.sniff import TEXT, media_type
from extractors.pipeline import Pipeline
from fhir_profiles import json
from server.jobs.attachments import attachment_of
from server.jobs.cache import ContentCache
from server.jobs.children import Bounds, Failure

Progress = Callable[[str], None]


class Stages:
    """The stages by name; the terminology and its matcher are opened when the first document needs them."""

    def __init__(self, bounds: Bounds, progress: Progress = lambda _: None) -> None:
        self._bounds = bounds
        self._progress = progress
        self._last: tuple[str, Document] | None = None
        self.cache = ContentCache(Path(bounds.data) / "cache", bounds.cache_bytes)

    def run(self, stage: str, arguments: list[Any]) -> Any:
        """The value of one stage."""
        stages: dict[str, Callable[..., Any]] = {"read": self.read, "code": self.code, "bundle": self.bundle}
        try:
            return stages[stage](*arguments)
        except Refused as refused:
            raise Failure(refused.code, refused.text) from None

    @cached_property
    def pipeline(self) -> Pipeline:
        """Terminology, matcher and engine, opened once."""
        bounds = self._bounds
        return Pipeline.open(bounds.data, limits=bounds.limits, engine=bounds.engine)

    def warm(self) -> None:
        """Open and load what the first document would wait for."""
        self.pipeline.lexicon.prepare()
        self._emit(from_text("Blood pressure 120/80 mmHg. Asthma (J45.909)."), {}, "2026-01-01T00:00:00Z")

    def read(self, data: bytes) -> str:
        """Read the pages; the key under which the Document is kept."""
        if media_type(data) != TEXT:
            self._progress("pages")
        document = self.pipeline.read(data, cache=self.cache)
        packed = msgspec.msgpack.encode(document)
        key = f"document:{hashlib.sha256(packed).hexdigest()}"
        self.cache.put(key, packed)
        self._last = key, document
        return key

    def code(self, key: str, resource: bytes) -> str | None:
        """Find, code and emit what the Document under `key` says; the Bundle's key, None when the Document is lost."""
        document = self._kept(key)
        if document is None:
            return None
        body = self._emit(document, json.decode(resource))  # recorded when the version was: a second run gives the same
        bundle = f"bundle:{hashlib.sha256(body).hexdigest()}"
        self.cache.put(bundle, body)
        return bundle

    def bundle(self, data: bytes, resource: bytes | None, now: str | None) -> bytes:
        """All stages at once: the Bundle of a file, with the DocumentReference around it if there is one."""
        return self._emit(self.pipeline.read(data, cache=self.cache), json.decode(resource) if resource else {}, now)

    def _kept(self, key: str) -> Document | None:
        if self._last and self._last[0] == key:
            return self._last[1]
        packed = self.cache.get(key)
        return msgspec.msgpack.decode(packed, type=Document) if packed else None

    def _emit(self, document: Document, resource: Mapping[str, Any], now: str | None = None) -> bytes:
        from claims.draft import draft_claim
        from extractors.emit import bundle, emit, source_of

        self._progress("findings")
        findings = self.pipeline.find(document)
        self._progress("codes")
        coded = self.pipeline.code(findings, document)
        found = attachment_of(resource)
        source = source_of(
            {"id": document.sha256[:40], **resource},
            recorded=now,
            path=f"DocumentReference.content[{found[0] if found else 0}].attachment",
            software_version=version("fhirwright"),
        )
        return json.encode(bundle(emit(source, document, coded, draft_claim=draft_claim)))
