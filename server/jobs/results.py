"""What a run stored, read from the answer to its transaction Bundle, and what it replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from extractors.emit.bundle import SHARED
from extractors.emit.ids import is_coded_id, resource_id

MOST = 5_000
"""Results of a type that a document may have and that are looked for."""


def references(answer: bytes) -> list[str]:
    """`Type/id` of every resource that the transaction wrote or found, in its order."""
    found = []
    for entry in orjson.loads(answer).get("entry") or ():
        response = entry.get("response") or {}
        location = response.get("location")
        if location:
            found.append("/".join(location.split("/_history/")[0].split("/")[-2:]))
    return list(dict.fromkeys(found))


def replaced(document: str, previous: Sequence[str], now: Sequence[str]) -> list[str]:
    """Results of the run before that this one no longer yields; people are shared with others and stay.

    A Task can be written by clients, so that only what bears an id of this document's results is taken for one.
    """
    kept = set(now)
    gone = [ref for ref in previous if ref not in kept and ref.partition("/")[0] not in SHARED]
    ours = {kind: _ids(document, kind) for kind in {ref.partition("/")[0] for ref in gone}}
    return [ref for ref in gone if _is_ours(ref, document, ours)]


def _is_ours(reference: str, document: str, ours: Mapping[str, set[str]]) -> bool:
    kind, _, id = reference.partition("/")
    return id in ours[kind] or is_coded_id(id, document, kind)


def _ids(document: str, kind: str) -> set[str]:
    return {resource_id(document, kind, ordinal) for ordinal in range(MOST)}
