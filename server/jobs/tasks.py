"""The Task that shows how far a document is (https://hl7.org/fhir/R4/task.html): one per DocumentReference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid5

from fhir_profiles.systems import DOCUMENT_JOB, ISSUE_TYPE, TASK_CODE, TASK_STAGE
from server.jobs.measured import requested_at

_SPACE: Final = UUID("5b0c7a36-6d0f-5a55-8f7e-0d8f0f6a5c11")
FINAL: Final = frozenset({"completed", "failed", "cancelled"})

STAGES: Final = {
    "received": "Received, waiting for a worker",
    "pages": "Reading pages",
    "findings": "Finding what the text says",
    "codes": "Choosing codes",
    "emitted": "Coded, results stored",
    "failed": "Failed",
    "cancelled": "Cancelled",
}


@dataclass(frozen=True, slots=True)
class Run:
    """One run over one version of a document; `attempt` counts retries from 1."""

    document: str
    version: int
    attempt: int

    @property
    def id(self) -> str:
        """The job's id, which is the Task's identifier too."""
        return f"{self.document}/{self.version}/{self.attempt}"

    @classmethod
    def parse(cls, text: str) -> Run:
        """The run that `id` named."""
        document, version, attempt = text.split("/")
        return cls(document, int(version), int(attempt))


def task_id(document: str) -> str:
    """The id of a document's Task, known before it exists."""
    return str(uuid5(_SPACE, document))


def run_of(task: Mapping[str, Any]) -> Run | None:
    """The run that the Task shows; None when it is not a Task of ours."""
    for identifier in task.get("identifier") or ():
        if identifier.get("system") == DOCUMENT_JOB:
            return Run.parse(identifier["value"])
    return None


def fingerprint_of(task: Mapping[str, Any]) -> str | None:
    """The fingerprint of what the Task's run reads."""
    for given in task.get("input") or ():
        if given["type"].get("text") == "fingerprint":
            return str(given["valueString"])
    return None


def trace_of(task: Mapping[str, Any]) -> str:
    """The `traceparent` of the request that the Task's run follows from; empty where that was not traced."""
    given = (one for one in task.get("input") or () if one["type"].get("text") == "traceparent")
    return next((str(one.get("valueString", "")) for one in given), "")


def outputs_of(task: Mapping[str, Any]) -> list[str]:
    """References to what the last finished run emitted."""
    return [given["valueReference"]["reference"] for given in task.get("output") or ()]


def requested(
    run: Run, fingerprint: str, now: str, subject: Mapping[str, Any] | None, before: Mapping[str, Any] | None,
    trace: str = "",
) -> dict[str, Any]:  # fmt: skip
    """The Task of a run that waits; the outputs of the run `before` stay until this one replaces them."""
    task: dict[str, Any] = {
        "resourceType": "Task",
        "id": task_id(run.document),
        "extension": requested_at(now),
        "identifier": [{"system": DOCUMENT_JOB, "value": run.id}],
        "status": "requested",
        "businessStatus": _stage("received"),
        "intent": "order",
        "code": {"coding": [{"system": TASK_CODE, "code": "code-document", "display": "Code a document"}]},
        "focus": {"reference": f"DocumentReference/{run.document}"},
        "authoredOn": (before or {}).get("authoredOn", now),
        "lastModified": now,
        "input": [{"type": {"text": "fingerprint"}, "valueString": fingerprint}],
    }
    if trace:
        task["input"].append({"type": {"text": "traceparent"}, "valueString": trace})
    reference = (subject or {}).get("reference", "")
    if reference and not reference.startswith("#"):  # what the document contains is not the Task's to point at
        task["for"] = {"reference": reference}
    if before and before.get("output"):
        task["output"] = before["output"]
    return task


def moved(task: Mapping[str, Any], stage: str, now: str, detail: str = "") -> dict[str, Any]:
    """The Task while its run is at `stage`; `detail`, as 3/10, says how far in it."""
    period = dict(task.get("executionPeriod") or {"start": now})
    at = _stage(stage) | ({"text": f"{STAGES[stage]}: {detail}"} if detail else {})
    return _with(task, "in-progress", stage, now, executionPeriod=period, businessStatus=at)


def ended(
    task: Mapping[str, Any], status: str, now: str, *, code: str = "", reason: str = "", at: str = "",
    measured: Mapping[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The Task that `failed` or was `cancelled`: the reason for a person, its issue type, the stage `at` the end."""
    period = {**(task.get("executionPeriod") or {}), "end": now}
    why: dict[str, Any] = {"coding": [{"system": ISSUE_TYPE, "code": code}]} if code else {}
    why["text"] = reason
    if at and code:  # where a person looks for it stands that it failed; the figures ask at which stage
        why["coding"].append({"system": TASK_STAGE, "code": at, "display": STAGES[at]})
    return _with(task, status, status, now, executionPeriod=period, statusReason=why, **(measured or {}))


def completed(
    task: Mapping[str, Any], references: Sequence[str], patient: str | None, now: str,
    measured: Mapping[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The Task whose results stand under `references`, with the extensions that tell what the run `measured`."""
    period = {**(task.get("executionPeriod") or {}), "end": now}
    output = [{"type": {"text": r.partition("/")[0]}, "valueReference": {"reference": r}} for r in references]
    done = _with(task, "completed", "emitted", now, executionPeriod=period, output=output, **(measured or {}))
    if not output:
        del done["output"]
    if patient and "for" not in done:
        done["for"] = {"reference": patient}
    return done


def _with(task: Mapping[str, Any], status: str, stage: str, now: str, **changes: Any) -> dict[str, Any]:
    kept = {key: value for key, value in task.items() if key not in ("meta", "statusReason")}
    return {**kept, "status": status, "businessStatus": _stage(stage), "lastModified": now, **changes}


def _stage(code: str) -> dict[str, Any]:
    return {"coding": [{"system": TASK_STAGE, "code": code, "display": STAGES[code]}]}
