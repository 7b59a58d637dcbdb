"""What the upload page shows of a document, and which ids it takes from an address."""

from __future__ import annotations

from typing import Any

import pytest

from server.http.work.upload_stages import ids_of, steps_of
from server.jobs import tasks
from server.jobs.tasks import Run

NOW = "2026-03-04T10:15:00.000Z"
WAITING = tasks.requested(Run("d", 1, 1), "a" * 64, NOW, None, None)
READ = tasks.moved(WAITING, "pages", NOW, "3/10")
TORN = tasks.ended(READ, "failed", NOW, code="structure", reason="torn", at="pages")


@pytest.mark.parametrize(
    ("task", "states"),
    [
        (WAITING, "now later later later later"),
        (READ, "done now later later later"),
        (tasks.moved(WAITING, "codes", NOW), "done done done now later"),
        (tasks.completed(WAITING, [], None, NOW), "done done done done done"),
        (
            tasks.ended(READ, "failed", NOW, code="structure", reason="torn", at="pages"),
            "done failed later later later",
        ),
        (tasks.ended(WAITING, "cancelled", NOW, reason="changed"), "failed later later later later"),
    ],
    ids=["waiting", "pages", "codes", "completed", "failed", "cancelled"],
)
def test_stages_follow_the_task(task: dict[str, Any], states: str) -> None:
    """Each state of a Task is a row of stages; one that failed shows where."""
    assert " ".join(step.state for step in steps_of(task)) == states


def test_pages_are_counted() -> None:
    """While pages are read the row says which of how many."""
    assert [step.detail for step in steps_of(READ)] == ["", "3 of 10", "", "", ""]


def test_ids_of_an_address_are_ids() -> None:
    """What cannot be an id is left out, and none stands twice."""
    assert ids_of("a,b,a,../c,d e,,x|y") == ["a", "b"]
    assert len(ids_of(",".join(str(number) for number in range(300)))) == 100
