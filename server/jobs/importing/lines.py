"""Lines of NDJSON as writes: a resource keeps its id, and one that cannot be stored does not spoil its neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError, Problem
from server.interactions.action import Write
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.store import Tx

CHUNK = 1_000_000
"""Bytes of text in a chunk, about; a line is never cut."""

LINES = 1000
"""Most lines in a chunk: they share a transaction."""


class Line(msgspec.Struct, frozen=True):
    """A line that was read: the type of its resource and its write, or what is wrong with it."""

    number: int
    type: str
    write: Write | None
    error: FhirError | None = None


class Loaded(msgspec.Struct, frozen=True):
    """What became of some lines: resources by type, and the lines that were not stored with their problems."""

    counts: dict[str, int]
    errors: list[tuple[int, tuple[Problem, ...]]]


class Measure(msgspec.Struct, frozen=True):
    """How long chunks become: bytes of text, about, and lines at most."""

    bytes: int = CHUNK
    lines: int = LINES


def cut(parts: Iterable[bytes], longest: int, measure: Measure = Measure()) -> Iterator[list[bytes]]:  # noqa: B008
    """Bytes as they come, in chunks of whole lines; FhirError when a line is longer than `longest`."""
    lines: list[bytes] = []
    size, rest = 0, b""
    for part in parts:
        *whole, rest = (rest + part).split(b"\n")
        if len(rest) > longest:
            text = f"A line is longer than the limit of {longest} bytes, or the file is not NDJSON."
            raise FhirError.of(Category.INCORRECT, "too-long", text)
        for line in whole:
            lines.append(line)
            size += len(line)
            if size >= measure.bytes or len(lines) >= measure.lines:
                yield lines
                lines, size = [], 0
    if rest.strip():
        lines.append(rest)
    if lines:
        yield lines


def read_lines(fhir: Fhir, lines: list[bytes], first: int, base: Request, expected: str = "") -> list[Line]:
    """The writes of lines, checked as any client's; empty lines are left out."""
    return [_read(fhir, line, first + at, base, expected) for at, line in enumerate(lines) if line.strip()]


def _read(fhir: Fhir, line: bytes, number: int, base: Request, expected: str) -> Line:
    try:
        resource = json.decode(line)
        kind, name = resource.get("resourceType"), resource.get("id")
        if not isinstance(kind, str) or (expected and kind != expected):
            text = "The line must hold a resource, of the type that was announced for its file."
            raise FhirError.of(Category.INCORRECT, "structure", text)
        if name is None:
            request = msgspec.structs.replace(base, method="POST", path=(kind,), body=line, query=())
        else:
            request = msgspec.structs.replace(base, method="PUT", path=(kind, str(name)), body=line, query=())
        return Line(number, kind, fhir.prepare(request))
    except FhirError as error:
        return Line(number, "", None, error)


def write_lines(tx: Tx, lines: list[Line]) -> Loaded:
    """Store what can be stored."""
    counts: Counter[str] = Counter()
    errors = []
    tx.prefetch(key for line in lines if line.write for key in line.write.reads)
    for line in lines:
        try:
            if line.write is None:
                raise line.error or FhirError(Category.FAULT)
            line.write.run(tx)
            counts[line.type] += 1
        except FhirError as error:
            errors.append((line.number, error.problems))
    return Loaded(dict(counts), errors)


def explain(number: int, problems: tuple[Problem, ...]) -> bytes:
    """A line of the error file: which line it was and what is wrong with it."""
    issues = [{**problem.as_issue(), "diagnostics": f"Line {number}: {problem.text}"} for problem in problems]
    return json.encode({"resourceType": "OperationOutcome", "issue": issues})
