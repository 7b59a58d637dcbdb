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
from server.interactions.read import absent
from server.interactions.seen import changeable
from server.jobs import tasks
from server.jobs.intake import Intake, moment
from server.jobs.tasks import Run
from server.operations.registry import Level, Operation
from server.store import Tx

Change = Callable[[Tx, Request, dict[str, Any], Run], None]


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
        await self._fhir.store.write(lambda tx: change(tx, request, *self._ours(tx, request)))
        return await self._fhir.handle(_read(request, *request.path[:2]))

    def _ours(self, tx: Tx, request: Request) -> tuple[dict[str, Any], Run]:
        """The Task and its run; FhirError when the caller sees none, may not change it, or it is not of the coding."""
        task = orjson.loads(self._fhir.handle_in(tx, _read(request, *request.path[:2])).body)
        if changeable(tx, request, tx.current("Task", task["id"]), "u") is None:
            raise absent()
        run = tasks.run_of(task)
        if run is None:
            text = "This Task does not follow the coding of a document."
            raise FhirError.of(Category.INCORRECT, "business-rule", text)
        return task, run

    def _retry(self, tx: Tx, request: Request, task: dict[str, Any], run: Run) -> None:
        if task["status"] not in tasks.FINAL:
            raise FhirError.of(Category.CONFLICT, "business-rule", "The Task has not ended. Wait, or $cancel it first.")
        document = tx.current("DocumentReference", run.document)
        if document is not None and not document.deleted:
            self._fhir.handle_in(tx, _read(request, "DocumentReference", run.document))  # 404 unless it is seen
        else:
            raise FhirError.of(Category.CONFLICT, "deleted", "The document of this Task was deleted. Create it again.")
        again = Run(run.document, document.version, run.attempt + 1)
        mark = tasks.fingerprint_of(task) or ""
        self._intake.request(tx, again, tasks.requested(again, mark, moment(tx), task.get("for"), task, tx.trace))

    def _cancel(self, tx: Tx, _request: Request, task: dict[str, Any], _run: Run) -> None:
        if task["status"] not in tasks.FINAL:
            self._intake.cancel(tx, task, "Cancelled on request.")


def _read(of: Request, *path: str) -> Request:
    return Request(method="GET", path=path, base_url=of.base_url, caller=of.caller)


def operations(fhir: Fhir, intake: Intake) -> list[Operation]:
    """`$retry` and `$cancel`."""
    both = TaskOperations(fhir, intake)
    level: frozenset[Level] = frozenset({"instance"})
    types = frozenset({"Task"})
    return [
        Operation("retry", level, both.retry, types, definition=f"{BASE}/OperationDefinition/Task-retry", for_all=True),
        Operation(
            "cancel", level, both.cancel, types, definition=f"{BASE}/OperationDefinition/Task-cancel", for_all=True
        ),
    ]
