"""What a run measures for the figures."""

from __future__ import annotations

from typing import Any

import pytest

from extractors.model import Document, Page, Word
from fhir_profiles.systems import PAGE_READING, STAGE_SECONDS
from fhir_profiles.validate import check
from server.jobs import tasks
from server.jobs.measured import Stopwatch, asked_of, reading_of
from server.jobs.tasks import Run

ASKED = "2026-03-04T10:15:00.000Z"
BEGUN = 1772619305.0  # five seconds later


def _task() -> dict[str, Any]:
    return tasks.requested(Run("doc", 1, 1), "a" * 64, ASKED, None, None)


def _parts(task: dict[str, Any], url: str) -> dict[str, Any]:
    [found] = [one for one in task["extension"] if one["url"] == url]
    return {part["url"]: next(v for k, v in part.items() if k != "url") for part in found["extension"]}


def test_a_request_says_when_it_was_made() -> None:
    """The Task of a run that waits tells since when, whatever became of earlier runs."""
    before = tasks.completed(_task(), [], None, ASKED)
    again = tasks.requested(Run("doc", 1, 2), "a" * 64, "2026-03-05T10:15:00.000Z", None, before)
    assert asked_of(again) == "2026-03-05T10:15:00.000Z"


def test_each_stage_has_its_seconds_and_the_wait_counts_from_the_request() -> None:
    """A stage that is entered twice adds up; measuring again, as a repeated transaction does, changes nothing."""
    ticks = iter([0.0, 0.0, 2.0, 3.0, 4.5, 6.0, 7.0])
    watch = Stopwatch(lambda: next(ticks), lambda: BEGUN)
    for stage in ("pages", "findings", "pages", "emitted"):
        watch.enter(stage)
    first = watch.measured(_task())
    assert watch.stage == "emitted"
    done = tasks.completed(_task(), [], None, ASKED, watch.measured(_task()))
    assert check(done) == []
    assert _parts(first, STAGE_SECONDS) == _parts(done, STAGE_SECONDS) == {
        "asked": ASKED, "received": 5.0, "pages": 3.5, "findings": 1.0, "emitted": 1.5,
    }  # fmt: skip


def test_a_failure_names_its_stage() -> None:
    """The issue type and the stage stand in the reason; the business status says that it failed."""
    watch = Stopwatch()
    watch.enter("pages")
    task = _task()
    failed = tasks.ended(
        task, "failed", ASKED, code="structure", reason="No.", at="pages", measured=watch.measured(task)
    )
    assert check(failed) == []
    assert [coding["code"] for coding in failed["statusReason"]["coding"]] == ["structure", "pages"]
    assert failed["businessStatus"]["coding"][0]["code"] == "failed"


def _page(number: int, method: Any, words: int, confidence: float) -> Page:
    word = Word("w", 0, 1, (0.0,) * 8, confidence, 1)  # type: ignore[arg-type]
    return Page(number, 612, 792, 0, 1, method, (word,) * words, confidence=confidence)


@pytest.mark.parametrize(
    ("pages", "expected"),
    [([_page(1, "text", 9, 100), _page(2, "ocr", 3, 90), _page(3, "hybrid", 1, 50)], (3, 2, 80.0)),
     ([_page(1, "text", 9, 100)], (1, 0, None)), ([], (0, 0, None)), ([_page(1, "ocr", 0, 0)], (1, 1, None))],
    ids=["mixed", "text", "none", "blank"],
)  # fmt: skip
def test_pages_read_from_images_count_by_their_words(pages: list[Page], expected: tuple[Any, ...]) -> None:
    """A text layer has nothing to doubt; a blank page has no words to be sure of."""
    found = reading_of(Document("", "application/pdf", "a" * 64, tuple(pages)))
    assert (found.pages, found.recognised, found.confidence) == expected


def test_the_reading_of_pages_stands_in_the_task() -> None:
    """What the cache kept of the reading is told as an extension, which R4 allows."""
    read = b"\x93\x03\x02\xcb@T\x00\x00\x00\x00\x00\x00"
    done = tasks.completed(_task(), [], None, ASKED, Stopwatch().measured(_task(), read))
    assert check(done) == []
    assert _parts(done, PAGE_READING) == {"pages": 3, "recognised": 2, "confidence": 80.0}
