"""What the chunks of many claims share: where each begins, what they rest on, and the numbers under which they lie."""

from __future__ import annotations

import msgspec

from server.jobs import chunks
from server.jobs.deflate import unpack
from server.jobs.engine import View

PLAN = 2_000_000_000
"""The number under which a plan lies; the inputs have smaller ones."""
_OUTPUT = 1_000_000_000
_KINDS = ("findings", "prices", "responses", "rejected", "counts")


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """A chunk: its number in the database, the input that it is of, the number of its first line, and its lines."""

    n: int
    input: int
    first: int
    lines: int


class Plan(msgspec.Struct, frozen=True):
    """All chunks, the fingerprint of rules and tables, the day, and whether ClaimResponses are written."""

    fingerprint: str
    on: str
    responses: bool
    urls: tuple[str | None, ...]
    pieces: list[Piece]


def read_plan(view: View, job: str) -> Plan:
    """The plan of a job; LookupError when the job was removed."""
    return msgspec.json.decode(unpack(chunks.read_chunk(view, job, PLAN)), type=Plan)


def number(at: int, kind: str) -> int:
    """Under which number something of a chunk lies."""
    return _OUTPUT + at * len(_KINDS) + _KINDS.index(kind)
