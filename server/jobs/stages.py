"""What runs in a child process: the four stages of a document, results kept by content hash and passed on by name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from extractors.adjudicate.adjudicate import outcomes
from extractors.adjudicate.model import Heard
from extractors.deid.vocabulary import Vocabulary
from extractors.model import Adjudication, Coded, Document
from extractors.pages import Refused, from_text
from extractors.pages.corrected import corrected
from extractors.pages.sniff import CCDA, TEXT, media_type
from extractors.pipeline import Pipeline
from fhir_profiles import json
from server.adjudication.told import Told
from server.doors.ccda import Mapped
from server.jobs.attachments import attachment_of
from server.jobs.cache import ContentCache
from server.jobs.children import Bounds, Failure
from server.jobs.corrections import corrections_of, unpack
from server.jobs.entries import entries_of, file_in
from server.jobs.measured import reading_key, reading_of
from server.jobs.parts import Parts
from server.jobs.shown import keep_pages
from server.learning.serving import Models
from server.learning.shadow import counted

Progress = Callable[[str], None]
Decided = Callable[[Document, Coded], Adjudication | None]
_LOST = "The version of the model that codes is not in the data directory. Make room there, then retry the Task."


class Stages:
    """The stages by name; the terminology and its matcher are opened when the first document needs them."""

    def __init__(self, bounds: Bounds, progress: Progress = lambda _: None, key: bytes = b"") -> None:
        self._bounds = bounds
        self._progress = progress
        self._last: tuple[str, Document] | None = None
        self.cache = ContentCache(Path(bounds.data) / "cache", bounds.cache_bytes, key)
        self.parts = Parts()
        self._models, self._model = Models(Path(bounds.data), key), ""

    def run(self, stage: str, arguments: list[Any], model: str = "") -> Any:
        """The value of one stage; `model` is the version that codes, empty for that of the package."""
        self._model = model
        stages: dict[str, Callable[..., Any]] = {
            "read": self.read,
            "ask": self.ask,
            "code": self.code,
            "adjudicate": self.adjudicate,
            "bundle": self.bundle,
            "shadow": self.shadow,
        }
        try:
            return stages[stage](*arguments)
        except Refused as refused:
            raise Failure(refused.code, refused.text) from None
        except KeyError as lost:
            if lost.args != (self._model,):
                raise
            raise Failure("exception", _LOST) from None

    @cached_property
    def _opened(self) -> Pipeline:
        bounds = self._bounds
        return Pipeline.open(bounds.data, limits=bounds.limits, engine=bounds.engine, second=bounds.second)

    @property
    def pipeline(self) -> Pipeline:
        """Terminology, matcher and engine, opened once; with the version of the model that codes now."""
        return replace(self._opened, learned=self._models.get(self._model)) if self._model else self._opened

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The words that are nobody's name, read when the first question is prepared."""
        return Vocabulary.of(self.pipeline.lexicon)

    def warm(self) -> None:
        """Open and load what the first document would wait for."""
        self.pipeline.lexicon.prepare()
        self._emit(from_text("Blood pressure 120/80 mmHg. Asthma (J45.909)."), {}, "2026-01-01T00:00:00Z")
        self.parts.take()

    def read(self, data: bytes, corrections: bytes = b"") -> str:
        """Read the pages, with what people corrected in them; the key under which the Document is kept."""
        if media_type(data) != TEXT:
            self._progress("pages")
        with self.parts.of("pages"):
            read = self.pipeline.read(data, cache=self.cache, progress=self._turned)
        document = corrected(read, unpack(corrections))
        packed = msgspec.msgpack.encode(document)
        key = f"document:{hashlib.sha256(packed).hexdigest()}"
        self._keep_entries(document, data)
        self.cache.put(key, packed)
        if document.pages:
            keep_pages(self.cache, key, document)
        self.cache.put(reading_key(key), msgspec.msgpack.encode(reading_of(document)))
        self._last = key, document
        return key

    def _turned(self, done: int, of: int) -> None:
        if done < of:
            self._progress(f"pages {done + 1}/{of}")

    def ask(self, key: str, told: bytes) -> list[Any] | None:
        """What a language model would be asked about the Document under `key`: how many codes, and the question.

        The question is None when the last gate lets none out; None in all when the Document is lost.
        """
        document = self._kept(key)
        if document is None:
            return None
        coded = self.pipeline.code(self.pipeline.find(document), document)
        hearing = msgspec.msgpack.decode(told, type=Told).hearing(document, coded, self.vocabulary)
        if hearing is None:
            return [0, None]
        return [len(hearing.offers), hearing.question and msgspec.msgpack.encode(hearing.question)]

    def code(self, key: str, resource: bytes) -> str | None:
        """Find, code and emit what the Document under `key` says; the Bundle's key, None when the Document is lost."""
        return self._code(key, resource)

    def adjudicate(self, key: str, resource: bytes, told: bytes, heard: bytes) -> list[Any]:
        """As `code`, with the answer of a language model: the Bundle's key, and what of the answer counts."""
        answer = msgspec.msgpack.decode(heard, type=Heard)
        judged: list[Adjudication] = []

        def decided(document: Document, coded: Coded) -> Adjudication | None:
            hearing = msgspec.msgpack.decode(told, type=Told).hearing(document, coded, self.vocabulary)
            judged.extend([] if hearing is None else [hearing.judged(answer)])
            return judged[0] if judged else None

        bundle = self._code(key, resource, decided)
        return [bundle, outcomes(judged[0]) if judged else {}]

    def bundle(self, data: bytes, resource: bytes | None, now: str | None, decided: Decided | None = None) -> bytes:
        """All stages at once: the Bundle of a file, with the DocumentReference around it if there is one."""
        around = json.decode(resource) if resource else {}
        document = corrected(self.pipeline.read(file_in(data), cache=self.cache), corrections_of(around))
        self._keep_entries(document, data)
        return self._emit(document, around, now, decided)

    def shadow(self, key: str, challenger: str) -> dict[str, int] | None:
        """How another version would code the Document under `key`, in counts; None when the Document is lost."""
        document = self._kept(key)
        if document is None:
            return None
        findings = self.pipeline.find(document)
        other = replace(self._opened, learned=self._models.get(challenger))
        return counted(self.pipeline.code(findings, document).codes, other.code(findings, document).codes)

    def _code(self, key: str, resource: bytes, decided: Decided | None = None) -> str | None:
        document = self._kept(key)
        if document is None or (document.media_type == CCDA and self.cache.get(_entries(document)) is None):
            return None
        # Recorded when the version was: a second run gives the same.
        body = self._emit(document, json.decode(resource), decided=decided)
        bundle = f"bundle:{hashlib.sha256(body).hexdigest()}"
        self.cache.put(bundle, body)
        return bundle

    def _keep_entries(self, document: Document, data: bytes) -> None:
        """Keep a C-CDA document, whose entries are looked at when it is known whom it is about."""
        if document.media_type == CCDA:
            self.cache.put(_entries(document), data)

    def _kept(self, key: str) -> Document | None:
        if self._last and self._last[0] == key:
            return self._last[1]
        packed = self.cache.get(key)
        return msgspec.msgpack.decode(packed, type=Document) if packed else None

    def _emit(
        self,
        document: Document,
        resource: Mapping[str, Any],
        now: str | None = None,
        decided: Decided | None = None,
    ) -> bytes:
        from claims.draft import draft_claim
        from extractors.emit import bundle, emit, source_of

        self._progress("findings")
        with self.parts.of("findings"):
            findings = self.pipeline.find(document)
        self._progress("codes")
        with self.parts.of("codes"):
            coded = self.pipeline.code(findings, document)
        if decided is not None and (adjudication := decided(document, coded)) is not None:
            coded = self.pipeline.code(findings, document, adjudication=adjudication)
        found = attachment_of(resource)
        around = {"id": document.sha256[:40], **resource}
        entries = self._mapped(document, around, now)
        if entries is not None:
            visit = {"context": {**(around.get("context") or {}), "encounter": [entries.encounter]}}
            around = {**around, "subject": entries.patient, **(visit if entries.encounter else {})}
        source = source_of(
            around,
            recorded=now,
            path=f"DocumentReference.content[{found[0] if found else 0}].attachment",
            software_version=version("fhirwright"),
            model=self._model,
        )

        def drafted(*arguments: Any, **named: Any) -> Any:
            with self.parts.of("claim"):
                return draft_claim(*arguments, **named)

        made = bundle(emit(source, document, coded, draft_claim=drafted))
        if entries is not None:
            made["entry"] += entries.bundle()["entry"]
        return json.encode(made)

    def _mapped(self, document: Document, around: Mapping[str, Any], now: str | None) -> Mapped | None:
        """What the coded entries of a C-CDA document become; its words are what the rest of this is about."""
        data = self.cache.get(_entries(document)) if document.media_type == CCDA else None
        if data is None:
            return None
        recorded = now or (around.get("meta") or {}).get("lastUpdated") or around.get("date") or _EPOCH
        return entries_of(data, around, recorded, self._bounds.limits)


_EPOCH = "1970-01-01T00:00:00Z"


def _entries(document: Document) -> str:
    """The key under which a C-CDA document is kept."""
    return f"ccda:{document.sha256}"
