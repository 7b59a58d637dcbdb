"""`$figures` over 10,000 documents, four decisions and one scrubbed claim each: `python -m benchmarks.figures`.

CPU of one answer in process, with the caller's reach; resources are as the server writes them. What of a document is
not looked at by figures is left out.
"""

from __future__ import annotations

import argparse
import gc
import random
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fhir_profiles import json
from fhir_profiles.systems import (
    CLAIM_RULE,
    CODING_DECISION,
    CONFIDENCE,
    EDIT_RUN,
    ICD10CM,
    PROVENANCE_PARTICIPANT,
)
from server.access.caller import ANYBODY
from server.app import COLLECTED
from server.interactions import update
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.jobs import tasks
from server.jobs.measured import Stopwatch
from server.jobs.tasks import Run
from server.operations.figures import Figures
from server.operations.house import House
from server.settings import Settings
from server.store import Tx, open_store
from server.store.migrate import migrate

Json = dict[str, Any]
DECISIONS = 4
CODES = ("I10", "E11.9", "J44.1", "N18.31", "M54.50", "Z00.00", "R05.9", "S93.401A")


def document(tx: Tx, fhir: Fhir, number: int, dice: random.Random) -> None:
    """A coded document's Task, its decided Conditions, and the scrub of its claim."""
    at = datetime.now(UTC) - timedelta(minutes=dice.randrange(40_000))
    moment = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    task = tasks.requested(Run(f"d{number}", 1, 1), "a" * 64, moment, {"reference": f"Patient/p{number % 500}"}, None)
    watch = Stopwatch(now=lambda: at.timestamp() + 1)
    watch.enter("pages")
    references = [f"Condition/c{number}-{n}" for n in range(DECISIONS)]
    put(tx, fhir, tasks.completed(task, references, None, moment, watch.measured(task)))
    for n in range(DECISIONS):
        put(tx, fhir, condition(f"c{number}-{n}", number, dice))
        put(tx, fhir, decision(f"v{number}-{n}", f"c{number}-{n}", moment, dice))
    put(tx, fhir, scrub(number, moment, dice))


def put(tx: Tx, fhir: Fhir, resource: Json) -> None:
    """Write a resource that is new."""
    update.put(fhir, tx, resource, "benchmark", new=True)


def condition(id: str, number: int, dice: random.Random) -> Json:
    """A Condition with a confidence."""
    sure = {"url": CONFIDENCE, "valueDecimal": round(dice.random(), 3)}
    return {
        "resourceType": "Condition", "id": id, "subject": {"reference": f"Patient/p{number % 500}"},
        "code": {"coding": [{"extension": [sure], "system": ICD10CM, "code": dice.choice(CODES)}]},
        "note": [{"text": "The stage is an additional code (kidney-stage; I.C.14.a)"}],
    }  # fmt: skip


def decision(id: str, about: str, moment: str, dice: random.Random) -> Json:
    """A coder's decision about it."""
    kind = dice.choices(("accept", "reject", "replace"), (8, 1, 1))[0]
    role = {"coding": [{"system": PROVENANCE_PARTICIPANT, "code": "author"}]}
    return {
        "resourceType": "Provenance", "id": id, "recorded": moment, "target": [{"reference": f"Condition/{about}"}],
        "activity": {"coding": [{"system": CODING_DECISION, "code": kind}]},
        "agent": [{"type": role, "who": {"reference": f"Practitioner/{dice.randrange(8)}"}}],
    }  # fmt: skip


def scrub(number: int, moment: str, dice: random.Random) -> Json:
    """What our edits say of its claim."""
    error = {"code": {"coding": [{"system": CLAIM_RULE, "code": f"R-{dice.randrange(30)}"}]}}
    return {
        "resourceType": "ClaimResponse", "id": f"r{number}", "status": "active", "use": "claim", "outcome": "complete",
        "extension": [{"url": EDIT_RUN, "valueString": "x"}], "created": moment, "insurer": {"display": "P"},
        "type": {"text": "professional"}, "patient": {"reference": f"Patient/p{number % 500}"},
        "request": {"reference": f"Claim/k{number}"}, **({"error": [error]} if dice.random() < 0.2 else {}),
    }  # fmt: skip


def measure(documents: int) -> None:
    """Fill a database and print a line for each area."""
    dice = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), open=True)
        migrate(settings.database_url)
        store = open_store(settings.database_url, create=False)
        fhir = Fhir(store, settings)
        for first in range(0, documents, 200):
            last = min(first + 200, documents)
            store.write_sync(lambda tx, a=first, b=last: [document(tx, fhir, n, dice) for n in range(a, b)])  # type: ignore[misc]
        figures = Figures(fhir, House(fhir))
        gc.collect()
        gc.freeze()  # as the server does
        gc.set_threshold(*COLLECTED)
        for area in ("operations", "quality", "claims"):
            began = time.process_time()
            asked = Request(method="GET", path=("$figures",), query=(("of", area),), caller=ANYBODY, base_url="x")
            told = json.decode(figures.answer(asked).body)
            spent = time.process_time() - began
            print(f"{area}: {spent:.2f} s CPU, {len(told['parameter'])} parameters, {documents} documents")
        store.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=10_000)
    measure(parser.parse_args().documents)
