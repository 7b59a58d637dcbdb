"""A client that sends until it is answered, and a look into the database when all is over."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import httpx

from campaigns.killing.documents import Document
from server.store import open_store

Stored = dict[tuple[str, str], int]  # (type, id) → version
HEADERS = {"Content-Type": "application/fhir+json", "Prefer": "return=minimal"}


class Sender:
    """Puts documents one after the other from a thread, as far as `allow` says; repeats what was not answered."""

    def __init__(self, base_url: str, documents: Sequence[Document]) -> None:
        self._base_url = base_url
        self._documents = documents
        self._allowed = 0
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._send_all, daemon=True)
        self.acknowledged: list[str] = []

    def allow(self, count: int) -> None:
        """Send up to the first `count` documents."""
        with self._changed:
            self._allowed = count
            self._changed.notify()

    def join(self) -> None:
        """Wait until all that is allowed is acknowledged."""
        while len(self.acknowledged) < self._allowed and self._thread.is_alive():
            time.sleep(0.05)

    def _send_all(self) -> None:
        with httpx.Client(base_url=self._base_url, timeout=30, headers=HEADERS) as client:
            for number, document in enumerate(self._documents):
                with self._changed:
                    self._changed.wait_for(lambda n=number: n < self._allowed or self._stopping)
                while not self._stopping and not self._send(client, document):
                    time.sleep(0.1)
                if self._stopping:
                    return
                self.acknowledged.append(document.id)

    def _send(self, client: httpx.Client, document: Document) -> bool:
        try:
            answer = client.put(f"DocumentReference/{document.id}", content=document.body)
        except httpx.TransportError:
            return False
        if answer.status_code in (200, 201):
            return True
        if answer.status_code < 500:
            raise RuntimeError(f"{document.id}: {answer.status_code} {answer.text}")
        return False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()


def stored(url: str) -> Stored:
    """Every resource that stands in the database, with its version."""
    store = open_store(url, create=False)
    try:
        return {(kind, name): version for kind, name, version in store.query(_ALL)}
    finally:
        store.close()


def waiting(url: str) -> int:
    """Tasks that have not ended well."""
    store = open_store(url, create=False)
    try:
        bodies = [bytes(row[0]) for row in store.query(_TASKS)]
        return sum(b'"status":"completed"' not in body for body in bodies)
    finally:
        store.close()


_ALL = "SELECT type, id, version FROM resource WHERE change <> 'D'"
_TASKS = "SELECT body FROM resource WHERE type = 'Task' AND change <> 'D'"
