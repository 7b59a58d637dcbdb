"""`Task/[id]/$retry` and `Task/[id]/$cancel`: run a document's coding again, or take it back.

https://hl7.org/fhir/R4/task.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import BASE
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.jobs import tasks
from server.jobs.intake import Intake, moment
from server.jobs.tasks import Run
from server.operations.registry import Level, Operation
from server.store import Tx

Change = Callable[[Tx, dict[str, Any], Run], None]


class TaskOperations:
    """Both operations; the Task moves and the job is queued or cancelled in one transaction."""

    def __init__(self, fhir: Fhir, intake: Intake) -> None:
        self._fhir = fhir
        self._intake = intake

    async def retry(self, request: Request) -> Response:
        """Run the document again in its newest version; 409 while a run is on its way."""
        return await self._change(request, self._retry)

    async def cancel(self, request: Request) -> Response:
        """End the run; a Task that has ended already stays as it is."""
        return await self._change(request, self._cancel)

    async def _change(self, request: Request, change: Change) -> Response:
        name = request.path[1]
        await self._fhir.store.write(lambda tx: change(tx, *_ours(tx, name)))
        return await self._fhir.handle(
            Request(method="GET", path=request.path[:2], base_url=request.base_url, who=request.who)
        )

    def _retry(self, tx: Tx, task: dict[str, Any], run: Run) -> None:
        if task["status"] not in tasks.FINAL:
            raise FhirError.of(Category.CONFLICT, "business-rule", "The Task has not ended. Wait, or $cancel it first.")
        document = tx.current("DocumentReference", run.document)
        if document is None or document.deleted:
            raise FhirError.of(Category.CONFLICT, "deleted", "The document of this Task was deleted. Create it again.")
        again = Run(run.document, document.version, run.attempt + 1)
        mark = tasks.fingerprint_of(task) or ""
        self._intake.request(tx, again, tasks.requested(again, mark, moment(tx), task.get("for"), task))

    def _cancel(self, tx: Tx, task: dict[str, Any], run: Run) -> None:  # noqa: ARG002 - the shape of a Change
        if task["status"] not in tasks.FINAL:
            self._intake.cancel(tx, task, "Cancelled on request.")


def _ours(tx: Tx, name: str) -> tuple[dict[str, Any], Run]:
    """The Task and its run; FhirError when there is none or it is not a Task of the coding."""
    found = tx.current("Task", name)
    if found is None or found.deleted:
        raise FhirError.of(Category.NOT_FOUND, "not-found", "There is no Task with this id.")
    task = orjson.loads(found.body)
    run = tasks.run_of(task)
    if run is None:
        raise FhirError.of(Category.INCORRECT, "business-rule", "This Task does not follow the coding of a document.")
    return task, run


def operations(fhir: Fhir, intake: Intake) -> list[Operation]:
    """`$retry` and `$cancel`."""
    both = TaskOperations(fhir, intake)
    level: frozenset[Level] = frozenset({"instance"})
    types = frozenset({"Task"})
    return [
        Operation("retry", level, both.retry, types, definition=f"{BASE}/OperationDefinition/Task-retry"),
        Operation("cancel", level, both.cancel, types, definition=f"{BASE}/OperationDefinition/Task-cancel"),
    ]
