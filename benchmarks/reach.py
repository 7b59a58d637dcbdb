"""What reach costs a read: CPU time of reads by callers of every kind, without HTTP (`python -m benchmarks.reach`)."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from server.access.caller import ANYBODY, Caller
from server.access.grants import read_scopes
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.settings import Settings
from server.store import open_store

READS, ROUNDS = 2_000, 5
FILTER = "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"


def callers() -> dict[str, Caller]:
    """One of each kind, all of whom may read the resource."""
    role = read_scopes(["user/*.cruds"])
    return {
        "the server itself": ANYBODY,
        "a service with system/*.rs": Caller(who="s", grants=read_scopes(["system/*.rs"])),
        "a clinician with user/*.rs": Caller(who="u", grants=read_scopes(["user/*.rs"]), role=role),
        "a patient's app with patient/*.rs": Caller(who="p", grants=read_scopes(["patient/*.rs"]), patient="A"),
        "the same with a filter": Caller(who="f", grants=read_scopes([FILTER]), patient="A"),
    }


def measure() -> dict[str, float]:
    """Microseconds of CPU that a read costs, by caller: the best of ROUNDS, on SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'reach.db'}")
        try:
            fhir = Fhir(store, Settings(data=Path(folder), open=True))
            _fill(fhir)
            found = {name: float("inf") for name in callers()}
            for _ in range(ROUNDS):
                for name, caller in callers().items():
                    found[name] = min(found[name], _round(fhir, caller))
            return found
        finally:
            store.close()


def _fill(fhir: Fhir) -> None:
    category = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}
    one = {
        "resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "x"},
        "category": [{"coding": [category]}], "subject": {"reference": "Patient/A"},
    }  # fmt: skip
    for made in ({"resourceType": "Patient", "id": "A"}, one):
        path = (str(made["resourceType"]), str(made["id"]))
        fhir.handle_sync(Request(method="PUT", path=path, body=json.dumps(made).encode(), caller=ANYBODY))


def _round(fhir: Fhir, caller: Caller) -> float:
    asked = Request(method="GET", path=("Observation", "o"), caller=caller)
    began = time.process_time()
    for _ in range(READS):
        fhir.handle_sync(asked)
    return (time.process_time() - began) / READS * 1e6


def main() -> None:
    """Print it."""
    found = measure()
    whole = found["the server itself"]
    for name, microseconds in found.items():
        print(f"{name:36} {microseconds:7.1f} us a read  {microseconds - whole:+7.1f} us")


if __name__ == "__main__":
    main()
