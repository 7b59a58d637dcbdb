"""Back-pressure: documents are taken in as long as the queue of those that wait is not too long."""

from __future__ import annotations

import time

from fhir_profiles.errors import Category, FhirError
from server.jobs.engine import QUEUE, Transaction

_LOOK_SECONDS = 2.0


class Queue:
    """The queue of documents, looked at every two seconds and no further than up to `most`."""

    def __init__(self, most: int, *, postgres: bool) -> None:
        self._most = most
        schema = "dbos." if postgres else ""
        self._waiting = (
            f"SELECT count(*) FROM (SELECT 1 FROM {schema}workflow_status"
            " WHERE queue_name = ? AND status = 'ENQUEUED' LIMIT ?) AS waiting"
        )
        self._looked = 0.0
        self._full = False

    def check(self, tx: Transaction) -> None:
        """FhirError BUSY (429) while `most` documents wait, as of the last two seconds."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            self._full = tx.query(self._waiting, (QUEUE, self._most))[0][0] >= self._most
        if self._full:
            text = "As many documents as may wait to be coded do wait. Send this one again later."
            raise FhirError.of(Category.BUSY, "throttled", text)
