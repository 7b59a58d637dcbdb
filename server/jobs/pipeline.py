"""The life of a document: received → pages → findings → codes → emitted, or failed with what to do about it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import orjson
import structlog

from fhir_profiles.errors import FhirError
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.jobs import tasks
from server.jobs.attachments import read_attachment
from server.jobs.binary import binary_data
from server.jobs.cache import ContentCache
from server.jobs.children import FAULT, Children, Failure
from server.jobs.engine import QUEUE, Interrupted, Steps
from server.jobs.intake import WHO, WORKFLOW, Intake, moment, read_task
from server.jobs.kinds import Kind, patient_write
from server.jobs.results import references, replaced
from server.jobs.tasks import Run
from server.settings import Settings
from server.store import Tx

log = structlog.get_logger("fhirwright.worker")
_QUIET_SECONDS = 0.25  # a Task does not move more often than this while its document is read
_GIVEN_UP = (
    "The worker died each time it read this document. Send it in parts or at less resolution, then retry the Task."
)
Outcome = dict[str, Any]  # {"key": …} or {"failed": [code, text]}: what a step's record may hold


class Coding:
    """The workflow and what it works with; only its ends touch the store, the stages run in child processes."""

    NAME: Final = WORKFLOW

    def __init__(self, settings: Settings, fhir: Fhir, intake: Intake, children: Children) -> None:
        self._settings = settings
        self._store = fhir.store
        self._fhir = fhir
        self._intake = intake
        self._wait_and_write = patient_write(fhir.store)
        self._steps = Steps(self._intake.jobs, self._write)
        self.children = children
        self._cache = ContentCache(settings.data / "cache", settings.cache_bytes)

    @property
    def kind(self) -> Kind:
        """The coding of a document as a kind of job."""
        return Kind(self.NAME, lambda work: self.run(*work.arguments), QUEUE, self.given_up)

    def run(self, document: str, version: int, attempt: int) -> str:
        """One run; the state that its Task ends in."""
        run = Run(document, version, attempt)
        try:
            done = self._stages(run)
            if "failed" in done:
                self._steps.tx_step("failed", lambda tx: self._fail(tx, run, *done["failed"]))
        except Interrupted:
            return "cancelled"
        log.info("document.done", outcome=done.get("failed", ["emitted"])[0])
        return "failed" if "failed" in done else "completed"

    def _stages(self, run: Run) -> Outcome:
        move = self._mover(run)
        pages: Outcome = self._steps.step("pages", lambda: self._outcome(self._read, run, move))
        if "failed" in pages:
            return pages
        coded: Outcome = self._steps.step("codes", lambda: self._outcome(self._code, run, move, pages["key"]))
        if "failed" in coded:
            return coded
        kept = self._cache.get(coded["key"])
        if kept is None:  # the cache has forgotten it between the steps: the same stages give the same again
            coded = self._outcome(self._code, run, move, pages["key"])
            if "failed" in coded:
                return coded
            kept = self._cache.get(coded["key"]) or b""
        done: Outcome = self._steps.tx_step("emitted", lambda tx: self._emit(tx, run, kept))
        return done

    def _outcome(self, stage: Callable[..., str], *arguments: Any) -> Outcome:
        """A stage's key, or why the document ends here; errors are values, because the step's record must hold them."""
        try:
            return {"key": stage(*arguments)}
        except Failure as failure:
            return {"failed": [failure.code, failure.text]}
        except Exception as error:
            log.error("document.fault", kind=type(error).__name__)
            return {"failed": ["exception", FAULT.format(kind=type(error).__name__)]}

    def _document(self, run: Run) -> dict[str, Any]:
        path = ("DocumentReference", run.document, "_history", str(run.version))
        found: dict[str, Any] = orjson.loads(self._fhir.handle_sync(Request(method="GET", path=path, who=WHO)).body)
        return found

    def _read(self, run: Run, move: Callable[[str], None]) -> str:
        document = self._document(run)
        fetch = partial(binary_data, self._fhir)
        data = read_attachment(document, self._settings.base_url, fetch, self._settings.document_bytes)
        key: str = self.children.run("read", data, progress=move)
        return key

    def _code(self, run: Run, move: Callable[[str], None], pages: str) -> str:
        document = self._document(run)
        for content in document["content"]:
            content["attachment"].pop("data", None)
        key: str | None = self.children.run("code", pages, orjson.dumps(document), progress=move)
        if key is None:  # the cache has forgotten the pages
            key = self.children.run("code", self._read(run, move), orjson.dumps(document), progress=move)
        if key is None:
            raise Failure(
                "exception", "The cache in the data directory cannot be written. Make room, then retry the Task."
            )
        return key

    def _emit(self, tx: Tx, run: Run, bundle: bytes) -> Outcome:
        """Store the results and close the Task."""
        task = self._task(tx, run)
        answer = self._fhir.handle_in(tx, Request(method="POST", body=bundle, prefer="return=minimal", who=WHO))
        now = references(answer.body)
        for reference in replaced(tasks.outputs_of(task), now):
            self._fhir.handle_in(tx, Request(method="DELETE", path=tuple(reference.split("/")), who=WHO))
        patient = next((reference for reference in now if reference.startswith("Patient/")), None)
        self._intake.put(tx, tasks.completed(task, now, patient, moment(tx)))
        return {"emitted": len(now)}

    def _fail(self, tx: Tx, run: Run, code: str, text: str) -> None:
        self._intake.put(tx, tasks.ended(self._task(tx, run), "failed", moment(tx), code=code, reason=text))

    def _task(self, tx: Tx, run: Run) -> dict[str, Any]:
        task = read_task(tx, run.document)
        if task is None or tasks.run_of(task) != run:
            raise Interrupted
        return task

    def _move(self, tx: Tx, run: Run, stage: str) -> None:
        self._intake.put(tx, tasks.moved(self._task(tx, run), stage, moment(tx)))

    def _mover(self, run: Run) -> Callable[[str], None]:
        """Moves the Task to a stage, but not for each blink of a short document."""
        moved, stands = time.monotonic(), ""

        def move(stage: str) -> None:
            nonlocal moved, stands
            if stage == stands or (stage != "pages" and time.monotonic() - moved < _QUIET_SECONDS):
                return
            moved, stands = time.monotonic(), stage
            with contextlib.suppress(Interrupted, FhirError):  # showing it is not worth failing for
                self._store.write_sync(lambda tx: self._move(tx, run, stage))

        return move

    def _write(self, operation: Callable[[Tx], Any]) -> Any:
        """The operation's value; a refusal is an outcome of the document."""
        value = self._wait_and_write(operation)
        if isinstance(value, dict) and "refused" in value:
            return {"failed": ["exception", FAULT.format(kind=value["refused"])]}
        return value

    def given_up(self, _fhir: Fhir, tx: Tx, job: str) -> None:
        """Fail the Task of a job that was given up because its worker died again and again."""
        run = Run.parse(job)
        task = read_task(tx, run.document)
        if task and tasks.run_of(task) == run and task["status"] not in tasks.FINAL:
            self._fail(tx, run, "too-costly", _GIVEN_UP)
