"""Versions, promotion, roll-back and runs that are killed, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles.errors import FhirError
from server.figures.metrics import plain
from server.jobs.engine import Jobs
from server.jobs.schema import prepare
from server.learning import figures, registry, run
from server.learning.dataset import Frozen, freeze
from server.learning.decisions import Verdict, Whole
from server.learning.duty import Duty
from server.learning.serving import Models, Serving
from server.settings import Settings
from server.store import Store
from tests.support.learning import BETTER

FILES = {"learned_model.json": b'{"documents": 1, "seen": {}, "source": "invented"}', "learned_phrases.tsv": b"# x\n"}


class Killed(Exception):
    """The process is gone."""


class Recorded:
    """Steps that are kept as the engine keeps them, in a process that dies at step `at`, before or after its commit."""

    def __init__(self, store: Store) -> None:
        self._store, self.kept, self.at, self.after = store, dict[str, Any](), "", False

    def step(self, name: str, function: Callable[[], Any]) -> Any:
        return self.tx_step(name, lambda tx, value: value, function)

    def tx_step(self, name: str, operation: Callable[..., Any], prepare: Callable[[], Any] | None = None) -> Any:
        if name in self.kept:
            return self.kept[name]
        prepared = () if prepare is None else (prepare(),)
        if name == self.at and not self.after:
            raise Killed
        self.kept[name] = self._store.write_sync(lambda tx: operation(tx, *prepared))
        if name == self.at:
            raise Killed
        return self.kept[name]


class Quick:
    """Stages that take no time."""

    def __init__(self, report: dict[str, Any] = BETTER, files: dict[str, bytes] = FILES) -> None:
        self.report, self.files, self.done = report, files, list[str]()

    def freeze(self) -> Frozen:
        self.done.append("freeze")
        wholes = [
            Whole(f"DocumentReference/{n}", f"Patient/{n}",
                  (("I10", ((0, 1),), Verdict("accept", f"2026-01-01T{n // 60:02d}:{n % 60:02d}:00Z", None, f"p{n}")),))
            for n in range(200)
        ]  # fmt: skip
        return freeze(wholes, 0, str, lambda _: None, b"k" * 32)

    def train(self, snapshot: str) -> dict[str, bytes]:
        self.done.append("train")
        return self.files

    def compare(self, snapshot: str, champion: str, challenger: str) -> dict[str, Any]:
        self.done.append("compare")
        return self.report


def settings_of(tmp_path: Path, **more: Any) -> Settings:
    """Promotion at once and without a person, unless told otherwise."""
    told = {"learn_promote": "automatic", "learn_shadow_documents": 0, "learn_documents": 50, "learn_held": 20, **more}
    return Settings(data=tmp_path, open=True, **told)


def retrain(store: Store, settings: Settings, id: str = "r", doing: Quick | None = None) -> dict[str, Any]:
    return run.retrain(id, run.Plainly(store), doing or Quick(), settings, store)


@pytest.mark.parametrize("after", [False, True])
def test_a_run_that_is_killed_anywhere_ends_once(store: Store, tmp_path: Path, after: bool) -> None:
    """Killed before or after the commit of each step, the run goes on where it was: one version, one change."""
    steps, doing, settings = Recorded(store), Quick(), settings_of(tmp_path)
    steps.after = after
    for steps.at in ("frozen", "trained", "compared", "judged", "tracked"):
        with pytest.raises(Killed):
            run.retrain("r", steps, doing, settings, store)
    steps.at = ""
    assert run.retrain("r", steps, doing, settings, store)["verdict"] == "promoted"
    assert [one.state for one in registry.versions(store)] == ["champion"]
    assert len(registry.history(store)) == 1 and len(run.runs(store)) == 1
    assert doing.done.count("train") == (1 if after else 2)


def test_the_worse_is_refused_and_the_same_is_known(store: Store, tmp_path: Path) -> None:
    """A version that is not better never codes; the same one again is not measured again."""
    worse = {**BETTER, "held_back": {**BETTER["held_back"], "gain": {"f1": -0.1, "low": -0.2, "high": 0.0}}}
    told = retrain(store, settings_of(tmp_path), doing=Quick(worse))
    assert told["verdict"] == "refused" and any("better: no" in why for why in told["why"])
    assert registry.champion(store) == registry.PACKAGE
    assert registry.version(store, told["version"]).data["card"]["verdict"]["better"] is False
    assert retrain(store, settings_of(tmp_path), "again")["verdict"] == "known"


def test_too_little_is_told(store: Store, tmp_path: Path) -> None:
    """Without enough documents nothing is learned."""
    doing = Quick()
    assert retrain(store, settings_of(tmp_path, learn_documents=1000), doing=doing)["verdict"] == "too little"
    assert doing.done == ["freeze"]


def test_workers_follow_promotion_and_roll_back(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who serves sees another champion without a restart, with its files; roll-back leads to any that coded before."""
    monkeypatch.setattr("server.learning.serving.FRESH", 0.0)
    serving, settings = Serving(store, tmp_path), settings_of(tmp_path)
    assert serving.champion() == ""
    first = retrain(store, settings, "1")["version"]
    assert serving.champion() == first
    assert Models(tmp_path, store.cache_key()).get(first).documents == 1
    second = retrain(store, settings, "2", Quick(files={**FILES, "learned_phrases.tsv": b"# y\n"}))["version"]
    assert serving.champion() == second != first
    assert store.write_sync(lambda tx: registry.roll_back(tx, None, "me", "odd")) == first
    assert store.write_sync(lambda tx: registry.roll_back(tx, "package", "me", "odder")) == "package"
    assert serving.champion() == ""
    assert store.write_sync(lambda tx: registry.roll_back(tx, second, "me", "even")) == second
    for name in ("none", second):
        with pytest.raises(FhirError):
            store.write_sync(lambda tx, name=name: registry.roll_back(tx, name, "me", ""))
    assert [one.kind for one in registry.history(store)] == ["rollback"] * 3 + ["promote"] * 2


