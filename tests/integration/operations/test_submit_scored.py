"""`Claim/$submit` with a model that was learned: it tells a score, and decides nothing."""

from __future__ import annotations

import asyncio
import json

import orjson
import pytest

from campaigns.claiming.learning import made
from claims.answer.scrub import Scrub
from claims.learn.active import active_path
from claims.learn.model import write_model
from claims.learn.train import Source, decided, read_claims, train
from claims.tables.own import own_tables
from fhir_profiles.systems import LEARNED_SCORE
from fhir_profiles.validate import check
from server.interactions.fhir import Fhir
from server.operations import claims
from tests.conftest import make_request


def test_a_score_stands_beside_the_findings(fhir: Fhir) -> None:
    """With an active model the answer is a new one with risk, reasons and charge; all else is as without."""
    pytest.importorskip("sklearn", reason="the extra `learned` is not installed")
    ones, scrub = list(made(600, 8)), Scrub.over(own_tables())
    read = read_claims((Source(orjson.dumps(one.claim)) for one in ones), scrub)
    model = train(read, decided(orjson.dumps(one.response) for one in ones), scrub, "2026-11-22").model
    (operation,) = (one for one in claims.operations(fhir) if one.name == "submit")

    def submit() -> dict[str, object]:
        request = make_request("POST", "Claim/$submit", ones[0].claim)
        return json.loads(asyncio.run(operation.handler(request)).body)  # type: ignore[arg-type]

    plain = submit()
    path = active_path(fhir.settings.data)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_model(model, path)
    scored = submit()
    assert check(scored) == [] and scored["id"] != plain["id"]
    found = [one for one in scored["extension"] if one["url"] == LEARNED_SCORE]  # type: ignore[attr-defined]
    assert [part["url"] for part in found[0]["extension"]][:3] == ["model", "denial-risk", "reason"]
    same = set(plain) - {"id", "meta", "identifier", "created", "extension"}
    assert {name: plain[name] for name in same} == {name: scored[name] for name in same}
    path.write_bytes(b"{")
    assert submit()["outcome"] == plain["outcome"]
