"""JSON as a person reads it: indented, with references that lead somewhere."""

from __future__ import annotations

import re
from difflib import unified_diff
from typing import NamedTuple
from urllib.parse import quote

import orjson

_REFERENCE = re.compile(
    r'("(?:reference|fullUrl|url)": ")'
    r'((?:[^"]*/)?([A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})(?:/_history/\w+)?)(")'
)
_REST = re.compile(r"(?:https?://[^/]+/fhir/)?")


class Piece(NamedTuple):
    """Text, and where it leads; "" for nowhere."""

    text: str
    href: str


def indented(body: bytes) -> str:
    """The JSON with two blanks for each level; what is no JSON as it is."""
    try:
        return orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return body.decode("utf-8", "replace")


def pretty(body: bytes, longest: int) -> list[Piece]:
    """The JSON in pieces, its references as links to the viewer; no more than `longest` characters."""
    text = indented(body)
    cut = text[:longest]
    pieces, at = [], 0
    for found in _REFERENCE.finditer(cut):
        start, end = found.span(2)
        prefix = found[2].removesuffix(found[3])
        if prefix and not _REST.fullmatch(prefix):
            continue
        pieces += [Piece(cut[at:start], ""), Piece(cut[start:end], f"/work/resource?of={quote(found[3])}")]
        at = end
    pieces.append(Piece(cut[at:], ""))
    if len(text) > longest:
        pieces.append(Piece(f"\n… and {len(text) - longest:,} characters more", ""))
    return pieces


def differences(one: bytes, other: bytes) -> list[tuple[str, str]]:
    """The lines of a diff, each with its kind: add, cut, place or same."""
    kinds = {"+": "add", "-": "cut", "@": "place"}
    lines = unified_diff(indented(one).splitlines(), indented(other).splitlines(), lineterm="", n=3)
    return [(kinds.get(line[:1], "same"), line) for line in lines if not line.startswith(("+++", "---"))]