def test_a_file_that_was_changed_is_not_used(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model is what its hash says or is none: who served goes on with what it had."""
    monkeypatch.setattr("server.learning.serving.FRESH", 0.0)
    serving = Serving(store, tmp_path)
    retrain(store, settings_of(tmp_path))
    store.write_sync(lambda tx: tx.execute("UPDATE learn_file SET body = (SELECT min(body) FROM learn_file)"))
    assert serving.champion() == ""


def test_the_shadow_comes_first(store: Store, tmp_path: Path) -> None:
    """A challenger codes beside the champion; too little in common refuses it, enough promotes it."""
    settings = settings_of(tmp_path, learn_shadow_documents=10)
    told = retrain(store, settings)
    assert told["verdict"] == "shadow" and registry.champion(store) == registry.PACKAGE
    name = told["version"]
    store.write_sync(lambda tx: registry.count(tx, name, {"documents": 9, "accepted by both": 9}))
    assert store.write_sync(lambda tx: run.settle(tx, settings)) is None
    store.write_sync(lambda tx: registry.count(tx, name, {"documents": 1, "accepted by either": 10}))
    assert figures.figures(store)["fhirwright_learning_shadowed"][2] == {"": 10.0}
    duty = Duty(store, Jobs(postgres=store.dialect == "postgresql"), settings)
    duty.tick(0.0)
    queued = "SELECT count(*) FROM {}workflow_status WHERE name = 'learn-agree'"
    assert store.query(queued.format("dbos." if store.dialect == "postgresql" else "")) == [(1,)]
    other = retrain(store, settings, "2", Quick(files={**FILES, "learned_phrases.tsv": b"# y\n"}))["version"]
    measures = {"documents": 10, "accepted by both": 1, "accepted by either": 10}
    store.write_sync(lambda tx: registry.count(tx, other, measures))
    assert store.write_sync(lambda tx: run.settle(tx, settings)) == "refused"
    assert registry.champion(store) == name
    assert plain(figures.figures(store))["fhirwright_learning_champion"][2] == {(name,): 1.0}


def test_of_many_workers_one_begins_a_run(store: Store, database_url: str, tmp_path: Path) -> None:
    """In each period one run is queued over all machines, and none while another is under way."""
    prepare(database_url)
    settings = settings_of(tmp_path, learn_hours=24)
    jobs = Jobs(postgres=store.dialect == "postgresql")
    duties = [Duty(store, jobs, settings) for _ in range(3)]
    for duty in duties:
        duty.tick(86_400.0 * 100)
        duty.tick(86_400.0 * 100 + 60)
    assert len(run.runs(store)) == 1
    Duty(store, jobs, settings).tick(86_400.0 * 101)  # the one before still waits for a worker
    assert len(run.runs(store)) == 1
    store.write_sync(lambda tx: jobs.cancel(tx, run.runs(store)[0]["id"]))
    Duty(store, jobs, settings).tick(86_400.0 * 102)
    assert len(run.runs(store)) == 2
