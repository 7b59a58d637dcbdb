"""The worker process: takes documents and other jobs from the queues, one live process per slot (https://docs.dbos.dev/python)."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import structlog
from sqlalchemy.engine import make_url

from fhir_profiles.errors import FhirError
from server.jobs import later
from server.jobs.bounds import bounds_of
from server.jobs.children import Children
from server.jobs.engine import APPLICATION, BACKGROUND, BULK, QUEUE, VERSION, Faulted, Interrupted, Steps
from server.jobs.kinds import Kind, Work, patient_write, sweep
from server.jobs.pipeline import Coding
from server.jobs.registered import background_kinds
from server.jobs.schema import prepare, prune, system_url
from server.jobs.slot import Slot
from server.jobs.watch import Watch
from server.learning.duty import Duty
from server.parts import Parts, join
from server.phi.keys import keys_of
from server.settings import Settings
from server.store import open_store
from server.store.migrate import migrate
from server.store.postgres import PROCESS, connecting
from server.subscriptions import events
from server.subscriptions.post import Post
from server.telemetry import spans
from server.telemetry.start import start
from server.telemetry.watching import watch as watch_store

_LOOK_SECONDS = 1.0
_SWEEP_SECONDS = 15.0
_PRUNE_SECONDS = 3600.0
_AHEAD = 2  # documents taken up per process: a short one does not wait for the next look, and others find the rest
_PATIENCE = 5  # how much rarer it is looked for what takes minutes or hours: each look costs the database a question

log = structlog.get_logger("fhirwright.worker")


def run_worker(settings: Settings, slot: int, stop: threading.Event, ready: Callable[[], None] = lambda: None) -> None:
    """Work as `slot` until `stop` is set, then let running documents end within `shutdown_seconds`.

    What is not done by then stays for the next start of the same slot. Raises FhirError BUSY when the slot is taken.
    """
    prepare(settings.direct_url, upgrade=True)
    migrate(settings.direct_url, settings.database_url)
    with Slot(settings.direct_url, slot) as lock:
        store = open_store(settings.database_url, create=False, keys=keys_of(settings))
        telemetry = start(settings, "worker")
        if spans.tracing is not None:
            watch_store(store)
        if store.dialect == "postgresql":
            store.guard(lock.check)
        parts = join(store, settings)
        coding = Coding(
            settings, parts.fhir, parts.intake, Children(bounds_of(settings), _processes(settings), store.cache_key())
        )
        kinds = (coding.kind, *background_kinds())
        coding.children.follow(coding.serving.champion)
        coding.children.warm()
        post, watch = Post(parts.fhir, settings), Watch(settings.direct_url)
        try:
            post.start()
            watch.start()
            _launch(settings, slot, parts, kinds)
            ready()
            log.info("worker.ready", slot=slot, documents=_processes(settings))
            _watch(settings, stop, lock, parts, kinds)
        finally:
            watch.stop()
            post.stop()
            _land(0 if lock.lost() else settings.shutdown_seconds)
            coding.children.close()
            store.close()
            if telemetry is not None:
                telemetry.stop()


def main(settings: Settings, slot: int) -> None:
    """Run until SIGTERM or SIGINT; ends the process itself: a thread in the middle of a step cannot be joined."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run_worker(settings, slot, stop)
    logging.shutdown()
    os._exit(0)


def _processes(settings: Settings) -> int:
    return settings.worker_documents or os.cpu_count() or 1


def _launch(settings: Settings, slot: int, parts: Parts, kinds: Sequence[Kind]) -> None:
    """Start DBOS in this process: no console, no telemetry, no network but the database."""
    _quiet()
    from dbos import DBOS
    from dbos._serialization import DBOSPortableJSON

    more = connecting(make_url(settings.database_url))
    DBOS(
        config={
            "name": APPLICATION,
            "system_database_url": system_url(settings.database_url),
            "executor_id": f"slot-{slot}",
            "application_version": VERSION,
            "serializer": DBOSPortableJSON,
            "enable_otlp": False,
            "log_level": "WARNING",
            "use_listen_notify": False,
            "run_migrations": False,
            "sys_db_pool_size": 8,
            "db_engine_kwargs": {"connect_args": {"application_name": PROCESS, **more}},  # ended with all that is ours
            "sys_db_idle_transaction_timeout_sec": 0.0 if more else 5.0,  # is of a session
            "scheduler_polling_interval_sec": 3600.0,
        }
    )

    for kind in kinds:
        DBOS.workflow(name=kind.name, max_recovery_attempts=settings.job_attempts)(_workflow(settings, parts, kind))
    DBOS.launch()
    jobs, soon = settings.worker_jobs, settings.worker_poll_seconds
    for queue, most, seconds in (
        (QUEUE, _processes(settings) * _AHEAD, soon), (BACKGROUND, jobs, soon), (BULK, jobs, soon * _PATIENCE)
    ):  # fmt: skip
        DBOS.register_queue(
            queue,
            worker_concurrency=most,
            polling_interval_sec=seconds,
            on_conflict="always_update",
        )


def _workflow(settings: Settings, parts: Parts, kind: Kind) -> Callable[..., Any]:
    """What DBOS runs for a job of a kind."""
    jobs = parts.intake.jobs
    steps = Steps(jobs, patient_write(parts.fhir.store), parts.fhir.store.sealing)

    def run(*arguments: Any) -> Any:
        from dbos import DBOS

        try:
            return kind.run(Work(str(DBOS.workflow_id), arguments, parts.fhir, parts.operations, settings, jobs, steps))
        except Interrupted:
            return "cancelled"
        except (FhirError, Faulted):
            raise
        except Exception as error:
            raise Faulted(type(error).__name__) from None

    run.__name__ = run.__qualname__ = kind.name
    return run


def _watch(settings: Settings, stop: threading.Event, lock: Slot, parts: Parts, kinds: Sequence[Kind]) -> None:
    """Stand by while threads work: fail what was given up, forget old records, leave when the slot is lost."""
    swept = pruned = -_PRUNE_SECONDS
    duty = Duty(parts.fhir.store, parts.intake.jobs, settings)
    while not stop.wait(_LOOK_SECONDS if swept > 0 else 0.01):
        if lock.lost():
            log.error("worker.slot-lost")
            return
        if time.monotonic() - swept < _SWEEP_SECONDS:
            continue
        swept = time.monotonic()
        with suppress(FhirError):  # the database is away; the next look comes soon
            sweep(parts.fhir, kinds)
            duty.tick()
            if swept - pruned > _PRUNE_SECONDS:
                prune(parts.fhir.store, settings.job_keep_days)
                later.prune(parts.fhir.store, parts.intake.jobs)
                events.prune(parts.fhir, settings.subscription_keep_days)
                pruned = swept


def _land(seconds: int) -> None:
    from dbos import DBOS

    DBOS.destroy(workflow_completion_timeout_sec=seconds)


class _Place(logging.Handler):
    """Tells where DBOS had something to say and which error it was; its texts may quote what it worked on."""

    def emit(self, record: logging.LogRecord) -> None:
        error: Any = record.exc_info[0] if record.exc_info else None
        kind = error.__name__ if error else None
        log.log(record.levelno, "worker.dbos", place=f"{record.module}:{record.lineno}", error=kind)


def _quiet() -> None:
    logger = logging.getLogger("dbos")
    logger.handlers = [_Place()]  # DBOS adds its console only where there is no handler
    logger.propagate = False
