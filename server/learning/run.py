"""A run of retraining as a durable job: freeze → train → compare → judge, each step kept; killed, it goes on there.

https://docs.dbos.dev/python/tutorials/workflow-tutorial
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import structlog

from fhir_profiles.errors import Category, FhirError
from server.interactions.fhir import Fhir
from server.jobs.engine import BULK, Interrupted, Jobs, State
from server.jobs.kinds import Kind, Work
from server.learning import registry
from server.learning.agree import told as told_mlflow
from server.learning.apart import Stages
from server.learning.card import card
from server.learning.dataset import Frozen, split, unpacked
from server.learning.rule import judge, reasons
from server.settings import Settings
from server.store import Store, Tx
from server.store.texts import View

log = structlog.get_logger("fhirwright.learning")
WHO = "fhirwright learn"


class Steps(Protocol):
    """How steps are kept: by the engine of jobs, or not at all."""

    def step(self, name: str, function: Callable[[], Any]) -> Any:
        """The value of a function, run at least once."""

    def tx_step(self, name: str, operation: Callable[..., Any], prepare: Callable[[], Any] | None = None) -> Any:
        """The value of `operation(tx)`, or `operation(tx, prepare())`, exactly once."""


class Doing(Protocol):
    """What does the long stages."""

    def freeze(self) -> Frozen:
        """The decisions as they stand."""

    def train(self, snapshot: str) -> dict[str, bytes]:
        """The files of a version."""

    def compare(self, snapshot: str, champion: str, challenger: str) -> dict[str, Any]:
        """The report of two versions."""


class Plainly:
    """Steps that nothing keeps: a run in one's own process."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def step(self, _name: str, function: Callable[[], Any]) -> Any:
        """Its value."""
        return function()

    def tx_step(self, _name: str, operation: Callable[..., Any], prepare: Callable[[], Any] | None = None) -> Any:
        """Its value, after the commit."""
        prepared = () if prepare is None else (prepare(),)
        return self._store.write_sync(lambda tx: operation(tx, *prepared))


def retrain(id: str, steps: Steps, doing: Doing, settings: Settings, view: View) -> dict[str, Any]:
    """One run; what came of it: `verdict` is `too little`, `known`, `refused`, `shadow`, `ready` or `promoted`."""

    def frozen(tx: Tx, made: Frozen) -> dict[str, Any]:
        parts = split(made)
        told = {"snapshot": registry.put_file(tx, made.packed()), "train": len(parts.train), "held": len(parts.held)}
        return _noted(tx, id, told | {"documents": len(made.cases)})

    told: dict[str, Any] = steps.tx_step("frozen", frozen, doing.freeze)
    if told["train"] < settings.learn_documents or told["held"] < settings.learn_held:
        why = f"{told['train']} documents to learn from, {told['held']} to measure with"
        return _over(steps, id, {"verdict": "too little", "why": [why]})
    snapshot = told["snapshot"]

    def trained(tx: Tx, files: Mapping[str, bytes]) -> dict[str, Any]:
        name = registry.name_of(files)
        before = registry.version(tx, name)
        if before is None or before.state == "candidate":
            registry.put_version(tx, files, {"snapshot": snapshot, "run": id, "parent": registry.champion(tx)})
        told = {"version": name, "champion": registry.champion(tx)}
        return told | {"known": before is not None and before.state != "candidate"}

    made: dict[str, Any] = steps.tx_step("trained", trained, lambda: doing.train(snapshot))
    if made["known"]:
        return _over(steps, id, {"verdict": "known", "version": made["version"], "why": ["It was measured before."]})
    name, champion = made["version"], made["champion"]

    def compared(tx: Tx, report: dict[str, Any]) -> None:
        registry.note(tx, name, report=report, champion=champion)

    steps.tx_step("compared", compared, lambda: doing.compare(snapshot, champion, name))
    told = steps.tx_step("judged", lambda tx: _judged(tx, id, name, settings))
    log.info("learning.judged", version=name, verdict=told["verdict"])
    steps.step("tracked", lambda: told_mlflow(view))
    return told


