"""Retrain on invented decisions with a planted drift: `campaigns/learning.py [--documents N] [--seeds N] [--kills N]`.

Alarms are counted on streams with and without a drift. Then a server with a worker in a process of its own, which is
killed again and again, makes a version of its coders' decisions: the better one is promoted after a shadow, one of
wrong labels is not, a roll-back is followed by the worker that runs. Exit code 0 when all of it holds.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from campaigns.furnishing import furnish
from campaigns.retraining.making import DAYS, START, Paper, papers
from campaigns.retraining.server import document, fill, mislabelled, patient
from campaigns.retraining.streams import PLANTED, stream
from extractors.pipeline import Pipeline
from server.access.caller import SYSTEM
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.jobs.bounds import bounds_of
from server.jobs.intake import attach
from server.jobs.stages import Stages
from server.learning import registry, run, watch
from server.learning.drift import Limits, look
from server.settings import Settings
from server.store import Store, open_store

SHADOWED = 12
STEPS = ("", "frozen", "trained", "compared")
TOLD: list[tuple[str, bool]] = []


def main() -> int:
    """Count, kill, compare, print, and say whether all is well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", default=None, help="a PostgreSQL URL of an empty database; SQLite without one")
    parser.add_argument("--data", type=Path, default=Path("var"), help="where the terminology is, or is built")
    options = parser.parse_args()
    _alarms(options.seeds)
    Pipeline.open(options.data)
    with tempfile.TemporaryDirectory() as folder:
        _server(Path(folder), options)
    bad = [name for name, holds in TOLD if not holds]
    print("out of bounds: " + (", ".join(bad) or "nothing"))
    return 1 if bad else 0


def _hold(name: str, holds: bool, found: object) -> None:
    TOLD.append((name, holds))
    print(f"{'yes' if holds else 'NO '}  {name}: {found}", flush=True)


def _alarms(seeds: int) -> None:
    """How often an alarm fires, by what was planted, at 100 documents lately and 150 before."""
    limits = Limits()
    for planted in PLANTED:
        fired = sum(
            bool(look(stream(100, seed, planted), stream(150, seed + 10_000, "none"), limits).alarms)
            for seed in range(seeds)
        )
        share = fired / seeds
        told = f"{fired} of {seeds} looks ({share:.3f})"
        if planted == "none":
            _hold("false alarms at an error of 0.01", share <= 0.03, told)
        else:
            _hold(f"alarms for {planted}", share >= 0.9, told)


class Worker:
    """`fhirwright worker` on slot 0, killed and started again."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._log = folder / "worker.log"
        shared = {
            name: str(getattr(settings, name))
            for name in settings.model_fields_set
            if name.startswith(("learn_", "job_"))
        }
        self._environment = {
            **os.environ, "FHIRWRIGHT_DATABASE": settings.database_url, "FHIRWRIGHT_DATA": str(settings.data),
            "FHIRWRIGHT_WORKER_DOCUMENTS": "1", "FHIRWRIGHT_LOG_FORMAT": "json",
            **{f"FHIRWRIGHT_{name.upper()}": value for name, value in shared.items()},
        }  # fmt: skip
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "server.cli", "worker"]
            return subprocess.Popen(command, env=self._environment, stderr=log)

    def kill(self) -> None:
        """End it as a loss of power would, and start it again."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process = self._start()

    def stop(self) -> None:
        """End it for good."""
        self.process.kill()
        self.process.wait()

    def said(self, words: bytes) -> bool:
        """Whether its log has some words."""
        return words in self._log.read_bytes()


