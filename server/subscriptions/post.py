"""The thread of a worker that tells subscribers; among all workers of a database one at a time does.

Its right is a lock that dies with its process, so that another takes over at once.
"""

from __future__ import annotations

import asyncio
import threading

import structlog

from fhir_profiles.errors import FhirError
from server.interactions.fhir import Fhir
from server.jobs.slot import Slot
from server.observability import describe
from server.settings import Settings
from server.subscriptions.deliver import Deliverer

log = structlog.get_logger("fhirwright.subscriptions")
NUMBER = 10_000  # beyond every slot of a worker
_PAUSE = 1.0


class Post:
    """Runs beside the jobs of a worker."""

    def __init__(self, fhir: Fhir, settings: Settings) -> None:
        self._fhir = fhir
        self._settings = settings
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="subscriptions", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is being sent."""
        self._stop.set()
        self._thread.join(self._settings.subscription_seconds)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with Slot(self._settings.direct_url, NUMBER, wait=0) as slot:
                    self._work(slot)
            except FhirError:  # another worker does it
                pass
            except Exception as error:
                log.error("subscriptions.fault", **describe(error))
            self._stop.wait(_PAUSE)

    def _work(self, slot: Slot) -> None:
        over = threading.Event()
        watch = threading.Thread(target=self._watch, args=(slot, over), daemon=True)
        watch.start()
        try:
            asyncio.run(Deliverer(self._fhir, self._settings, slot.check).run(over))
        finally:
            over.set()
            watch.join()

    def _watch(self, slot: Slot, over: threading.Event) -> None:
        """End the work when the worker ends or the lock is lost."""
        while not over.is_set():
            if self._stop.wait(0.5) or not slot.held():
                over.set()
