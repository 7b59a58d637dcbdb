"""A run end to end on invented documents with a planted jargon: alarm, promotion, the same bytes again, roll-back."""

from __future__ import annotations

import dataclasses
import hashlib
import shlex
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from typer.testing import CliRunner

from campaigns.retraining.making import DAYS, START, fixed, papers
from campaigns.retraining.server import document, fill, mislabelled
from extractors.pipeline import Pipeline
from server.cli.learn import learn
from server.interactions.fhir import Fhir
from server.jobs.bounds import bounds_of
from server.jobs.stages import Stages
from server.learning import registry, run, watch
from server.learning.apart import Here
from server.learning.bench import Bench, trained
from server.learning.dataset import split, unpacked
from server.learning.serving import Serving
from server.settings import Settings
from server.store import open_store

ROOT = Path(__file__).parents[3]
END = (START + timedelta(days=DAYS)).timestamp()


@dataclasses.dataclass
class House:
    """A server whose documents were decided on, with the jargon in the later half."""

    fhir: Fhir
    stages: Stages
    told: dict[str, Any]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, furnish: Callable[[Path], Path]) -> Iterator[House]:
    data = furnish(tmp_path_factory.mktemp("learning") / "var")
    settings = Settings(
        data=data, open=True, learn_documents=30, learn_held=10, learn_shadow_documents=0, learn_promote="automatic",
        learn_watch_days=60, learn_watch_documents=20, learn_slower=100.0,
    )  # fmt: skip
    store = open_store(settings.database_url)
    fhir, stages = Fhir(store, settings), Stages(bounds_of(settings))
    fill(fhir, stages, papers(70, 4, "jargon"), 4)
    here = Here(Bench(fhir, stages.pipeline), store)
    found = watch.look_now(fhir, END)
    told = run.retrain("r", run.Plainly(store), here, settings, store)
    yield House(fhir, stages, {**told, "look": found})
    store.close()


def command(house: House, *arguments: object) -> Any:
    """`fhirwright learn …` on the house's data."""
    return CliRunner().invoke(learn, [*map(str, arguments), "--data", str(house.fhir.settings.data)])


def test_the_drift_raises_an_alarm_and_the_better_model_is_promoted(house: House) -> None:
    """The jargon shows in what coders add, and the version that learned it takes over with its reasons and its card."""
    assert "decision" in {one.of for one in house.told["look"].alarms}
    assert house.told["verdict"] == "promoted", house.told["why"]
    data = registry.known(house.fhir.store, house.told["version"]).data
    assert data["report"]["held_back"]["gain"]["low"] > 0.1
    assert "brackwater" not in orjson.dumps(data).decode()
    assert "## Fairness" in command(house, "card").stdout


def test_each_suggestion_says_which_version_it_is_of(house: House) -> None:
    """The version stands in the Provenance's Device; rolled back, the package's codes again, with its old answer."""
    store, paper = house.fhir.store, next(papers(1, 99, "jargon", 0.0))

    def coded() -> tuple[set[str], list[Any]]:
        serving = Serving(store, house.fhir.settings.data)
        around = orjson.dumps({**document(paper), "content": [{"attachment": {"contentType": "text/plain"}}]})
        arguments = [paper.text.encode(), around, "2026-09-01T00:00:00Z"]
        bundle = orjson.loads(house.stages.run("bundle", arguments, serving.champion()))
        resources = [entry["resource"] for entry in bundle["entry"]]
        codes = {r["code"]["coding"][0]["code"] for r in resources if r["resourceType"] == "Condition"}
        (provenance,) = [r for r in resources if r["resourceType"] == "Provenance"]
        return codes, [v["value"] for v in provenance["contained"][0]["version"]][1:]

    jargon = set(paper.truth) & {"J84.10", "K76.0", "M35.3"}
    codes, versions = coded()
    assert jargon <= codes and versions == [house.told["version"]]
    assert command(house, "rollback", "--why", "to see").exit_code == 0
    codes, versions = coded()
    assert not jargon & codes and versions == []
    refused = command(house, "promote", house.told["version"])
    assert refused.exit_code == 1  # it is retired: only --force, or a roll-back to it
    assert command(house, "rollback", house.told["version"]).exit_code == 0
    assert coded()[1] == [house.told["version"]]
    assert "rollback package" in command(house, "history").stderr


def test_the_stages_of_dvc_give_the_same_bytes(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands of dvc.yaml make the very files that the run made, and its figures."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FHIRWRIGHT_DATA", str(house.fhir.settings.data))
    monkeypatch.setattr(Pipeline, "open", lambda *_, **__: house.stages.pipeline)  # seconds for each command
    pipeline = yaml.safe_load((ROOT / "docs/examples/learn/dvc.yaml").read_text())
    version = house.told["version"]
    for stage in pipeline["stages"].values():
        words = shlex.split(stage["cmd"].replace("${version}", version))
        assert words[:2] == ["fhirwright", "learn"]
        result = CliRunner().invoke(learn, words[2:])
        assert result.exit_code == 0, result.output
        for made in (*stage.get("outs", ()), *stage.get("metrics", ())):
            name = made if isinstance(made, str) else next(iter(made))
            assert Path(name).exists(), name
    data = registry.known(house.fhir.store, version).data
    assert (tmp_path / "dataset/dataset.jsonl").stat().st_mode & 0o077 == 0
    assert (tmp_path / "dataset/.gitignore").read_text() == "*\n"  # texts of patients are for no repository
    for name, hash_ in data["files"].items():
        assert hashlib.sha256((tmp_path / "model" / name).read_bytes()).hexdigest() == hash_
    report = orjson.loads((tmp_path / "report/report.json").read_bytes())
    assert report["held_back"] == data["report"]["held_back"] and "times_slower" not in report


def test_a_model_of_wrong_labels_is_refused(house: House) -> None:
    """Documents most of whose codes are wrong make a worse version, and the rule says so."""
    bench, store = Bench(house.fhir, house.stages.pipeline), house.fhir.store

    class Noisy(Here):
        def train(self, snapshot: str) -> dict[str, bytes]:
            told = bench.told(split(unpacked(registry.file(store, snapshot))).train)
            return trained(mislabelled(told, 1), house.stages.pipeline, "counts")

    told = run.retrain("worse", run.Plainly(store), Noisy(bench, store), house.fhir.settings, store)
    assert told["verdict"] == "refused"
    assert registry.champion(store) != told["version"]


def test_the_fixed_documents_are_those_that_were_made() -> None:
    """The file of fixed documents is what `campaigns.retraining.making.fixed` writes: invented, nobody's."""
    assert (ROOT / "server/learning/data/fixed.jsonl").read_text() == "".join(fixed())
