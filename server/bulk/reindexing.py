"""The search index of a store made again by many: items are stored resources, each chunk is one transaction.

https://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import msgspec
import orjson

from server.bulk.source import File
from server.bulk.work import Chunk, Item, Rows
from server.interactions.fhir import Fhir
from server.phi.keys import keys_of
from server.search.reindex import INDEX_VERSION, count, finish, ids, index_these, types_to_do
from server.settings import Settings, read_settings
from server.store import Store, open_store

AT_ONCE = 200
GONE = "The resource was deleted meanwhile"


class Reindexing(msgspec.Struct, frozen=True):
    """Index what is stored in `database` again; without one, in that of each node's own settings."""

    data: str
    database: str | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """A line for each resource."""
        return ("indexed",)

    @property
    def at_once(self) -> int:
        """Resources of a chunk, and so of a transaction."""
        return AT_ONCE

    def settings(self) -> Settings:
        """The settings where this is asked."""
        return read_settings(data=self.data, database=self.database)

    def shared(self) -> None:
        """Nothing travels: each node opens the store, with the keys that it has."""

    def open(self, shared: Any = None) -> Indexer:  # noqa: ARG002
        """The store, open."""
        return Indexer(self.settings())


class Indexer:
    """A store, and the rules by which its rows are made."""

    def __init__(self, settings: Settings) -> None:
        self._store = open_store(settings.database_url, keys=keys_of(settings))
        self._indexing, self._base = Fhir(self._store, settings).indexing, settings.base_url or ""

    def told(self) -> dict[str, Any]:
        """By which rules rows are made."""
        digest = hashlib.sha256(f"{INDEX_VERSION} {self._base}".encode()).hexdigest()
        return {"fingerprint": digest[:32], "index_version": INDEX_VERSION}

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def rows(self, items: Sequence[Item]) -> Rows:
        """Index the resources again, and say so of each."""
        rows: list[tuple[int, bytes]] = []
        for kind, numbered in groupby(enumerate(items), key=lambda one: one[1].input):
            some = list(numbered)
            names = [item.body.decode() for _, item in some]
            index = partial(index_these, indexing=self._indexing, kind=kind, ids=names, base_url=self._base)
            stored = self._store.write_sync(index)
            for (at, item), name in zip(some, names, strict=True):
                known = name in stored
                text = orjson.dumps(f"{kind}/{name}")
                rows.append((at, item.row("indexed", text) if known else item.refusal("deleted", GONE)))
        return {"indexed": rows}


class Stored:
    """The resources of a store as an input, in the order of types and ids. What comes meanwhile is indexed anyway."""

    def __init__(self, store: Store, types: Sequence[str]) -> None:
        self._store = store
        self.files: Sequence[File] = [File(name, name, count(store, (name,)), "") for name in types_to_do(store, types)]

    def chunks(self, at_once: int) -> Iterator[Chunk]:
        """`at_once` resources in a chunk at most."""
        number, some = 0, list[Item]()
        for file in self.files:
            for line, name in enumerate(ids(self._store, file.name), 1):
                some.append(Item(file.name, line, name.encode()))
                if len(some) == at_once:
                    yield Chunk(number, some)
                    number, some = number + 1, []
        if some:
            yield Chunk(number, some)

    def filled(self, chunk: Chunk) -> Chunk:
        """The chunk as it is: ids are all there is to it."""
        return chunk

    def finish(self) -> None:
        """Note that every row is made by the rules of now."""
        self._store.write_sync(finish)
