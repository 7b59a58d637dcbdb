"""Tasks are ours, so they are not checked when they are written: they are checked here."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_profiles.validate import check
from server.jobs import tasks
from server.jobs.tasks import Run

NOW = "2026-03-04T10:15:00.000Z"
LATER = "2026-03-04T10:16:00.000Z"


def asked(subject: dict[str, Any] | None = None) -> dict[str, Any]:
    return tasks.requested(Run("doc", 1, 1), "a" * 64, NOW, subject, None)


TASKS = [
    asked(),
    asked({"reference": "Patient/p", "display": "Somebody"}),
    tasks.moved(asked(), "pages", LATER),
    tasks.moved(asked(), "pages", LATER, "3/10"),
    tasks.ended(asked(), "cancelled", LATER, reason="Cancelled on request."),
    tasks.ended(tasks.moved(asked(), "pages", NOW), "failed", LATER, code="structure", reason="Not a document."),
    tasks.completed(asked(), ["Condition/a", "Claim/b"], "Patient/p", LATER),
    tasks.completed(asked(), [], None, LATER),
    tasks.requested(Run("doc", 2, 2), "b" * 64, LATER, None, tasks.completed(asked(), ["Claim/b"], None, NOW)),
]


@pytest.mark.parametrize("task", TASKS, ids=range(len(TASKS)))
def test_every_shape_of_a_task_is_valid(task: dict[str, Any]) -> None:
    """Whatever happens to a document, its Task is valid R4."""
    assert check(task) == []


def test_a_contained_subject_is_not_pointed_at() -> None:
    """A local reference of the document means nothing in the Task."""
    assert "for" not in asked({"reference": "#p"})
