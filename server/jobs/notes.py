"""Notes by the million: a line of JSON in, a line of JSON out, in order, over as many processes as there are cores.

In: `{"id", "text", "setting"?: "outpatient"|"inpatient", "spans"?: [[start, end], …]}`. Out: `id`, `findings` (one for
each given span among them, with the very same offsets) and `codes`; or `line` and `error` for a line that is no note.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from extractors.model import Assertion, Code, Finding
from extractors.pages import from_text
from extractors.pipeline import Pipeline

_CHUNK = 64  # notes in one piece of work
Engine = Literal["compiled", "medspacy"]
Line = tuple[int, bytes]  # its number, from 1


class Note(msgspec.Struct):
    """One line of the input."""

    id: str | int
    text: str
    setting: Literal["outpatient", "inpatient"] | None = None
    spans: list[tuple[Annotated[int, msgspec.Meta(ge=0)], Annotated[int, msgspec.Meta(ge=0)]]] = []


_decoder = msgspec.json.Decoder(Note)
_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=lambda value: dict(value))


class Coder:
    """Codes lines in this process."""

    def __init__(self, data: Path, engine: Engine) -> None:
        self._pipeline = Pipeline.open(data, engine=engine)
        self._pipeline.lexicon.prepare()
        gc.freeze()  # the matcher's tables never change: collections need not look at them again
        gc.set_threshold(50_000, 20, 20)  # a note leaves no cycles behind: collecting after every few is for nothing

    def line(self, number: int, line: bytes) -> bytes:
        """The answer to one line, with a newline; what is wrong with a line is its answer."""
        try:
            note = _decoder.decode(line)
        except msgspec.MsgspecError:
            return _complaint(number, 'The line is not a note: {"id", "text", "setting"?, "spans"?} as JSON in UTF-8.')
        if any(start >= end or end > len(note.text) for start, end in note.spans):
            return _complaint(number, "A span lies outside of the text or is empty.", note.id)
        try:
            document = from_text(note.text)
            findings = self._pipeline.find(document, note.spans)
            coded = self._pipeline.code(findings, document, note.setting)
        except Exception as error:
            return _complaint(number, f"The note could not be coded ({type(error).__name__}).", note.id)
        answer = {
            "id": note.id,
            "findings": [_finding(finding) for finding in findings.items],
            "codes": [_code(code) for code in coded.codes],
        }
        return _encoder.encode(answer) + b"\n"


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "start": finding.start,
        "end": finding.end,
        "text": finding.text,
        "assertion": _assertion(finding.assertion),
        "attributes": dict(finding.attributes),
    }


def _assertion(assertion: Assertion) -> dict[str, bool]:
    return {
        "negated": assertion.negated,
        "possible": assertion.possible,
        "historical": assertion.historical,
        "hypothetical": assertion.hypothetical,
        "family": assertion.family,
    }


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


def _complaint(number: int, error: str, note: str | int | None = None) -> bytes:
    named = {} if note is None else {"id": note}
    return msgspec.json.encode({**named, "line": number, "error": error}) + b"\n"


def code_notes(
    lines: Iterable[bytes], data: Path, *, engine: Engine = "compiled", processes: int = 1
) -> Iterator[bytes]:
    """The answers to `lines` in their order, as they come; blank lines are passed over."""
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    if processes <= 1:
        coder = Coder(data, engine)
        yield from (coder.line(number, line) for number, line in numbered)
        return
    Pipeline.open(data, engine=engine)  # builds what is missing once, before several would
    with ProcessPoolExecutor(processes, get_context("spawn"), _start, (data, engine)) as pool:
        waiting: deque[Future[bytes]] = deque()
        while chunk := list(islice(numbered, _CHUNK)):
            waiting.append(pool.submit(_work, chunk))
            if len(waiting) > 3 * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


_coder: Coder | None = None


def _start(data: Path, engine: Engine) -> None:
    global _coder
    _coder = Coder(data, engine)


def _work(chunk: list[Line]) -> bytes:
    assert _coder is not None
    return b"".join(_coder.line(number, line) for number, line in chunk)
