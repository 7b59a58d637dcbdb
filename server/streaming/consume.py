"""`stream in`: messages are read, given their effects, and only then are their offsets committed.

Killed at any moment, the next consumer reads again what was not committed; the ledger knows what was done.
https://kafka.apache.org/documentation/#semantics
"""

from __future__ import annotations

import threading
import time
from typing import Any

import structlog

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import TASK_STAGE
from server.interactions.fhir import Fhir
from server.observability import describe
from server.settings import Settings
from server.store import Store
from server.store.keys import param_key, system_key
from server.streaming.client import consumer_properties, kafka, quiet
from server.streaming.counts import Counts
from server.streaming.dead import DeadLetters
from server.streaming.message import Message, read_message
from server.streaming.taking import Done, Taking

log = structlog.get_logger("fhirwright.stream")
_POLL_SECONDS = 0.2
_LOOK_SECONDS = 2.0
_LONGEST_PAUSE = 5.0
_WAITING = "SELECT count(*) FROM (SELECT 1 FROM idx_token WHERE param = ? AND code = ? AND system = ? LIMIT ?) w"


def waiting_documents(store: Store, most: int) -> int:
    """Documents that wait for a worker, counted no further than `most`."""
    asked = (param_key("Task", "business-status"), "received", system_key(TASK_STAGE), most)
    return int(store.query(_WAITING, asked)[0][0])


class Consumer:
    """One member of the group, until it is stopped."""

    def __init__(self, fhir: Fhir, settings: Settings) -> None:
        self._fhir = fhir
        self._settings = settings
        self._taking = Taking(fhir, settings)
        self._letters = DeadLetters(settings)
        self.counts = Counts(fhir.store)
        self._client = kafka().Consumer({**consumer_properties(settings), "logger": quiet()})
        self._resting = False
        self._look = 0.0
        self._failures = 0

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set: what was read then is finished and committed; the group is left at once."""
        self._client.subscribe(list(self._settings.stream_topics), on_assign=self._assigned)
        try:
            while not stop.is_set():
                if not self.turn():
                    pause = min(0.1 * 2**self._failures, _LONGEST_PAUSE)
                    self._failures += 1
                    stop.wait(pause)
                else:
                    self._failures = 0
        finally:
            self._client.close()
            self._taking.close()
            self.counts.keep(now=True)

    def turn(self) -> bool:
        """Take what can be read now; whether all of it has its fate."""
        self._rest_or_go_on()
        raws = self._client.consume(self._settings.stream_batch, _POLL_SECONDS)
        messages = []
        for raw in raws:
            if (error := raw.error()) is None:
                messages.append(read_message(raw, self._settings))
            elif error.fatal():
                text = f"The brokers do not let this consumer go on ({error.name()})."
                raise FhirError.of(Category.UNAVAILABLE, "transient", text)
            else:
                log.warning("stream.broker", error=error.name())
        if not messages:
            self._keep()
            return True
        return self._settle(messages)

    def _settle(self, messages: list[Message]) -> bool:
        """Give messages their effects, tell of those that were put away, commit; whether nothing is left."""
        done = self._taking.take(messages)
        try:
            self._letters.send([(one.message, one.dead, one.message.value) for one in done if one.dead])
        except FhirError as error:
            log.warning("stream.dead-letters", **describe(error))
            done = []
        left = self._commit(messages, done)
        self.counts.fates.update(one.fate for one in done)
        self._keep()
        return not left

    def _commit(self, messages: list[Message], done: list[Done]) -> bool:
        """Commit each partition up to its first message without a fate; whether there is one. It is read again."""
        settled = {one.message.place for one in done}
        ends: dict[tuple[str, int], int] = {}
        again: dict[tuple[str, int], int] = {}
        for message in messages:
            topic, partition, offset = message.place
            if (topic, partition) in again:
                continue
            if message.place in settled:
                ends[topic, partition] = offset + 1
            else:
                again[topic, partition] = offset
        at = kafka().TopicPartition
        try:
            if ends:
                offsets = [at(topic, partition, offset) for (topic, partition), offset in ends.items()]
                self._client.commit(offsets=offsets, asynchronous=False)
        except kafka().KafkaException as error:  # another has the partition now, and will find it done
            log.warning("stream.commit", error=error.args[0].name())
        for (topic, partition), offset in again.items():
            try:
                self._client.seek(at(topic, partition, offset))
            except kafka().KafkaException as error:  # likewise
                log.warning("stream.seek", error=error.args[0].name())
        return bool(again)

    def _rest_or_go_on(self) -> None:
        """Let partitions rest while too many documents wait for a worker; the group is kept all the while."""
        if time.monotonic() < self._look:
            return
        self._look = time.monotonic() + _LOOK_SECONDS
        most = self._settings.stream_most_waiting
        waiting = waiting_documents(self._fhir.store, most)
        if not self._resting and waiting >= most:
            self._resting = True
            self._client.pause(self._client.assignment())
            log.warning("stream.resting", waiting=waiting)
        elif self._resting and waiting <= most // 2:
            self._resting = False
            self._client.resume(self._client.assignment())
            log.info("stream.going-on")

    def _assigned(self, client: Any, partitions: list[Any]) -> None:
        client.incremental_assign(partitions)
        if self._resting:
            client.pause(partitions)
        log.info("stream.assigned", partitions=len(partitions))

    def _keep(self) -> None:
        """Note how far the partitions are behind, and write down the counts."""
        try:
            for one in self._client.position(self._client.assignment()):
                _, high = self._client.get_watermark_offsets(one, cached=True)
                if high >= 0 and one.offset >= 0:
                    self.counts.lag[f"{one.topic}/{one.partition}"] = max(high - one.offset, 0)
        except kafka().KafkaException as error:
            log.debug("stream.lag", error=error.args[0].name())
        self.counts.keep()