def _server(folder: Path, options: argparse.Namespace) -> None:
    furnish(folder, options.data)
    days = (datetime.now(UTC) - START).days + 1 - DAYS // 2
    settings = Settings(
        data=folder, open=True, database=options.database, learn_documents=100, learn_held=40,
        learn_shadow_documents=SHADOWED, learn_shadow_agreement=0.3, learn_promote="automatic",
        learn_watch_days=max(1, min(365, days)), learn_watch_hours=0, job_attempts=1000,
    )  # fmt: skip
    store = open_store(settings.database_url)
    fhir, stages = Fhir(store, settings), Stages(bounds_of(settings))
    made = list(papers(options.documents, options.seed, "jargon"))
    calm = options.documents // 2
    fill(fhir, stages, made[:calm], options.seed)
    end = START + timedelta(days=DAYS)
    quiet = watch.look_now(Fhir(store, _watching(settings)), (end - timedelta(days=DAYS / 2)).timestamp())
    _hold("no alarm before the jargon", quiet.enough and not quiet.alarms, [one.of for one in quiet.alarms])
    count = fill(fhir, stages, made[calm:], options.seed + 1)
    print(f"{options.documents} documents, {count} decisions in the later half")
    loud = watch.look_now(Fhir(store, _watching(settings)), end.timestamp())
    _hold("an alarm after it", bool(loud.alarms), [one.of for one in loud.alarms])
    intake = attach(fhir, settings)
    worker = Worker(settings, folder)
    try:
        told = _retrained(store, intake.jobs, worker, options)
        if told["verdict"] == "shadow":
            _shadowed(fhir, store, told["version"])
            _rolled_back(fhir, store, told["version"])
    finally:
        worker.stop()
    _hold("no text of a document in the log", not worker.said(b"brackwater"), "searched")
    _worse(folder, stages, options)
    store.close()


def _watching(settings: Settings) -> Settings:
    """The thirty days before a moment against those before them."""
    return settings.model_copy(update={"learn_watch_days": 30})


