"""What a run measures for the figures: seconds by stage, and how sure the words of its pages are.

The Task carries both as extensions, https://hl7.org/fhir/R4/task.html, so that no history has to be read for them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from extractors.model import Document
from fhir_profiles.systems import PAGE_READING, STAGE_SECONDS

Json = dict[str, Any]
_READ = frozenset({"ocr", "hybrid"})


class Reading(msgspec.Struct, frozen=True, array_like=True):
    """Pages, those read from images, and the mean confidence of their words (0 to 100, None where none was read)."""

    pages: int
    recognised: int
    confidence: float | None


def reading_of(document: Document) -> Reading:
    """How the pages of a document were read; each page counts by its words."""
    read = [page for page in document.pages if page.method in _READ]
    words = sum(len(page.words) for page in read)
    sure = sum(page.confidence * len(page.words) for page in read)
    return Reading(len(document.pages), len(read), round(sure / words, 2) if words else None)


def reading_key(key: str) -> str:
    """Under which name the cache has the reading of a Document that it has under `key`."""
    return f"reading:{key}"


class Stopwatch:
    """The seconds that a run spends in each stage; a stage that is entered again goes on. Not for several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, now: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._spent: dict[str, float] = {}
        self._at, self._stage, self._last = clock(), "", ""
        self._begun = now()

    @property
    def stage(self) -> str:
        """Where the run is, or was when it was last measured."""
        return self._stage or self._last

    def enter(self, stage: str) -> None:
        """The run is at `stage` from now on."""
        moment = self._clock()
        if self._stage:
            self._spent[self._stage] = self._spent.get(self._stage, 0.0) + moment - self._at
        self._at, self._last, self._stage = moment, self._stage or self._last, stage

    def measured(self, task: Mapping[str, Any], reading: bytes | None = None) -> Json:
        """The extensions of a Task that ends now: what was measured takes the place of the mark of the request."""
        self.enter("")
        kept = [one for one in task.get("extension") or () if one.get("url") not in (STAGE_SECONDS, PAGE_READING)]
        asked = asked_of(task)
        spent = dict(self._spent)
        if asked is not None:
            spent["received"] = max(0.0, self._begun - datetime.fromisoformat(asked).timestamp())
        kept.append(_seconds(asked, spent))
        if reading is not None:
            kept.append(_told(msgspec.msgpack.decode(reading, type=Reading)))
        return {"extension": kept}


def asked_of(task: Mapping[str, Any]) -> str | None:
    """When the run that a Task shows was asked for, as an instant."""
    parts: Sequence[Json] = next(
        (one.get("extension") or () for one in task.get("extension") or () if one.get("url") == STAGE_SECONDS), ()
    )
    return next((str(part["valueInstant"]) for part in parts if part.get("url") == "asked"), None)


def requested_at(instant: str) -> list[Json]:
    """The extensions of a Task whose run is asked for."""
    return [_seconds(instant, {})]


def _seconds(asked: str | None, spent: Mapping[str, float]) -> Json:
    parts: list[Json] = [{"url": "asked", "valueInstant": asked}] if asked else []
    parts += [{"url": stage, "valueDecimal": round(spent[stage], 3)} for stage in _STAGES if stage in spent]
    return {"url": STAGE_SECONDS, "extension": parts}


_STAGES = ("received", "pages", "findings", "codes", "emitted")


def _told(reading: Reading) -> Json:
    parts: list[Json] = [
        {"url": "pages", "valueUnsignedInt": reading.pages},
        {"url": "recognised", "valueUnsignedInt": reading.recognised},
    ]
    if reading.confidence is not None:
        parts.append({"url": "confidence", "valueDecimal": reading.confidence})
    return {"url": PAGE_READING, "extension": parts}
