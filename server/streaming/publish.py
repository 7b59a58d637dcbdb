"""`stream out`: numbered events of the outbox go to Kafka in their order, by one publisher at a time.

With transactions the place is kept in the same transaction of Kafka as the events, so that a kill doubles nothing for
those who read committed messages, and the brokers fence a publisher that was thought dead.
https://cwiki.apache.org/confluence/display/KAFKA/KIP-98+-+Exactly+Once+Delivery+and+Transactional+Messaging
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import structlog

from fhir_profiles.errors import Category, FhirError
from server.access.caller import server_as
from server.audit.delivery import keep_told
from server.interactions.fhir import Fhir
from server.jobs.slot import Slot
from server.observability import describe
from server.settings import Settings
from server.streaming.client import client_properties, kafka, out_group, publisher_properties, quiet
from server.streaming.events import Change, Published, changes_after, publish_form
from server.subscriptions.outbox import STREAM

log = structlog.get_logger("fhirwright.stream")
NUMBER = 10_001  # beyond every slot of a worker, beside that of the deliverer
WHO = "fhirwright-stream"
_SECONDS = 30.0
_PAUSE = 1.0
_POLL_SECONDS = 0.2
_DELIVERED = "SELECT delivered FROM subscription WHERE id = ?"
_DONE = "UPDATE subscription SET delivered = ? WHERE id = ? AND delivered < ?"


def publish(fhir: Fhir, settings: Settings, stop: threading.Event) -> None:
    """Publish until `stop` is set; wait while another does. A publisher that fails begins anew."""
    while not stop.is_set():
        try:
            with Slot(settings.direct_url, NUMBER, wait=0) as slot:
                Publisher(fhir, settings).run(stop, slot)
        except FhirError as error:
            log.info("stream.out-waits", **describe(error))
        except kafka().KafkaException as error:
            log.warning("stream.out-again", error=error.args[0].name())
        except Exception as error:
            log.error("stream.out-fault", **describe(error))
        stop.wait(_PAUSE)


class Publisher:
    """Publishes as the one who holds the slot."""

    def __init__(self, fhir: Fhir, settings: Settings) -> None:
        self._fhir = fhir
        self._settings = settings
        self._client = kafka().Producer({**publisher_properties(settings), "logger": quiet()})
        self._place: Any = None
        self._last = 0
        self._failed: list[Any] = []

    def run(self, stop: threading.Event, slot: Slot) -> None:
        """Work until `stop` is set or the slot is lost."""
        try:
            self.begin()
            log.info("stream.out-ready", after=self._last)
            while not stop.is_set() and slot.held():
                if not self.turn():
                    stop.wait(_POLL_SECONDS)
        finally:
            if self._place is not None:
                self._place.close()

    def begin(self) -> None:
        """Fence whoever published before, and find the place to go on from."""
        rows = self._fhir.store.query(_DELIVERED, (STREAM,))
        self._last = int(rows[0][0]) if rows else 0
        if not self._settings.stream_transactions:
            return
        self._client.init_transactions(_SECONDS)
        properties = {
            **client_properties(self._settings),
            "group.id": out_group(self._settings),
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "logger": quiet(),
        }
        self._place = kafka().Consumer(properties)
        [there] = self._place.committed([self._at(0)], timeout=_SECONDS)
        # The database is told after Kafka, batch by batch: one that is further behind was restored from a backup.
        if self._last < there.offset <= self._last + self._settings.stream_batch:
            self._last = there.offset

    def turn(self) -> int:
        """Publish the next events; how many changes that were."""
        changes = changes_after(self._fhir, self._last, self._settings.stream_batch)
        if not changes:
            return 0
        messages = [one for change in changes for one in publish_form(self._fhir, self._settings, change)]
        if self._settings.stream_content == "full":
            self._tell_audit(changes)
        last = changes[-1].event.number
        if self._settings.stream_transactions:
            self._in_transaction(messages, last)
        else:
            self._produce(messages)
            self._flush()
        self._last = last
        self._fhir.store.write_sync(lambda tx: tx.execute(_DONE, (last, STREAM, last)))
        return len(changes)

    def _in_transaction(self, messages: list[Published], last: int) -> None:
        """All of the messages and the place behind them, or nothing."""
        self._client.begin_transaction()
        try:
            self._produce(messages)
            group = self._place.consumer_group_metadata()
            self._client.send_offsets_to_transaction([self._at(last)], group, _SECONDS)
            self._client.commit_transaction(_SECONDS)
        except kafka().KafkaException as error:
            if error.args[0].txn_requires_abort():
                self._client.abort_transaction(_SECONDS)
            raise

    def _produce(self, messages: list[Published]) -> None:
        for message in messages:
            while True:
                try:
                    self._client.produce(
                        self._settings.stream_out_topic,
                        message.value,
                        message.key,
                        headers=message.headers,
                        on_delivery=self._taken,
                    )
                    break
                except BufferError:  # until the brokers have taken some
                    self._client.poll(0.1)
            self._client.poll(0)

    def _flush(self) -> None:
        left = self._client.flush(_SECONDS)
        if left or self._failed:
            text = "The brokers did not take what was published; it is published again."
            raise FhirError.of(Category.UNAVAILABLE, "transient", text)

    def _taken(self, error: Any, _message: Any) -> None:
        if error is not None:
            self._failed.append(error)

    def _at(self, number: int) -> Any:
        """The place as an offset: of the first partition of the topic, in the publisher's own group."""
        return kafka().TopicPartition(self._settings.stream_out_topic, 0, number)

    def _tell_audit(self, changes: list[Change]) -> None:
        """Note in the audit what leaves the server, before it does."""
        about = [(one.event.type, one.event.id) for one in changes]
        asyncio.run(keep_told(self._fhir.store, server_as(WHO), STREAM, about, b""))
