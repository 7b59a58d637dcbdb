"""The active model, and what an answer tells of a score."""

from pathlib import Path

import orjson

from claims.answer.head import read_head
from claims.answer.response import Written, response
from claims.learn.active import ACTIVE, ActiveModel
from claims.learn.model import write_model
from claims.sheet.read import read_claim
from fhir_profiles.systems import LEARNED_SCORE
from fhir_profiles.validate import check

from .conftest import World


def test_an_active_model_tells_its_score(blind: World, tmp_path: Path) -> None:
    """Without a model an answer says nothing, with one risk, reasons and charge; it is valid, and as grave."""
    active, rules = ActiveModel(tmp_path), blind.scrub.edits.active
    body = orjson.dumps(next(one.claim for one in blind.made if one.planted))
    result = blind.scrub.one(read_claim(body), read_head(body))
    assert active.extensions(result, rules) == [] and active.name() == ""
    (tmp_path / "claims").mkdir()
    write_model(blind.trained.model, tmp_path / "claims" / ACTIVE)
    (found,) = active.extensions(result, rules)
    parts = {part["url"]: part for part in found["extension"]}
    assert found["url"] == LEARNED_SCORE
    assert parts["model"]["valueString"] == active.name() == blind.trained.model.name
    assert 0 < parts["denial-risk"]["valueDecimal"] < 1
    assert parts["charge-outlier"]["valueCode"] in ("high", "low")
    plain, scored = (orjson.loads(response(result, Written("a", "2026-11-22", more, False))) for more in ([], [found]))
    assert check({**scored, "patient": {"display": "-"}, "insurer": {"display": "-"}}) == []
    assert {**plain, "extension": [found]} == scored


def test_a_damaged_model_holds_nothing_up(blind: World, tmp_path: Path) -> None:
    """A model that cannot be read is told in the answer; one that is put in its place is used at once."""
    (tmp_path / "claims").mkdir()
    path = tmp_path / "claims" / ACTIVE
    path.write_bytes(b"{")
    active = ActiveModel(tmp_path)
    body = orjson.dumps(blind.made[0].claim)
    result = blind.scrub.one(read_claim(body), read_head(body))
    (found,) = active.extensions(result, blind.scrub.edits.active)
    assert [part["url"] for part in found["extension"]] == ["not-scored"] and active.name() == "damaged"
    write_model(blind.trained.model, path)
    assert active.name() == blind.trained.model.name


def test_rules_that_are_not_run_are_told(blind: World, tmp_path: Path) -> None:
    """Where rules that a model was learned with are not run, an answer says how many."""
    (tmp_path / "claims").mkdir()
    write_model(blind.trained.model, tmp_path / "claims" / ACTIVE)
    body = orjson.dumps(blind.made[0].claim)
    result = blind.scrub.one(read_claim(body), read_head(body))
    (found,) = ActiveModel(tmp_path).extensions(result, ())
    lacking = [part["valueInteger"] for part in found["extension"] if part["url"] == "rules-lacking"]
    assert lacking == [len(blind.trained.model.rules)]
