"""CPU of reads, searches and creates with encryption off and on, without HTTP: `python -m benchmarks.encryption`.

SQLite, one thread; the two take turns, so that a busy machine burdens both. Figures are medians in CPU microseconds.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.store import observation
from server.access.caller import ANYBODY
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.phi.keys import Keys
from server.settings import Settings
from server.store import open_store

PATIENTS, EACH, ROUNDS, AT_ONCE = 200, 10, 9, 300
WHOLE_READ, ALLOWED = 82.0, 0.3
"""CPU microseconds of a read over HTTP (docs/results/bench.md), and how much of them encryption may add."""


def _filled(folder: Path, keys: Keys | None) -> Fhir:
    """A store with observations of many patients."""
    store = open_store(f"sqlite:///{folder / ('sealed.db' if keys else 'clear.db')}", keys=keys)
    fhir = Fhir(store, Settings(data=folder, open=True, validation="off"))
    for n in range(PATIENTS):
        patient = {"resourceType": "Patient", "id": f"p{n}", "name": [{"family": f"Family{n}", "given": ["Ann"]}]}
        _ask(fhir, "PUT", ("Patient", f"p{n}"), body=json.dumps(patient).encode())
        for m in range(EACH):
            body = {**json.loads(observation(n)), "id": f"o{n}-{m}", "note": [{"text": "as measured " * 100}]}
            _ask(fhir, "PUT", ("Observation", f"o{n}-{m}"), body=json.dumps(body).encode())
    return fhir


def _ask(
    fhir: Fhir, method: str, path: tuple[str, ...], query: tuple[tuple[str, str], ...] = (), body: bytes = b""
) -> None:
    asked = Request(method=method, path=path, query=query, body=body, base_url="http://test/fhir", caller=ANYBODY)
    fhir.handle_sync(asked)


def _cpu(act: Callable[[int], None], times: int) -> float:
    begin = time.thread_time()
    for n in range(times):
        act(n)
    return (time.thread_time() - begin) / times * 1e6


def main() -> int:
    """Print each figure; 1 when a read costs more than it may."""
    with tempfile.TemporaryDirectory() as folder:
        sides = [_filled(Path(folder), None), _filled(Path(folder), Keys(lambda: {1: bytes(range(32))}))]
        acts: dict[str, Callable[[Fhir], Callable[[int], None]]] = {
            "read": lambda fhir: lambda n: _ask(fhir, "GET", ("Observation", f"o{n % PATIENTS}-{n % EACH}")),
            "search of 10": lambda fhir: (
                lambda n: _ask(fhir, "GET", ("Observation",), (("subject", f"Patient/p{n % PATIENTS}"),))
            ),
            "search by name": lambda fhir: (
                lambda n: _ask(fhir, "GET", ("Patient",), (("family", f"family{n % PATIENTS}"), ("_count", "5")))
            ),
        }
        dear = False
        for name, act in acts.items():
            found: list[list[float]] = [[], []]
            for _ in range(ROUNDS):
                for side, fhir in enumerate(sides):
                    found[side].append(_cpu(act(fhir), AT_ONCE))
            off, on = (statistics.median(side) for side in found)
            dear = dear or (name == "read" and on - off > ALLOWED * WHOLE_READ)
            print(f"{name:16} off {off:7.1f} us  on {on:7.1f} us  {on / off - 1:+.0%}")
        for fhir in sides:
            fhir.store.close()
    return int(dear)


if __name__ == "__main__":
    raise SystemExit(main())
