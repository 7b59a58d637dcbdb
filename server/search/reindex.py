"""Make the index rows of what is stored again: after an upgrade, or for parameters of one's own.

Each batch is one transaction that holds its resources' rows, so that searches and writes go on beside it.
https://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import msgspec

from fhir_profiles import json
from server.store import Store, Tx

from .indexing import OWN_ROWS, Indexing
from .rows import index_rows
from .sql import any_rid
from .stored import stored_types
from .view import View

BATCH = 200
INDEX_VERSION = 2
"""By which rules rows are made now; a database whose rows were made by others says so in `index_state`."""

_NEXT = """SELECT rid, id FROM resource WHERE type = ? AND id > ? AND change <> 'D' ORDER BY id LIMIT ?"""
_IDS = "SELECT id FROM resource WHERE type = ? AND id > ? AND change <> 'D' ORDER BY id LIMIT 10000"
_COUNT = "SELECT count(*) FROM resource WHERE type = ? AND change <> 'D'"


class Place(msgspec.Struct, frozen=True):
    """How far a reindexing is: within a type, after an id."""

    type: str
    after: str = ""
    done: int = 0


def is_current(view: View) -> bool:
    """Whether every row was made by the rules of now."""
    return view.query("SELECT version FROM index_state WHERE name = 'rows'") == [(INDEX_VERSION,)]


def types_to_do(view: View, types: Sequence[str] = ()) -> list[str]:
    """The types that something is stored of, or those of them that are asked for."""
    return sorted(name for name in stored_types(view) if not types or name in types)


def count(view: View, types: Sequence[str]) -> int:
    """How many resources there are to do."""
    return sum(int(view.query(_COUNT, (name,))[0][0]) for name in types)


def ids(view: View, name: str) -> Iterator[str]:
    """The ids of a type in their order, a few at a time."""
    after = ""
    while found := view.query(_IDS, (name, after)):
        yield from (row[0] for row in found)
        after = found[-1][0]


def index_batch(tx: Tx, indexing: Indexing, place: Place, base_url: str = "") -> Place | None:
    """Index the next resources of a type again; None when there are no more."""
    found = tx.query(_NEXT, (place.type, place.after, BATCH))
    if not found:
        return None
    _index(tx, indexing, place.type, [row[0] for row in found], base_url)
    return Place(place.type, found[-1][1], place.done + len(found))


def index_these(tx: Tx, indexing: Indexing, kind: str, ids: Sequence[str], base_url: str = "") -> set[str]:
    """Index these resources of a type again; the ids of those that are stored."""
    places = ", ".join("?" * len(ids))
    found = tx.query(
        f"SELECT rid, id FROM resource WHERE type = ? AND change <> 'D' AND id IN ({places})", (kind, *ids)
    )
    if found:
        _index(tx, indexing, kind, [row[0] for row in found], base_url)
    return {row[1] for row in found}


def _index(tx: Tx, indexing: Indexing, kind: str, rids: Sequence[int], base_url: str) -> None:
    for rid, body in _locked(tx, rids):
        resource = json.decode(body)
        resource.get("meta", {}).pop("lastUpdated", None)  # which is asked of the resource's own row
        rows, _ = index_rows(resource, base_url)
        tx.unindex((rid,))
        tx.index(rid, rows, kind=kind)
        tx.index(rid, indexing.rows(resource), OWN_ROWS, kind=kind)


def _locked(tx: Tx, rids: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """The bodies of these resources as they stay until the transaction ends; in one order, against deadlocks."""
    wanted = any_rid(tx.dialect, "rid", rids)
    hold = "" if tx.dialect == "sqlite" else " FOR UPDATE"
    text = f"SELECT rid, type, id, version, body FROM resource WHERE {wanted.text} AND change <> 'D' ORDER BY rid{hold}"
    for rid, *row in tx.query(text, wanted.params):
        yield rid, tx.body(*row)


def finish(tx: Tx) -> None:
    """Note that every row is made by the rules of now."""
    tx.execute("DELETE FROM index_state WHERE name = 'rows'")
    tx.execute("INSERT INTO index_state (name, version) VALUES ('rows', ?)", (INDEX_VERSION,))


def reindex(
    store: Store, indexing: Indexing, types: Sequence[str] = (), base_url: str = ""
) -> Iterator[tuple[int, int]]:
    """Index what is stored again, now and here; gives how many are done, and of how many, after each batch."""
    todo = types_to_do(store, types)
    of, done = count(store, todo), 0
    for name in todo:
        place: Place | None = Place(name)
        while place is not None:
            at = place
            place = store.write_sync(partial(index_batch, indexing=indexing, place=at, base_url=base_url))
            if place is not None:
                yield done + place.done, of
                at = place
        done += at.done
    if not types:
        store.write_sync(finish)
