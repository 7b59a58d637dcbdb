"""What becomes of messages that were read together: each has its own fate, those of a key one after another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import structlog

from fhir_profiles.errors import Category, FhirError
from server.doors.arrivals import Arrival, arrive
from server.doors.rows import Outcome
from server.interactions.fhir import Fhir
from server.observability import describe
from server.settings import Settings
from server.streaming.bundle import DOOR, Part, parts_of, to_bundle
from server.streaming.message import Message, Place

log = structlog.get_logger("fhirwright.stream")
_ELSEWHERE = frozenset({Category.UNAVAILABLE, Category.BUSY, Category.INTERRUPTED})
"""Errors that are no message's fault: it waits as long as they last."""

_ATTEMPTS = 5
"""How often the server may fail on a message before it is put away, so that it does not block its partition."""


class Done(NamedTuple):
    """A message whose fate is on disk: how it is counted, and the outcome of the part that was put away."""

    message: Message
    fate: str
    dead: Outcome | None


class Taking:
    """Gives messages their effects; threads of its own, as many as keys are stored at the same time."""

    def __init__(self, fhir: Fhir, settings: Settings) -> None:
        self._fhir = fhir
        self._settings = settings
        self._pool = ThreadPoolExecutor(settings.stream_at_once, thread_name_prefix="stream")
        self._failures: Counter[Place] = Counter()

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()

    def take(self, messages: Iterable[Message]) -> list[Done]:
        """Those whose fate is on disk; of a lane in which one fails for now, none after that one."""
        lanes: dict[Any, list[Message]] = {}
        for message in messages:
            lane = message.lane if message.lane is not None else message.place[:2]
            lanes.setdefault(lane, []).append(message)
        return [done for some in self._pool.map(self._lane, lanes.values()) for done in some]

    def _lane(self, messages: list[Message]) -> list[Done]:
        done = []
        for message in messages:
            try:
                done.append(self._one(message))
            except Exception as error:
                self._note(message.place, error)
                break
            self._failures.pop(message.place, None)
        return done

    def _note(self, place: Place, error: Exception) -> None:
        log.warning("stream.not-yet", topic=place.topic, partition=place.partition, offset=place.offset,
                    **describe(error))  # fmt: skip
        if not isinstance(error, FhirError) or error.category not in _ELSEWHERE:
            self._failures[place] += 1

    def _one(self, message: Message) -> Done:
        if self._failures[message.place] >= _ATTEMPTS:
            message = message._replace(problem="failed")
        outcomes = [self._part(message, part) for part in parts_of(message)]
        dead = next((one for one in outcomes if one.state == "quarantined"), None)
        return Done(message, _fate(outcomes, dead), dead)

    def _part(self, message: Message, part: Part) -> Outcome:
        arrival = Arrival(DOOR, part.key, part.content)
        make = partial(to_bundle, arrival.name, message.problem, self._settings.stream_types)
        return arrive(self._fhir, arrival, make)


def _fate(outcomes: list[Outcome], dead: Outcome | None) -> str:
    """How a message is counted: by the worst of its parts, as known only when all of it was."""
    if dead is not None:
        return "quarantined"
    if all(one.known for one in outcomes):
        return "known"
    return "stored" if any(one.written for one in outcomes) else "superseded"
