"""What `fhirwright doctor` asks of the work: workers, the queue, what failed, what lies in quarantine."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import orjson

from server.cli.findings import Wrong, opened
from server.settings import Settings
from server.store import Store

OLDEST_WAITING = 600.0
NEWEST_FAILED = 500
"""How many Tasks that failed are looked at."""

_STATUS = (
    "SELECT count(*), min(created_at) FROM {}workflow_status WHERE queue_name = 'documents' AND status = 'ENQUEUED'"
)
_RUNNING = (
    "SELECT executor_id, min(started_at_epoch_ms) FROM {}workflow_status"
    " WHERE status = 'PENDING' AND queue_name = 'documents' GROUP BY executor_id"
)


def _schema(store: Store) -> str:
    return "dbos." if store.dialect == "postgresql" else ""


def live_slots(store: Store, settings: Settings) -> set[str]:
    """The slots, as DBOS calls them, that a process has now."""
    if store.dialect == "postgresql":
        rows = store.query(
            "SELECT l.name FROM lease l WHERE l.holder <> '' AND l.name >= 'worker-' AND l.name < 'worker.'"
            " AND EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.application_name = l.holder)"
        )
        return {f"slot-{name.removeprefix('worker-')}" for (name,) in rows}
    database = Path(settings.database_url.removeprefix("sqlite:///"))
    found = {
        path.name.rpartition("worker-")[2].removesuffix(".lock")
        for path in database.parent.glob(f"{database.name}.worker-*.lock")
        if _is_locked(path)
    }
    return {f"slot-{number}" for number in found}


def _is_locked(path: Path) -> bool:
    import fcntl

    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def slots(settings: Settings) -> str:
    """Whether somebody works while documents wait, and each slot that began something is alive."""
    with opened(settings) as store:
        live = live_slots(store, settings)
        [(waiting, _)] = store.query(_STATUS.format(_schema(store)))
        begun = {str(name) for name, _ in store.query(_RUNNING.format(_schema(store)))}
    if left := sorted(begun - live):
        raise Wrong(
            f"No process has {', '.join(left)}, which left documents half done.",
            "On SQLite they wait for that slot; on PostgreSQL others take over within seconds when one is alive.",
            f"Start it again: `fhirwright worker --slot {left[0].removeprefix('slot-')}`.",
        )
    if waiting and not live - {"slot-10000"}:
        raise Wrong(
            f"{waiting} documents wait and no worker is alive.",
            "Nothing is coded.",
            "Start one: `fhirwright worker --slot 0`, or `fhirwright serve --worker`.",
        )
    return f"{len(live - {'slot-10000'})} workers alive"


def queue(settings: Settings) -> str:
    """How many documents wait, and for how long."""
    with opened(settings) as store:
        [(waiting, oldest)] = store.query(_STATUS.format(_schema(store)))
        running = [at for _, at in store.query(_RUNNING.format(_schema(store))) if at]
    age = time.time() - oldest / 1000 if oldest else 0.0
    if age > OLDEST_WAITING:
        raise Wrong(
            f"{waiting} documents wait, the oldest for {age / 60:.0f} min.",
            "Results come late; a queue that is full refuses documents.",
            "Add a worker with another --slot; `fhirwright plan` tells how many the load needs.",
        )
    stuck = time.time() - min(running) / 1000 if running else 0.0
    if stuck > 3 * settings.document_seconds + 60:
        raise Wrong(
            f"A document has been at work for {stuck / 60:.0f} min.",
            "No document may take so long: its worker hangs, or is gone.",
            "Restart that worker; what it had begun is taken up again.",
        )
    return f"{waiting} documents wait, the oldest for {age:.0f} s"


def failed(settings: Settings) -> str:
    """Documents that failed, by reason."""
    from fhir_profiles.systems import ISSUE_TYPE, TASK_STAGE
    from server.store.keys import param_key, system_key

    sql = (
        "SELECT r.type, r.id FROM resource r JOIN idx_token t ON t.rid = r.rid"
        " WHERE t.param = ? AND t.system = ? AND t.code = ? AND r.type = 'Task' AND r.change <> 'D'"
        " ORDER BY r.updated DESC LIMIT ?"
    )
    with opened(settings) as store:
        place = param_key("Task", "business-status"), system_key(TASK_STAGE)
        rows = store.query(sql, (*place, "failed", NEWEST_FAILED))
        found = [one.body for row in rows if (one := store.read(row[0], row[1])) is not None]
    reasons = Counter(
        code["code"]
        for body in found
        for code in (orjson.loads(body).get("statusReason") or {}).get("coding") or ()
        if code.get("system") == ISSUE_TYPE
    )
    if reasons:
        told = ", ".join(f"{count} {code}" for code, count in sorted(reasons.items()))
        raise Wrong(
            f"Documents that failed: {told}.",
            "They are not coded, and nobody is paid for them.",
            "`GET Task?business-status=failed` tells each reason; mend it, then `POST Task/ID/$retry`.",
        )
    return "none failed"


def quarantine(settings: Settings) -> str:
    """What came by other doors and could not be used."""
    with opened(settings) as store:
        rows = store.query(
            "SELECT door, reason, count(*) FROM arrival WHERE state = 'quarantined' GROUP BY door, reason"
        )
    if rows:
        told = ", ".join(f"{count} {reason} ({door.partition(':')[0]})" for door, reason, count in sorted(rows))
        raise Wrong(
            f"Messages lie in quarantine: {told}.",
            "They were acknowledged and have no effect until somebody decides.",
            "`fhirwright doors list`, then `fhirwright doors retry` or `discard`.",
        )
    return "empty"
