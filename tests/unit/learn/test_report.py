"""What an evaluation measures beside codes, its tables, and the page it writes."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from extractors.learn import Row
from extractors.learn.corpus import Marked
from extractors.learn.gauges import assertions, rules
from extractors.learn.report import calibration_plot
from extractors.learn.tables import error_tables
from extractors.learn.values import values
from extractors.pipeline import Pipeline
from server.cli.main import run

NEGEX = {"text": "There is no edema.", "gold": {"span": [12, 17], "negation": "Negated", "temporality": "Recent"}}
RULE = {"id": "r1", "text": "Hypertension.", "setting": "outpatient", "expected": ["I10"], "first_listed": "I10"}
VALUE = {"id": "v1", "text": "HR 88", "gold": {"query": "hr", "values": [["hr", 88, None, "STR_EQUAL"]]}}
CODED = {"id": "d1", "split": "dev", "text": "Hypertension. Fever.", "gold": {"icd10cm": ["I10"]}}


def test_each_gauge_counts_right_and_wrong(pipeline: Pipeline) -> None:
    """Assertion, rules and values tell what was solved, and the ids of what was not."""
    assert assertions([NEGEX])["negated"] == {"p": 1.0, "r": 1.0, "f1": 1.0}
    assert rules([RULE, {**RULE, "id": "r2", "forbidden": ["I10"]}], pipeline)["failed"] == ["r2"]
    assert values([VALUE, {**VALUE, "id": "v2", "text": "HR 89"}]) == {"right": 1, "cases": 2, "failed": ["v2"]}


def test_errors_are_told_by_rule_and_evidence_by_character(pipeline: Pipeline) -> None:
    """A right code counts for its rule and section; marked words are held against the words that proved it."""
    row = Row("1", "dev", "Assessment: Hypertension.", frozenset({"I10"}), (Marked("I10", ((12, 24),)),))
    tables = error_tables(None, [row], pipeline, "guidelines")
    assert sum(t["right"] for t in tables["by_rule"].values()) == 1
    assert tables["evidence_overlap"]["touched"] == 1


def test_the_picture_is_an_image_with_a_circle_for_each_bin() -> None:
    """The plot is well-formed SVG."""
    bins = [{"from": 0.0, "codes": 4, "said": 0.05, "right": 0.1}, {"from": 0.9, "codes": 9, "said": 0.95, "right": 1}]
    tree = ElementTree.fromstring(calibration_plot(bins, "x"))
    assert len(tree.findall("{http://www.w3.org/2000/svg}circle")) == 2


def test_eval_writes_a_report(tmp_path: Path, built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file of the directory is measured; the page, the figures and the pictures stand in OUT."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for name, line in (("icd10cm_codiesp", CODED), ("assertion_negex", NEGEX), ("coding_rules", RULE)):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(line) + "\n", "utf-8")
    out = tmp_path / "out"
    assert run(["eval", "--corpus", str(tmp_path), "--out", str(out), "--data", str(built)]) == 0
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert report["rules"]["right"] == 1 and report["codes"]["guidelines"]["exact"]["r"] == 1.0
    assert "## Codes, convention `mentions`" in (out / "report.md").read_text("utf-8")
    assert (out / "calibration-guidelines.svg").is_file()


def test_eval_without_a_corpus_is_refused(tmp_path: Path, built: Path) -> None:
    """An empty directory is no corpus."""
    assert run(["eval", "--corpus", str(tmp_path), "--out", str(tmp_path / "o"), "--data", str(built)]) == 5


def test_train_wants_enough_documents_and_their_origin(tmp_path: Path, built: Path) -> None:
    """Without an attribution the command line is wrong; one document teaches nothing."""
    path = tmp_path / "icd10cm_codiesp.jsonl"
    path.write_text(json.dumps({**CODED, "split": "train"}) + "\n", "utf-8")
    arguments = ["train", "--corpus", str(tmp_path), "--out", str(tmp_path / "m"), "--data", str(built)]
    assert run(arguments) == 2
    assert run([*arguments, "--source", "Ours"]) in (4, 5)
    assert not (tmp_path / "m").exists()
