"""What stands at the end, held against what was acknowledged."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from campaigns.manymachines.load import Told
from server.audit.verify import verify
from server.jobs.tasks import task_id
from server.store import Store

Json = dict[str, Any]
_OURS = ("Observation", "DocumentReference", "Claim")
_BY_DOCUMENT = ("Provenance", "Condition", "MedicationStatement", "Encounter", "Procedure", "Composition")


@dataclass
class Verdict:
    """What is wrong, by kind; and how much was looked at."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)
    events: int = 0
    chain: str = ""
    unfinished: int = 0

    @property
    def sound(self) -> bool:
        """Whether every promise was kept."""
        return not (self.lost or self.doubled or self.unfinished or self.chain)


def unfinished(store: Store, told: Told) -> int:
    """Documents whose Task has not ended."""
    count = 0
    for name in list(told.documents):
        found = store.read("Task", task_id(name))
        count += found is None or json.loads(found.body or b"{}").get("status") not in ("completed", "failed")
    return count


def judge(store: Store, told: Told) -> Verdict:
    """Read everything back."""
    verdict = Verdict(unfinished=unfinished(store, told))
    rows = store.query("SELECT type, id, version, body FROM resource WHERE change <> 'D'")
    found = {f"{kind}/{name}": (int(version), json.loads(bytes(body))) for kind, name, version, body in rows}
    _writes(found, told, verdict)
    _conditional(found, told, verdict)
    _documents(found, told, verdict)
    _claims(found, told, verdict)
    report = verify(store, "")
    verdict.events = report.events
    broken = [one for one in report.findings if one.kind != "checkpoint"]
    verdict.chain = f"{broken[0].kind} at {broken[0].seq}" if broken else ""
    return verdict


def _writes(found: dict[str, tuple[int, Json]], told: Told, verdict: Verdict) -> None:
    for name, (version, value) in told.written.items():
        verdict.checked["writes"] += version
        stands = found.get(name)
        if stands is None or stands[0] < version:
            verdict.lost.append(f"{name} version {version}")
        elif stands[0] > version:
            verdict.doubled.append(f"{name} version {stands[0]} in place of {version}")
        elif not stands[1]["valueString"].endswith(f"-{value}"):
            verdict.lost.append(f"{name} has another value")


def _conditional(found: dict[str, tuple[int, Json]], told: Told, verdict: Verdict) -> None:
    there = Counter(
        one["value"]
        for kind, (_, body) in found.items()
        if kind.startswith("Observation/")
        for one in body.get("identifier", ())
    )
    for value in told.once:
        verdict.checked["conditional creates"] += 1
        if there[value] == 0:
            verdict.lost.append(f"conditional create {value}")
        elif there[value] > 1:
            verdict.doubled.append(f"conditional create {value}: {there[value]}")


def _documents(found: dict[str, tuple[int, Json]], told: Told, verdict: Verdict) -> None:
    named: set[str] = set()
    for name in told.documents:
        verdict.checked["documents"] += 1
        task = found.get(f"Task/{task_id(name)}")
        if f"DocumentReference/{name}" not in found or task is None:
            verdict.lost.append(f"document {name}")
            continue
        if found[f"DocumentReference/{name}"][0] > 1:
            verdict.doubled.append(f"document {name} has {found[f'DocumentReference/{name}'][0]} versions")
        outputs = [one["valueReference"]["reference"] for one in task[1].get("output", ())]
        if task[1]["status"] != "completed" or not outputs:
            verdict.lost.append(f"results of {name}: {task[1]['status']}")
        for reference in outputs:
            named.add(reference)
            if reference not in found:
                verdict.lost.append(f"{reference} of {name}")
            elif found[reference][0] > 1 and not reference.startswith(("Patient/", "Practitioner/", "Organization/")):
                verdict.doubled.append(f"{reference} of {name} has {found[reference][0]} versions")
    for key in found:
        if key.partition("/")[0] in _BY_DOCUMENT and key not in named:
            verdict.doubled.append(f"{key} is no result of any Task")


def _claims(found: dict[str, tuple[int, Json]], told: Told, verdict: Verdict) -> None:
    answers = Counter(
        body.get("request", {}).get("reference", "")
        for key, (_, body) in found.items()
        if key.startswith("ClaimResponse/")
    )
    for name in told.claims:
        verdict.checked["claims"] += 1
        if f"Claim/{name}" not in found:
            verdict.lost.append(f"claim {name}")
        elif answers[f"Claim/{name}"] == 0:
            verdict.lost.append(f"answer to {name}")
        elif answers[f"Claim/{name}"] > 1:
            verdict.doubled.append(f"answers to {name}: {answers[f'Claim/{name}']}")
