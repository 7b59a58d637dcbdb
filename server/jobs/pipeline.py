"""The life of a document: received → pages → findings → codes → emitted, or failed with what to do about it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from typing import Any, Final

import orjson
import structlog

from fhir_profiles.errors import FhirError
from server.access.caller import server_as
from server.adjudication.durable import adjudicate, told_of
from server.adjudication.opening import open_court
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.jobs import tasks, unaided
from server.jobs.attachments import read_attachment
from server.jobs.binary import binary_data
from server.jobs.cache import ContentCache
from server.jobs.children import FAULT, Children, Failure
from server.jobs.corrections import packed_of
from server.jobs.decided import keep_decided
from server.jobs.engine import QUEUE, Interrupted, Steps
from server.jobs.intake import WHO, WORKFLOW, Intake, moment, read_task
from server.jobs.kinds import Kind, patient_write
from server.jobs.measured import Stopwatch, asked_of, reading_key
from server.jobs.results import references, replaced
from server.jobs.shown import pages_key
from server.jobs.tasks import Run
from server.learning import registry
from server.learning.serving import Serving
from server.review.unaided import marked
from server.settings import Settings
from server.store import Tx
from server.telemetry import spans

log = structlog.get_logger("fhirwright.worker")
_CALLER = server_as(WHO)
_QUIET_SECONDS = 0.25  # a Task does not move more often than this while its document is read
_PAGE_SECONDS = 2.0  # nor does it tell of another page
_GIVEN_UP = (
    "The worker died each time it read this document. Send it in parts or at less resolution, then retry the Task."
)
Outcome = dict[str, Any]  # {"key": …} or {"failed": [code, text]}: what a step's record may hold


class Coding:
    """The workflow and what it works with; only its ends touch the store, the stages run in child processes."""

    NAME: Final = WORKFLOW

    def __init__(self, settings: Settings, fhir: Fhir, intake: Intake, children: Children) -> None:
        self._settings = settings
        self.serving = Serving(fhir.store, settings.data)
        self._store = fhir.store
        self._fhir = fhir
        self._intake = intake
        self._wait_and_write = patient_write(fhir.store)
        self._steps = Steps(self._intake.jobs, self._write, fhir.store.sealing)
        self.children = children
        self._court = open_court(settings)
        self._cache = ContentCache(settings.data / "cache", settings.cache_bytes, fhir.store.cache_key())

    @property
    def kind(self) -> Kind:
        """The coding of a document as a kind of job."""
        return Kind(self.NAME, lambda work: self.run(*work.arguments), QUEUE, self.given_up)

    def run(self, document: str, version: int, attempt: int) -> str:
        """One run; the state that its Task ends in."""
        run = Run(document, version, attempt)
        with self._traced(run) as span:
            ended = self._run(run)
            span.set(fhirwright__outcome=ended, fhirwright__attempt=attempt)
            if ended == "failed":
                span.fail()
        return ended

    def _traced(self, run: Run) -> AbstractContextManager[spans.Span]:
        """A span below the request that the run follows from, whoever took that and however often it is begun."""
        if spans.tracing is None:
            return spans.nothing()
        stored = self._store.read("Task", tasks.task_id(run.document))
        task = orjson.loads(stored.body) if stored is not None and not stored.deleted else {}
        parent = spans.read_parent(tasks.trace_of(task)) if tasks.run_of(task) == run else ""
        asked = asked_of(task) if parent else None
        if asked is not None:
            began = int(datetime.fromisoformat(asked).timestamp() * 1e9)
            spans.past("queue.wait", began, time.time_ns(), parent=parent)
        return spans.span("document", kind="consumer", parent=parent)

    def _run(self, run: Run) -> str:
        watch = Stopwatch()
        try:
            done = self._stages(run, watch)
            if "failed" in done:
                code, text = done["failed"]
                self._steps.tx_step("failed", lambda tx: self._fail(tx, run, code, text, watch))
        except Interrupted:
            return "cancelled"
        log.info("document.done", outcome=done.get("failed", ["emitted"])[0])
        return "failed" if "failed" in done else "completed"

    def _stages(self, run: Run, watch: Stopwatch) -> Outcome:
        move = self._mover(run, watch)
        watch.enter("pages")
        pages: Outcome = self._steps.step("pages", lambda: self._staged("pages", self._read, run, move))
        if "failed" in pages:
            return pages
        watch.enter("findings")
        coded: Outcome = self._steps.step("codes", lambda: self._staged("codes", self._code, run, move, pages["key"]))
        if "failed" in coded:
            return coded
        kept = self._cache.get(coded["key"])
        if kept is None:  # the cache has forgotten it between the steps: the same stages give the same again
            coded = self._outcome(self._code, run, move, pages["key"])
            if "failed" in coded:
                return coded
            kept = self._cache.get(coded["key"]) or b""
        watch.enter("emitted")
        read = self._cache.get(reading_key(pages["key"]))
        with spans.span("stage", attributes={"fhirwright.stage": "emitted"}) as span:
            done: Outcome = self._steps.tx_step("emitted", lambda tx: self._emit(tx, run, kept, watch, read))
            span.set(fhirwright__resources=done.get("emitted"))
        if "failed" not in done and (challenger := self.serving.challenger()):
            self._shadow(challenger, pages["key"])
        return done

    def _shadow(self, challenger: str, pages: str) -> None:
        """Count how another version would have coded the document, which is done: what fails here fails nothing."""
        try:
            counts = self.children.run("shadow", pages, challenger)
            if counts:
                self._steps.tx_step("shadow", lambda tx: registry.count(tx, challenger, counts))
        except Failure as failure:
            log.warning("learning.shadow-failed", code=failure.code)

    def _staged(self, name: str, stage: Callable[..., str], *arguments: Any) -> Outcome:
        """A stage as a step of the job, with a span of its own each time it runs."""
        with spans.span("stage", attributes={"fhirwright.stage": name}) as span:
            done = self._outcome(stage, *arguments)
            if "failed" in done:
                span.fail()
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
        read = Request(method="GET", path=path, caller=_CALLER)
        found: dict[str, Any] = orjson.loads(self._fhir.handle_sync(read).body)
        return found

    def _read(self, run: Run, move: Callable[[str], None]) -> str:
        document = self._document(run)
        fetch = partial(binary_data, self._fhir)
        data = read_attachment(document, self._settings.base_url, fetch, self._settings.document_bytes)
        key: str = self.children.run("read", data, packed_of(document), progress=move)
        self._cache.put(pages_key(document), key.encode())  # for whoever asks what the pages say
        return key

    def _code(self, run: Run, move: Callable[[str], None], pages: str) -> str:
        document = self._document(run)
        for content in document["content"]:
            content["attachment"].pop("data", None)
        key = self._bundle(pages, document, move)
        if key is None:  # the cache has forgotten the pages
            key = self._bundle(self._read(run, move), document, move)
        if key is None:
            raise Failure(
                "exception", "The cache in the data directory cannot be written. Make room, then retry the Task."
            )
        return key

    def _bundle(self, pages: str, document: dict[str, Any], move: Callable[[str], None]) -> str | None:
        """The key of the Bundle, by the rules alone or with a language model; None when the pages are lost."""
        if self._court is None:
            key: str | None = self.children.run("code", pages, orjson.dumps(document), progress=move)
            return key
        told = told_of(self._court, self._fhir, _CALLER, document)
        return adjudicate(self._court, self.children, told, pages, document, move)

    def _emit(self, tx: Tx, run: Run, bundle: bytes, watch: Stopwatch, read: bytes | None) -> Outcome:
        """Store the results, with what coders decided about those of a run before, and close the Task."""
        task = self._task(tx, run)
        kept: list[str] = []
        parting = unaided.part(tx, run.document, bundle)
        bundle = parting.open if parting else bundle
        if tasks.outputs_of(task):
            bundle, kept = keep_decided(self._fhir, tx, _CALLER, run.document, bundle)
        answer = self._fhir.handle_in(tx, Request(method="POST", body=bundle, prefer="return=minimal", caller=_CALLER))
        now = list(dict.fromkeys([*references(answer.body), *kept]))
        for reference in replaced(run.document, tasks.outputs_of(task), now):
            self._fhir.handle_in(tx, Request(method="DELETE", path=tuple(reference.split("/")), caller=_CALLER))
        patient = next((reference for reference in now if reference.startswith("Patient/")), None)
        measured = watch.measured(task, read)
        done = tasks.completed(task, now, patient, moment(tx), measured)
        if parting and parting.apart:
            unaided.keep(tx, run.document, parting.apart, (done.get("for") or {}).get("reference"))
        self._intake.put(tx, marked(done) if parting else done)
        return {"emitted": len(now)}

    def _fail(self, tx: Tx, run: Run, code: str, text: str, watch: Stopwatch | None = None) -> None:
        task = self._task(tx, run)
        told: dict[str, Any] = {"at": watch.stage, "measured": watch.measured(task)} if watch else {}
        self._intake.put(tx, tasks.ended(task, "failed", moment(tx), code=code, reason=text, **told))

    def _task(self, tx: Tx, run: Run) -> dict[str, Any]:
        task = read_task(tx, run.document)
        if task is None or tasks.run_of(task) != run:
            raise Interrupted
        return task

    def _move(self, tx: Tx, run: Run, stage: str, detail: str) -> None:
        self._intake.put(tx, tasks.moved(self._task(tx, run), stage, moment(tx), detail))

    def _mover(self, run: Run, watch: Stopwatch) -> Callable[[str], None]:
        """Moves the Task to a stage, but not for each blink of a short document."""
        moved, stands = time.monotonic(), ""

        def move(told: str) -> None:
            nonlocal moved, stands
            stage, _, detail = told.partition(" ")
            watch.enter(stage)
            quiet = _PAGE_SECONDS if stage == stands else 0.0 if stage == "pages" else _QUIET_SECONDS
            if (stage == stands and not detail) or time.monotonic() - moved < quiet:
                return
            moved, stands = time.monotonic(), stage
            with contextlib.suppress(Interrupted, FhirError):  # showing it is not worth failing for
                self._store.write_sync(lambda tx: self._move(tx, run, stage, detail))

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
