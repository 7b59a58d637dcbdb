"""The hook that makes a job of a DocumentReference, inside the transaction that writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from fhir_profiles.systems import TASK_STAGE
from server.interactions import update
from server.interactions.content import instant
from server.interactions.fhir import Fhir
from server.jobs import tasks
from server.jobs.attachments import fingerprint
from server.jobs.engine import Job, Jobs
from server.jobs.schema import prepare
from server.jobs.selection import is_wanted
from server.jobs.tasks import Run
from server.jobs.waiting import Queue
from server.settings import Settings
from server.store import Store, Tx, Written
from server.store.keys import param_key, system_key
from server.store.version import CREATE

WORKFLOW = "code_document"
WHO = "fhirwright-worker"
_CHANGED = "The document was changed, withdrawn or deleted before it was coded."


class Intake:
    """Makes, replaces and withdraws the run of a document as its versions come; put it in `Fhir.on_write`."""

    def __init__(self, fhir: Fhir, settings: Settings) -> None:
        self._fhir = fhir
        self._settings = settings
        self.jobs = Jobs(postgres=fhir.store.dialect == "postgresql")
        self._queue = Queue(settings.max_waiting_documents, postgres=fhir.store.dialect == "postgresql")

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
        self._queue.check(tx)
        self._withdraw(tx, before)
        run = Run(version.id, version.version, 1)
        task = tasks.requested(run, mark, moment(tx), document.get("subject"), before, tx.trace)
        self.request(tx, run, task, new=version.change == CREATE)  # under an id that did not exist until now

    def request(self, tx: Tx, run: Run, task: dict[str, Any], *, new: bool = False) -> None:
        """Write the Task of a run and queue its job."""
        self.put(tx, task, new=new)
        self.jobs.enqueue(tx, Job(run.id, WORKFLOW, (run.document, run.version, run.attempt)))

    def cancel(self, tx: Tx, task: Mapping[str, Any], reason: str) -> None:
        """End the run that a Task shows."""
        run = tasks.run_of(task)
        if run:
            self.jobs.cancel(tx, run.id)
        self.put(tx, tasks.ended(task, "cancelled", moment(tx), reason=reason))

    def put(self, tx: Tx, task: dict[str, Any], *, new: bool = False) -> None:
        """Write a Task as a client's update would; with `new` there is none yet."""
        update.put(self._fhir, tx, task, WHO, new=new)

    def _withdraw(self, tx: Tx, task: Mapping[str, Any] | None) -> None:
        if task and task["status"] not in tasks.FINAL:
            self.cancel(tx, task, _CHANGED)


def read_task(tx: Tx, document: str) -> dict[str, Any] | None:
    """The Task of a document as it stands."""
    found = tx.current("Task", tasks.task_id(document))
    return orjson.loads(found.body) if found and not found.deleted else None


def moment(tx: Tx) -> str:
    """The transaction's time as a FHIR instant."""
    return instant(tx.now).decode()


def attach(fhir: Fhir, settings: Settings) -> Intake:
    """Make the tables of the jobs and follow every write of `fhir`."""
    prepare(settings.database_direct or fhir.store.engine.url.render_as_string(hide_password=False))
    intake = Intake(fhir, settings)
    fhir.on_write.append(intake)
    return intake


_DEPTHS = """SELECT t.code, count(*) FROM idx_token t JOIN resource r ON r.rid = t.rid
 WHERE t.param = ? AND t.system = ? AND r.type = 'Task' AND r.change <> 'D' GROUP BY t.code"""


def depths(store: Store) -> dict[str, int]:
    """Documents by stage, for the metrics."""
    return dict(store.query(_DEPTHS, (param_key("Task", "business-status"), system_key(TASK_STAGE))))