def _retrained(store: Store, jobs: Any, worker: Worker, options: argparse.Namespace) -> dict[str, Any]:
    """A run, its worker killed so many times in the middle."""
    chance, killed = random.Random(options.seed), 0
    assert store.write_sync(lambda tx: run.begin(tx, jobs, "learn-run-campaign"))
    again = store.write_sync(lambda tx: run.begin(tx, jobs, "learn-run-second"))
    _hold("one run at a time", not again, "a second was refused")
    places: list[str] = []
    for wanted in (step for step in STEPS for _ in range(options.kills // len(STEPS))):
        _until(lambda step=wanted: _reached(store, step) or run.runs(store)[0]["state"] == "ended", 600)
        time.sleep(chance.uniform(0.0, 4.0))
        if run.runs(store)[0]["state"] == "running":
            places.append(next(step for step in reversed(STEPS) if _reached(store, step)) or "its beginning")
            worker.kill()
            killed += 1
    _until(lambda: run.runs(store)[0]["state"] == "ended", 1800)
    found = run.runs(store)[0]
    after = ", ".join(f"{places.count(place)} after {place}" for place in dict.fromkeys(places))
    versions = registry.versions(store)
    _hold(
        "the run ended once, one version", found["state"] == "ended" and len(versions) == 1, f"{killed} kills: {after}"
    )
    _hold("the better is taken up", found.get("verdict") == "shadow", "; ".join(found.get("why", ())))
    for name, figures in versions[0].data["report"]["held_back"]["groups"]["sex"].items():
        print(f"     sex {name}: F1 {figures['champion']['f1']:.4f} → {figures['challenger']['f1']:.4f}")
    return found


def _reached(store: Store, step: str) -> bool:
    """Whether the run has a step on record."""
    sql = "SELECT 1 FROM job_step WHERE job = 'learn-run-campaign' AND step = ?"
    return not step or bool(store.query(sql, (step,)))


def _shadowed(fhir: Fhir, store: Store, version: str) -> None:
    """Live documents, coded by the champion and counted for the challenger, until it takes over."""
    live = list(papers(SHADOWED, 77, "jargon", 0.0))
    for paper in live:
        _hand_in(fhir, paper._replace(name=f"live-{paper.name}"))
    took = _until(lambda: registry.champion(store) == version, 300)
    counts = registry.shadow(store, version)
    told = {name: counts.get(name, 0) for name in ("documents", "accepted by both", "accepted by either")}
    _hold("promoted after the shadow", took is not None and counts["documents"] >= SHADOWED, told)
    names = [_version_of(store, f"live-{paper.name}") for paper in live]
    _hold(
        "the shadow changed nothing",
        set(names) <= {"", version} and names[0] == "",
        f"{names.count('')} by the package",
    )


def _rolled_back(fhir: Fhir, store: Store, version: str) -> None:
    """The worker that runs follows a promotion and a roll-back."""
    paper = next(papers(1, 5, "jargon", 0.0))
    for name, wanted in (("new", version), ("back", ""), ("again", version)):
        if name == "back":
            store.write_sync(lambda tx: registry.roll_back(tx, None, "campaign", "to see"))
        if name == "again":
            store.write_sync(lambda tx: registry.roll_back(tx, version, "campaign", "to see"))
        time.sleep(1.5)  # workers look each second
        _hand_in(fhir, paper._replace(name=f"{name}-x"))
        took = _until(lambda name=name: _version_of(store, f"{name}-x") is not None, 60)
        found = _version_of(store, f"{name}-x")
        _hold(
            f"the running worker codes with {wanted or 'the package'}", found == wanted, f"coded in {took or 0:.1f} s"
        )


def _worse(folder: Path, stages: Stages, options: argparse.Namespace) -> None:
    """A version that learned wrong codes is refused where a good one codes."""
    settings = Settings(
        data=folder, open=True, database=f"sqlite:///{folder / 'worse.db'}", learn_documents=100, learn_held=40,
        learn_shadow_documents=0, learn_promote="automatic",
    )  # fmt: skip
    from server.learning.apart import Here
    from server.learning.bench import Bench, trained
    from server.learning.dataset import split, unpacked

    store = open_store(settings.database_url)
    fhir = Fhir(store, settings)
    fill(fhir, stages, papers(options.documents, options.seed + 5, "jargon"), options.seed + 5)
    bench = Bench(fhir, stages.pipeline)

    class Noisy(Here):
        def train(self, snapshot: str) -> dict[str, bytes]:
            told = bench.told(split(unpacked(registry.file(store, snapshot))).train)
            return trained(mislabelled(told, options.seed), stages.pipeline, "counts")

    good = run.retrain("better", run.Plainly(store), Here(bench, store), settings, store)
    told = run.retrain("worse", run.Plainly(store), Noisy(bench, store), settings, store)
    _hold("the worse is refused", told["verdict"] == "refused", "; ".join(told["why"]))
    _hold("the better one still codes", registry.champion(store) == good["version"], registry.champion(store))
    store.close()


def _hand_in(fhir: Fhir, paper: Paper) -> None:
    for body in (patient(paper), document(paper)):
        request = Request(
            caller=SYSTEM, method="PUT", path=(body["resourceType"], body["id"]), body=orjson.dumps(body), base_url=""
        )
        fhir.handle_sync(request)


def _version_of(store: Store, name: str) -> str | None:
    """Which version coded a document, empty for the package's; None while it is not coded."""
    for (body,) in store.query("SELECT body FROM resource WHERE type = 'Provenance' ORDER BY rid DESC LIMIT 400"):
        found = orjson.loads(bytes(body))
        if any(
            e["what"].get("reference", "").startswith(f"DocumentReference/{name}/") for e in found.get("entity", ())
        ):
            versions = found["contained"][0]["version"]
            return str(versions[1]["value"]) if len(versions) > 1 else ""
    return None


def _until(holds: Callable[[], bool], seconds: float) -> float | None:
    """The seconds until something held; None where it did not."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if holds():
            return time.monotonic() - began
        time.sleep(0.2)
    return None


if __name__ == "__main__":
    sys.exit(main())
