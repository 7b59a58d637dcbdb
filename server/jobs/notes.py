"""Notes by the million: a line of JSON in, a line of JSON out, in order, over as many processes as there are cores.

In: `{"id", "text", "setting"?: "outpatient"|"inpatient", "spans"?: [[start, end], …], "convention"?: "guidelines"|
"mentions"}`. Out: `id`, `findings` (one for each given span among them, with the very same offsets), `codes`, `gaps`
(what the text would have to say before a code could be chosen) and the `convention` of both; or `line` and `error` for
a line that is no note.
"""

from __future__ import annotations

import dataclasses
import gc
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache
from itertools import islice
from multiprocessing import get_context
from typing import Annotated, Any, Literal, get_args

import msgspec

from claims.run.processes import deaf
from extractors.coding.conventions import fitting
from extractors.model import Code, Coded, Convention, Document, Finding, Findings
from extractors.pages import from_text
from extractors.pipeline import Pipeline
from server.adjudication.session import coder_of
from server.settings import Settings

NO_NOTE = 'The line is not a note: {"id", "text", "setting"?, "spans"?, "convention"?} as JSON in UTF-8.'
FLAGS = ("negated", "possible", "historical", "hypothetical", "family")
_CHUNK = 64  # notes in one piece of work
Line = tuple[int, bytes]  # its number, from 1
Told = tuple[bytes, Document | None, Coded | None]  # the answer, and what it is made of unless it is a complaint


class Note(msgspec.Struct):
    """One line of the input."""

    id: str | int
    text: str
    setting: Literal["outpatient", "inpatient"] | None = None
    spans: list[tuple[Annotated[int, msgspec.Meta(ge=0)], Annotated[int, msgspec.Meta(ge=0)]]] = []
    convention: Convention | None = None


_decoder = msgspec.json.Decoder(Note)
_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=lambda value: dict(value))


class Coder:
    """Codes lines in this process, by `convention` or, without one, by the one that fits each text."""

    def __init__(self, settings: Settings, convention: Convention | None = None) -> None:
        self.pipeline = Pipeline.open(settings.data, engine=settings.findings_engine)
        self._convention = convention
        self._coders = {
            name: coder_of(settings, dataclasses.replace(self.pipeline, convention=name))
            for name in get_args(Convention)
        }
        self.pipeline.lexicon.prepare()
        gc.freeze()  # the matcher's tables never change: collections need not look at them again
        gc.set_threshold(50_000, 20, 20)  # a note leaves no cycles behind: collecting after every few is for nothing

    def line(self, number: int, line: bytes) -> bytes:
        """The answer to one line, with a newline; what is wrong with a line is its answer."""
        return self.lines([(number, line)])[0]

    def lines(self, chunk: Sequence[Line]) -> list[bytes]:
        """The answers to some lines. Each stage reads all of them before the next does: its tables then stay near."""
        read = [self._read(number, line) for number, line in chunk]
        found = [self._found(number, note) for (number, _), note in zip(chunk, read, strict=True)]
        return [self._told(number, note)[0] for (number, _), note in zip(chunk, found, strict=True)]

    def coded_line(self, number: int, line: bytes) -> Told:
        """The answer to one line, and what it is made of where it is a note."""
        return self._told(number, self._found(number, self._read(number, line)))

    def coded_document(self, document: Document, name: str) -> Told:
        """The answer to a document that was read, and what it is made of."""
        return self._told(0, (Note(name, ""), document, self.pipeline.find(document)))

    def _told(self, number: int, found: tuple[Note, Document, Findings] | bytes) -> Told:
        if isinstance(found, bytes):
            return found, None, None
        note, document, findings = found
        try:
            convention, coded = self._coded(note, document, findings)
        except Exception as error:
            return _failure(number, error, note), None, None
        return _said(note, findings, coded, convention), document, coded

    def _read(self, number: int, line: bytes) -> Note | bytes:
        try:
            note = _decoder.decode(line)
        except msgspec.MsgspecError:
            return _complaint(number, NO_NOTE)
        if any(start >= end or end > len(note.text) for start, end in note.spans):
            return _complaint(number, "A span lies outside of the text or is empty.", note.id)
        return note

    def _found(self, number: int, note: Note | bytes) -> tuple[Note, Document, Findings] | bytes:
        if isinstance(note, bytes):
            return note
        try:
            document = from_text(note.text)
            return note, document, self.pipeline.find(document, note.spans)
        except Exception as error:
            return _failure(number, error, note)

    def _coded(self, note: Note, document: Document, findings: Findings) -> tuple[Convention, Coded]:
        convention = note.convention or self._convention or fitting(document, findings, note.setting)
        return convention, self._coders[convention].code(findings, document, note.setting)


def _said(note: Note, findings: Findings, coded: Coded, convention: Convention) -> bytes:
    answer = {
        "id": note.id,
        "findings": [_finding(finding) for finding in findings.items],
        "codes": [_code(code) for code in coded.codes],
        "gaps": coded.gaps,
        "convention": convention,
    }
    return _encoder.encode(answer) + b"\n"


def _finding(finding: Finding) -> dict[str, Any]:
    said = finding.assertion
    return {
        "kind": finding.kind,
        "start": finding.start,
        "end": finding.end,
        "text": finding.text,
        "assertion": _flags(said.negated, said.possible, said.historical, said.hypothetical, said.family),
        "attributes": dict(finding.attributes),
    }


@cache
def _flags(*flags: bool) -> msgspec.Raw:
    """What an assertion says, encoded; there are few."""
    return msgspec.Raw(msgspec.json.encode(dict(zip(FLAGS, flags, strict=True))))


def _code(code: Code) -> dict[str, Any]:
    return {
        "system": code.system,
        "code": code.code,
        "display": code.display,
        "start": code.start,
        "end": code.end,
        "confidence": round(code.confidence, 4),
        "status": code.status,
        "reason": code.reason,
    }


def _failure(number: int, error: Exception, note: Note) -> bytes:
    return _complaint(number, f"The note could not be coded ({type(error).__name__}).", note.id)


def _complaint(number: int, error: str, note: str | int | None = None) -> bytes:
    named = {} if note is None else {"id": note}
    return msgspec.json.encode({**named, "line": number, "error": error}) + b"\n"


def code_notes(
    lines: Iterable[bytes], settings: Settings, *, processes: int = 1, convention: Convention | None = None
) -> Iterator[bytes]:
    """The answers to `lines` in their order, as they come; blank lines are passed over."""
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    if processes <= 1:
        coder = Coder(settings, convention)
        yield from (coder.line(number, line) for number, line in numbered)
        return
    Pipeline.open(settings.data, engine=settings.findings_engine)  # builds what is missing once, before several would
    with ProcessPoolExecutor(processes, get_context("spawn"), _start, (settings, convention)) as pool:
        waiting: deque[Future[bytes]] = deque()
        try:
            while chunk := list(islice(numbered, _CHUNK)):
                with deaf():
                    waiting.append(pool.submit(_work, chunk))
                if len(waiting) > 3 * processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # when it is stopped, what was not begun is not done


_coder: Coder | None = None


def _start(settings: Settings, convention: Convention | None) -> None:
    global _coder
    _coder = Coder(settings, convention)


def _work(chunk: list[Line]) -> bytes:
    assert _coder is not None
    return b"".join(_coder.lines(chunk))
