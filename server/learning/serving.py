"""Which version of the model codes documents now, for workers: looked up again each second, its files at hand.

The files lie in the data directory of each machine, sealed as its cache is, and are checked against their hashes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec
import structlog

from extractors.coding.learned import Model
from extractors.learn.models import model_of
from fhir_profiles.errors import FhirError
from server.jobs.cache import ContentCache
from server.learning.registry import PACKAGE, challenger, champion, files_of
from server.store import Store

FRESH = 1.0
"""Seconds for which an answer is taken for granted."""
ROOM = 1 << 30
log = structlog.get_logger("fhirwright.learning")


def models_in(data: Path, key: bytes) -> ContentCache:
    """Where the files of versions lie."""
    return ContentCache(data / "models", ROOM, key)


class Serving:
    """The champion, and the challenger in the shadow, for one process."""

    def __init__(self, store: Store, data: Path) -> None:
        self._store = store
        self._kept = models_in(data, store.cache_key())
        self._lock = threading.Lock()
        self._until = 0.0
        self._now = ("", "")
        self._ready: set[str] = set()

    def champion(self) -> str:
        """The version that codes; empty for the one of the package."""
        return self._look()[0]

    def challenger(self) -> str:
        """The version that codes in the shadow; empty where there is none."""
        return self._look()[1]

    def _look(self) -> tuple[str, str]:
        with self._lock:
            if time.monotonic() >= self._until:
                try:
                    found = champion(self._store), challenger(self._store)
                    names = ("" if found[0] == PACKAGE else found[0], found[1].id if found[1] else "")
                    for name in names:
                        self._bring(name)
                    self._now = names
                except FhirError as error:  # what coded until now goes on
                    log.error("learning.model-unread", kind=error.category.value)
                self._until = time.monotonic() + FRESH
            return self._now

    def _bring(self, name: str) -> None:
        if name and name not in self._ready:
            self._kept.put(name, msgspec.msgpack.encode(files_of(self._store, name)))
            self._ready.add(name)


class Models:
    """Versions opened in a process that codes."""

    MOST = 2

    def __init__(self, data: Path, key: bytes) -> None:
        self._data, self._key = data, key
        self._open: dict[str, Model] = {}

    def get(self, name: str) -> Model | None:
        """A version; None for that of the package. KeyError where its files are not here."""
        if not name:
            return None
        if name not in self._open:
            kept = models_in(self._data, self._key).get(name)
            if kept is None:
                raise KeyError(name)
            files: Mapping[str, bytes] = msgspec.msgpack.decode(kept, type=dict[str, bytes])
            while len(self._open) >= self.MOST:
                self._open.pop(next(iter(self._open)))
            self._open[name] = model_of(files)
        return self._open[name]
