"""Documents and notes coded in bulk: what `fhirwright code` says of each, and its resources where they are asked for.

An item is a file (PDF, TIFF, PNG, JPEG, text, HTML, RTF, C-CDA) or a line: a note as `fhirwright code --jsonl` takes
it, or a DocumentReference with its attachment inline (http://hl7.org/fhir/R4/documentreference.html).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import reduce
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from claims.draft import draft_claim
from extractors.emit import emit, source_of
from extractors.emit.serialise import as_dict
from extractors.model import Coded, Convention, Document
from extractors.pages import Refused
from extractors.pages.sniff import TEXT, media_type
from extractors.pipeline import Pipeline
from fhir_profiles import json
from server.bulk.work import Item, Rows, problem_of
from server.jobs.attachments import read_attachment
from server.jobs.cache import ContentCache
from server.jobs.children import Bounds, Children, Failure
from server.jobs.notes import Coder
from server.settings import read_settings

AT_ONCE = 128
_REFERENCE = b'"DocumentReference"'


class Kind(msgspec.Struct):
    """What a line says it is."""

    resourceType: str = ""


class Told(msgspec.Struct):
    """What an answer says of itself."""

    error: str = ""


class Coding(msgspec.Struct, frozen=True):
    """Code by `convention`, or the one that fits each text. With `on` (an instant) resources are written too.

    A document may cost what `bounds` say. Nodes find the terminology in `bounds.data`, or build it there.
    """

    bounds: Bounds
    convention: Convention | None = None
    on: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Answers, and resources where they are asked for."""
        return ("coded", "resources") if self.on else ("coded",)

    @property
    def at_once(self) -> int:
        """Items of a chunk."""
        return AT_ONCE

    def shared(self) -> None:
        """Nothing travels: each node opens its own terminology, and tells by its fingerprint whether it is the same."""

    def open(self, shared: Any = None) -> Coders:  # noqa: ARG002
        """Terminology and automata, open."""
        return Coders(self)


class Coders:
    """Terminology and automata, and a process that may die of a document."""

    def __init__(self, work: Coding) -> None:
        settings = read_settings(data=work.bounds.data, findings_engine=work.bounds.engine, adjudication="off")
        self._work, self._coder = work, Coder(settings, work.convention)
        self._children = Children(work.bounds, 1)
        self._cache = ContentCache(Path(work.bounds.data) / "cache", work.bounds.cache_bytes)

    def told(self) -> dict[str, Any]:
        """Version and terminology."""
        return rests_on(self._coder.pipeline, self._work)

    def close(self) -> None:
        """End the process for documents."""
        self._children.close()

    def rows(self, items: Sequence[Item]) -> Rows:
        """An answer for each item, and the resources of those that could be coded."""
        found: Rows = {kind: [] for kind in self._work.kinds}
        notes = [at for at, item in enumerate(items) if not item.refused and item.line and not _is_reference(item)]
        given = [(items[at].line, items[at].body) for at in notes]
        answers: dict[int, bytes] = {}
        if not self._work.on:
            answers = dict(zip(notes, self._coder.lines(given), strict=True))
        for at, item in enumerate(items):
            try:
                answer = answers[at] if at in answers else self._one(item, at, found)
                found["coded"].append((at, _row(item, answer)))
            except (Failure, Refused) as refusal:
                found["coded"].append((at, item.refusal(refusal.code, refusal.text)))
            except Exception as error:
                found["coded"].append((at, item.refusal(*problem_of(error))))
        return found

    def _one(self, item: Item, at: int, found: Rows) -> bytes:
        """The answer to one item by itself; its resources go to `found`."""
        if item.refused:
            raise Failure("structure", item.refused)
        around: Mapping[str, Any] = {}
        if item.line and not _is_reference(item):
            answer, document, coded = self._coder.coded_line(item.line, item.body)
        else:
            body, name = item.body, item.input
            if item.line:
                around = json.decode(item.body)
                name = str(around.get("id", ""))
                body = read_attachment(around, None, lambda _: None, self._work.bounds.document_bytes)
            answer, document, coded = self._coder.coded_document(self._read(body), name)
        if self._work.on and document is not None and coded is not None:
            found["resources"] += [(at, one) for one in self._resources(around, document, coded)]
        return answer

    def _read(self, body: bytes) -> Document:
        """The pages, read where a document may take a process with it."""
        if media_type(body) == TEXT:
            return self._coder.pipeline.read(body)
        key = self._children.run("read", body)
        kept = self._cache.get(key)
        if kept is None:
            raise Failure("no-store", "There is no room to keep what was read. Make room below the data directory.")
        return msgspec.msgpack.decode(kept, type=Document)

    def _resources(self, around: Mapping[str, Any], document: Document, coded: Coded) -> list[bytes]:
        source = source_of(
            {"id": document.sha256[:40], **around}, recorded=self._work.on, software_version=version("fhirwright")
        )
        resources = [as_dict(one) for one in emit(source, document, coded, draft_claim=draft_claim)]
        named = [(f"urn:uuid:{one['id']}", f"{one['resourceType']}/{one['id']}") for one in resources]
        return [reduce(_renamed, named, json.encode(one)) for one in resources]


def _renamed(body: bytes, names: tuple[str, str]) -> bytes:
    """A resource with a reference as it is once both are stored."""
    return body.replace(f'"{names[0]}"'.encode(), f'"{names[1]}"'.encode())


def rests_on(pipeline: Pipeline, work: Coding) -> dict[str, Any]:
    """What coding rests on: the version, each edition of each system, and what was asked."""
    terminology = pipeline.terminology
    editions = {
        f"{edition.name} {edition.version}": terminology.manifest(uri, edition.version).get("fingerprint", "")
        for uri in terminology.systems
        for edition in terminology.editions(uri)
    }
    asked = [work.convention, work.on, work.bounds.engine, work.bounds.second, version("fhirwright")]
    digest = hashlib.sha256(msgspec.json.encode([asked, sorted(editions.items())]))
    return {"fingerprint": digest.hexdigest()[:32], "editions": sorted(editions), "version": version("fhirwright")}


def _is_reference(item: Item) -> bool:
    """Whether a line is a DocumentReference; all else is taken for a note."""
    if _REFERENCE not in item.body:
        return False
    try:
        return msgspec.json.decode(item.body, type=Kind).resourceType == "DocumentReference"
    except msgspec.MsgspecError:
        return False


def _row(item: Item, answer: bytes) -> bytes:
    """An answer as a line of output."""
    told = msgspec.json.decode(answer, type=Told)
    if told.error:
        return item.refusal("invalid", told.error)
    return item.row("answer", answer.rstrip())
