"""The hook that makes a job of a DocumentReference, inside the transaction that writes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.jobs import tasks
from server.jobs.attachments import fingerprint
from server.jobs.engine import Job, Jobs
from server.jobs.schema import prepare
from server.jobs.selection import is_wanted
from server.jobs.tasks import Run
from server.settings import Settings
from server.store import Store, Tx, Written

WORKFLOW = "code_document"
WHO = "fhirwright-worker"
_CHANGED = "The document was changed, withdrawn or deleted before it was coded."


class Intake:
    """Makes, replaces and withdraws the run of a document as its versions come; put it in `Fhir.on_write`."""

    def __init__(self, fhir: Fhir, settings: Settings) -> None:
        self._fhir = fhir
        self._settings = settings
        self.jobs = Jobs(postgres=fhir.store.dialect == "postgresql")

    def __call__(self, tx: Tx, written: Written) -> None:
        """Follow one new version; anything but a DocumentReference is left alone."""
        version, document = written.version, written.resource
        if version.type != "DocumentReference":
            return
        before = None if version.version == 1 else read_task(tx, version.id)
        if document is None or not is_wanted(document, self._settings):
            self._withdraw(tx, before)
            return
        mark = fingerprint(document)
        if before and before["status"] != "cancelled" and tasks.fingerprint_of(before) == mark:
            return
        self._withdraw(tx, before)
        run = Run(version.id, version.version, 1)
        self.request(tx, run, tasks.requested(run, mark, moment(tx), document.get("subject"), before))

    def request(self, tx: Tx, run: Run, task: Mapping[str, Any]) -> None:
        """Write the Task of a run and queue its job."""
        self.put(tx, task)
        self.jobs.enqueue(tx, Job(run.id, WORKFLOW, (run.document, run.version, run.attempt)))

    def cancel(self, tx: Tx, task: Mapping[str, Any], reason: str) -> None:
        """End the run that a Task shows."""
        run = tasks.run_of(task)
        if run:
            self.jobs.cancel(tx, run.id)
        self.put(tx, tasks.ended(task, "cancelled", moment(tx), reason=reason))

    def put(self, tx: Tx, task: Mapping[str, Any]) -> None:
        """Write a Task as any client would."""
        self._fhir.handle_in(tx, Request(method="PUT", path=("Task", task["id"]), body=orjson.dumps(task), who=WHO))

    def _withdraw(self, tx: Tx, task: Mapping[str, Any] | None) -> None:
        if task and task["status"] not in tasks.FINAL:
            self.cancel(tx, task, _CHANGED)


def read_task(tx: Tx, document: str) -> dict[str, Any] | None:
    """The Task of a document as it stands."""
    found = tx.current("Task", tasks.task_id(document))
    return orjson.loads(found.body) if found and not found.deleted else None


def moment(tx: Tx) -> str:
    """The transaction's time as a FHIR instant."""
    return datetime.fromtimestamp(tx.now / 1e6, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def attach(fhir: Fhir, settings: Settings) -> Intake:
    """Make the tables of the jobs and follow every write of `fhir`."""
    prepare(fhir.store.engine.url.render_as_string(hide_password=False))
    intake = Intake(fhir, settings)
    fhir.on_write.append(intake)
    return intake


_DEPTHS = """SELECT t.code, count(*) FROM idx_token t JOIN resource r ON r.rid = t.rid
 WHERE t.param = ? AND r.type = 'Task' AND r.change <> 'D' GROUP BY t.code"""


def depths(store: Store) -> dict[str, int]:
    """Documents by stage, for the metrics."""
    from server.store.keys import param_key

    return dict(store.query(_DEPTHS, (param_key("Task", "business-status"),)))
