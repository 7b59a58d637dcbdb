"""What is asked of each piece of an input, by whoever does it: a process, an actor on a node, a task of Spark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
import orjson

from fhir_profiles.errors import FhirError, Problem, operation_outcome

Rows = dict[str, list[tuple[int, bytes]]]
"""Kind of output → its lines without newline, each with the place of its item among those that were given."""


class Item(msgspec.Struct, frozen=True, array_like=True):
    """A document, or a line or row of a file: the name of its file below the input, its number from 1 (a document has
    none: 0), its bytes, and why it cannot be read where that is so."""

    input: str
    line: int
    body: bytes
    refused: str = ""

    def row(self, field: str, value: bytes) -> bytes:
        """A line of output about it; `value` is JSON."""
        return b'{"input":%s,"line":%d,"%s":%s}' % (orjson.dumps(self.input), self.line, field.encode(), value)

    def refusal(self, code: str, text: str) -> bytes:
        """A line that says why there is nothing else about it; `code` is of http://hl7.org/fhir/issue-type."""
        return self.row("outcome", orjson.dumps(operation_outcome([Problem("error", code, text)])))


class Done(msgspec.Struct):
    """What a chunk comes to: its output by kind, and how many items were refused."""

    files: dict[str, bytes]
    items: int
    refused: int


class Worker(Protocol):
    """Everything that is opened once and serves many chunks."""

    def told(self) -> dict[str, Any]:
        """What the output rests on, with a `fingerprint`: the same there and the same input give the same output."""

    def rows(self, items: Sequence[Item]) -> Rows:
        """The lines of each kind in the order of the items; of the first kind exactly one line for each item."""

    def close(self) -> None:
        """Let go of what was opened."""


class Work(Protocol):
    """What is to be done; it travels to those who do it."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of output; the first has a line for each item."""

    @property
    def at_once(self) -> int:
        """Items of a chunk: about a second of work."""

    def shared(self) -> Any:
        """What is sent to each node rather than found there; None where each opens its own."""

    def open(self, shared: Any = None) -> Worker:
        """Those who do it, with what was sent."""


class Chunk(msgspec.Struct, frozen=True):
    """Items that are worked on together."""

    number: int
    items: list[Item]


def done(worker: Worker, work: Work, chunk: Chunk) -> Done:
    """Work on a chunk."""
    rows = worker.rows(chunk.items)
    first = rows[work.kinds[0]]
    refused = sum(is_refusal(body, chunk.items[at]) for at, body in first)
    files = {kind: b"".join(body + b"\n" for _, body in rows.get(kind, ())) for kind in work.kinds}
    return Done(files, len(first), refused)


def is_refusal(row: bytes, item: Item) -> bool:
    """Whether a line of the first kind says why there is nothing about an item."""
    return row.startswith(item.row("outcome", b"")[:-1])


def problem_of(error: Exception) -> tuple[str, str]:
    """Code and words for what went wrong with one item, without anything that stands in it."""
    if isinstance(error, FhirError) and error.problems:
        return error.problems[0].code, error.problems[0].text
    return "exception", f"The item could not be worked on ({type(error).__name__})."