def _judged(tx: Tx, id: str, name: str, settings: Settings) -> dict[str, Any]:
    """Hold the report to the rule, write the card, and say what becomes of the version."""
    tx.lock(registry.LOCK)
    kept = registry.known(tx, name).data
    judged = judge(kept["report"], settings)
    frozen = unpacked(registry.file(tx, kept["snapshot"]))
    model = json.loads(registry.file(tx, kept["files"]["learned_model.json"]))
    told = card(name, frozen, kept["report"], judged, kept["files"], model["source"])
    why = reasons(judged)
    state: registry.State = "refused"
    if all(one.holds for one in judged):
        state = "shadow" if settings.learn_shadow_documents else "ready"
        if kept["champion"] != registry.champion(tx):
            state, why = "refused", [*why, "another version was promoted meanwhile"]
    for other in registry.versions(tx):
        if state != "refused" and other.state in ("shadow", "ready"):
            registry.note(tx, other.id, "retired")  # the newer one takes its place
    registry.note(tx, name, state, card=told, why=why)
    verdict: str = state
    if state == "ready" and settings.learn_promote == "automatic":
        registry.promote(tx, name, WHO, "better on later decisions")
        verdict = "promoted"
    ended = {"verdict": verdict, "version": name, "why": why}
    return _noted(tx, id, ended, "ended")


def settle(tx: Tx, settings: Settings) -> str | None:
    """End the shadow of a version that has coded enough documents: `ready`, `promoted` or `refused`; None before."""
    tx.lock(registry.LOCK)
    found = registry.challenger(tx)
    if found is None:
        return None
    counts = registry.shadow(tx, found.id)
    if counts.get("documents", 0) < settings.learn_shadow_documents:
        return None
    both, either = counts.get("accepted by both", 0), counts.get("accepted by either", 0)
    alike = both / either if either else 1.0
    why = [*found.data.get("why", ()), f"in the shadow: {alike:.3f} of accepted codes in common"]
    if alike < settings.learn_shadow_agreement:
        registry.note(tx, found.id, "refused", why=why, shadow=counts)
        return "refused"
    registry.note(tx, found.id, "ready", why=why, shadow=counts)
    if settings.learn_promote == "manual":
        return "ready"
    registry.promote(tx, found.id, WHO, "better on later decisions, and the shadow agreed")
    return "promoted"


def begin(tx: Tx, jobs: Jobs, id: str) -> bool:
    """Queue a run; False where it was queued before, or while another one runs anywhere."""
    tx.lock(registry.LOCK)
    for other, state in tx.query("SELECT id, state FROM learn_run WHERE id = ? OR state = 'running'", (id,)):
        if other == id or (state == "running" and jobs.status(tx, other) in (State.QUEUED, State.RUNNING)):
            return False
    tx.execute("INSERT INTO learn_run (id, at, state, data) VALUES (?, ?, 'running', '{}')", (id, tx.now // 1000))
    jobs.enqueue(tx, KIND.job(id))
    return True


def runs(view: View) -> list[dict[str, Any]]:
    """Every run, the newest first."""
    rows = view.query("SELECT id, at, state, data FROM learn_run ORDER BY at DESC, id LIMIT 1000")
    return [{"id": id, "at": at, "state": state, **json.loads(data)} for id, at, state, data in rows]


def _over(steps: Steps, id: str, told: dict[str, Any]) -> dict[str, Any]:
    ended: dict[str, Any] = steps.tx_step("ended", lambda tx: _noted(tx, id, told, "ended"))
    log.info("learning.judged", verdict=told["verdict"])
    return ended


def _noted(tx: Tx, id: str, told: dict[str, Any], state: str = "running") -> dict[str, Any]:
    """Tell of a run; a run that nobody queued begins with it."""
    rows = tx.query("SELECT data FROM learn_run WHERE id = ?", (id,))
    data = json.dumps({**(json.loads(rows[0][0]) if rows else {}), **told})
    if rows:
        tx.execute("UPDATE learn_run SET state = ?, data = ? WHERE id = ?", (state, data, id))
    else:
        row = (id, tx.now // 1000, state, data)
        tx.execute("INSERT INTO learn_run (id, at, state, data) VALUES (?, ?, ?, ?)", row)
    return told


def _run(work: Work) -> str:
    try:
        told = retrain(work.id, work, Stages(work.settings), work.settings, work.fhir.store)
    except Interrupted:
        work.fhir.store.write_sync(lambda tx: _noted(tx, work.id, {"verdict": "cancelled"}, "ended"))
        raise
    return str(told["verdict"])


def _given_up(_fhir: Fhir, tx: Tx, job: str) -> None:
    _noted(tx, job, {"verdict": "failed", "why": ["A stage failed: see the log of the worker."]}, "ended")


def id_now(now: float) -> str:
    """The id of a run that somebody asked for."""
    return "learn-run-" + hashlib.sha256(f"{now}{os.getpid()}".encode()).hexdigest()[:12]


def refuse_second(begun: bool) -> None:
    """FhirError CONFLICT where a run could not begin."""
    if not begun:
        raise FhirError.of(Category.CONFLICT, "conflict", "A run is under way. Wait for it: fhirwright learn history.")


KIND = Kind("learn-run", _run, BULK, _given_up)
