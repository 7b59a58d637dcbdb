"""Dead letters: a message that could not be used is told of on a topic, with its reason by code and without PHI."""

from __future__ import annotations

from typing import Any

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from server.doors.rows import Outcome
from server.settings import Settings
from server.streaming.client import kafka, producer_properties, quiet
from server.streaming.message import Message

_FLUSH_SECONDS = 30.0


class DeadLetters:
    """Writes dead letters; what `send` has returned from is on the brokers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer: Any = None

    def send(self, letters: list[tuple[Message, Outcome, bytes]]) -> None:
        """Write letters (message, what became of it, its value) and wait for the brokers; FhirError when not taken."""
        if not letters:
            return
        if self._producer is None:
            self._producer = kafka().Producer({**producer_properties(self._settings), "logger": quiet()})
        failed: list[Any] = []

        def taken(error: Any, _message: Any) -> None:
            if error is not None:
                failed.append(error)

        for message, outcome, value in letters:
            topic = self._settings.stream_dead_topic or f"{message.place.topic}.dead"
            try:
                headers, body = headers_of(message, outcome), self._body(message, outcome, value)
                self._producer.produce(topic, body, message.lane, headers=headers, on_delivery=taken)
            except (BufferError, kafka().KafkaException) as error:
                failed.append(error)
            self._producer.poll(0)
        if self._producer.flush(_FLUSH_SECONDS) or failed:
            self._producer = None
            text = "The dead letters were not taken by the brokers; they are written again."
            raise FhirError.of(Category.UNAVAILABLE, "transient", text)

    def _body(self, message: Message, outcome: Outcome, value: bytes) -> bytes:
        if self._settings.stream_dead_content == "full":
            return value
        place = message.place._asdict()
        return json.encode({**place, "reason": outcome.reason, "arrival": outcome.id})


def headers_of(message: Message, outcome: Outcome) -> list[tuple[str, bytes]]:
    """The headers of a dead letter: why, where it stood, and its row in the ledger, by which doubles are known."""
    place = message.place
    texts = {
        "reason": outcome.reason,
        "arrival": outcome.id,
        "topic": place.topic,
        "partition": str(place.partition),
        "offset": str(place.offset),
    }
    return [(name, text.encode()) for name, text in texts.items()]
