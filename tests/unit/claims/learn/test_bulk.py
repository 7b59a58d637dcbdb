"""Scores in a run over a file of claims."""

from pathlib import Path

import orjson
import polars as pl
import pytest

from claims.answer.head import read_head
from claims.answer.scrub import Scrub
from claims.learn.model import write_model
from claims.learn.score import FRAME, Scorer
from claims.run.job import Job
from claims.run.run import run
from claims.sheet.read import read_claim
from claims.sheet.values import day
from fhir_profiles.errors import FhirError

from .conftest import World

ON = "2027-06-01"


def test_a_run_writes_scores_beside_findings(blind: World, tmp_path: Path) -> None:
    """Each claim has a row with the score that it has alone, by line; answers and findings are as without a model."""
    bodies = [orjson.dumps(one.claim) for one in blind.made[:30]]
    file, model = tmp_path / "c.ndjson", tmp_path / "m.json"
    file.write_bytes(b"\n".join([bodies[0], b"none", *bodies[1:]]))
    write_model(blind.trained.model, model)
    run(Job(file, tmp_path / "out", tmp_path, None, ON, model=model))
    run(Job(file, tmp_path / "plain", tmp_path, None, ON))
    found = pl.read_parquet(tmp_path / "out" / "scores" / "*.parquet")
    assert found.columns == ["line", "claim", *(name for name in FRAME if name != "row")]
    assert found["line"].to_list() == [1, *range(3, 32)]
    scrub, scorer = Scrub.open(tmp_path), Scorer(blind.trained.model)
    heads, records = [read_head(body) for body in bodies], [read_claim(body, 0, None, day(ON)) for body in bodies]
    alone = scorer.of_results([scrub.one(record, head) for record, head in zip(records, heads, strict=True)])
    assert found["denial_risk"].to_list() == [one.risk for one in alone]
    assert found["denial_reasons"].to_list() == [[reason.text for reason in one.reasons] for one in alone]
    assert found["charge_line"].to_list() == [one.charge.line if one.charge else None for one in alone]
    for kind in ("findings", "prices", "responses", "rejected"):
        (one,), (other,) = ((tmp_path / out / kind).iterdir() for out in ("out", "plain"))
        assert one.read_bytes() == other.read_bytes()
    assert not (tmp_path / "plain" / "scores").exists()
    assert orjson.loads((tmp_path / "out" / "summary.json").read_bytes())["model"] == blind.trained.model.digest
    with pytest.raises(FhirError, match="model"):
        run(Job(file, tmp_path / "out", tmp_path, None, ON))
