"""What is learned of claims whose truth is known."""

import random
from itertools import pairwise

import numpy as np
import orjson
import pytest

from campaigns.claiming.learning import effects, made
from claims.answer.head import read_head
from claims.answer.scrub import Scrub
from claims.learn.features import NAMES
from claims.learn.measure import auc, ece
from claims.learn.score import Scorer
from claims.learn.train import Source, decided, read_claims, train
from claims.price.price import Prices
from claims.sheet.frames import frames
from claims.sheet.read import read_claim
from claims.tables.own import own_tables
from fhir_profiles.errors import FhirError

from .conftest import World


def _later(world: World) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(true probability, whether denied, score) of the later claims."""
    answers = list(decided(orjson.dumps(one.response) for one in world.made))
    rows = world.later
    truth = np.array([world.made[n].truth for n in rows])
    return truth, np.array([answers[n].denied for n in rows]), np.array([world.scores[n].risk for n in rows])


def test_ranks_later_claims_nearly_as_well_as_the_truth_itself(learned: World) -> None:
    """The AUC lies within 0.04 of that of the true probabilities, and above the baseline's."""
    truth, denied, score = _later(learned)
    assert auc(denied, score) > auc(denied, truth) - 0.04
    report = learned.trained.report
    assert report["model"]["auc"][0] > report["baseline"]["auc"][0] + 0.05
    assert report["model"]["auc"][1] <= report["model"]["auc"][0] <= report["model"]["auc"][2]


def test_what_it_says_is_about_as_often_true(learned: World) -> None:
    """The expected calibration error on later claims is at most 0.08, and the risk lies near the true probability."""
    truth, denied, score = _later(learned)
    assert ece(denied, score) < 0.08
    assert np.abs(score - truth).mean() < 0.12


def test_learns_nothing_where_there_is_nothing_to_learn(blind: World) -> None:
    """Denied by a coin, the AUC on later claims is about one half: no feature knows the answer."""
    _, denied, score = _later(blind)
    assert 0.4 < auc(denied, score) < 0.6
    assert ece(denied, score) < 0.1


def test_reasons_name_what_drives_a_denial(learned: World) -> None:
    """Of later claims with one strong cause, its feature is among the reasons and raises the risk in nine of ten."""
    told = seen = 0
    for row in learned.later:
        strong = [name for name, effect in effects(learned.made[row].claim).items() if effect >= 2]
        if len(strong) == 1:
            seen += 1
            told += any(one.feature == strong[0] and one.adds > 0 for one in learned.scores[row].reasons)
    assert seen > 50
    assert told / seen > 0.9
    assert "days to filing" in list(learned.trained.report["features"])[:3]


def test_base_reasons_and_rest_are_the_sum(learned: World) -> None:
    """What is told of a score adds up to it, and the greater sum has the greater risk."""
    for one in learned.scores[:500]:
        assert one.margin is not None and one.base is not None
        assert one.base + sum(reason.adds for reason in one.reasons) + one.rest == pytest.approx(one.margin, abs=1e-9)
    ordered = sorted((one.margin, one.risk) for one in learned.scores)
    assert all(a[1] <= b[1] for a, b in pairwise(ordered))


def test_planted_charges_are_found(learned: World) -> None:
    """Of charges eight times too high or low at least 95 % are found, and at least 95 % of those found are planted."""
    planted = {(row, one.planted) for row, one in enumerate(learned.made) if one.planted}
    found = {(row, one.charge.line) for row, one in enumerate(learned.scores) if one.charge and one.charge.direction}
    assert len(planted) > 50
    assert len(planted & found) / len(planted) >= 0.95
    assert len(planted & found) / len(found) >= 0.95
    one = next(s.charge for s in learned.scores if s.charge and s.charge.direction == "high")
    assert "times the median of" in one.text and one.times > 5


def test_one_claim_scores_as_among_many_and_out_of_frames(learned: World) -> None:
    """Alone, in a batch and out of frames a claim has the same score, to the last digit, every time."""
    scorer, scrub = Scorer(learned.trained.model), learned.scrub
    bodies = [orjson.dumps(one.claim) for one in learned.made[:40]]
    records = [read_claim(body, row) for row, body in enumerate(bodies)]
    many = scrub.many(records, [read_head(body) for body in bodies])
    together = scorer.of_results(many.results)
    alone = [scorer.of_results([scrub.one(read_claim(body), read_head(body))])[0] for body in bodies]
    assert together == alone
    sheet = frames(records)
    prices = Prices(own_tables()).of_frames(sheet)
    found = scorer.of_frames(sheet, scrub.edits.active, scrub.edits.of_frames(sheet), prices)
    assert found["denial_risk"].to_list() == [one.risk for one in together]
    assert found["charge_far"].to_list() == [one.charge.far if one.charge else None for one in together]


def test_the_same_claims_make_the_same_model(blind: World) -> None:
    """Learning again gives the same bytes."""
    again = train(blind.read, decided(orjson.dumps(one.response) for one in blind.made), blind.scrub, "2026-11-22")
    assert again.model.digest == blind.trained.model.digest


def test_nothing_that_is_known_only_afterwards_moves_a_score(learned: World) -> None:
    """An answer, a payment or a status that stands in the claim changes nothing."""
    scorer, scrub = Scorer(learned.trained.model), learned.scrub
    claim = orjson.loads(orjson.dumps(learned.made[0].claim))
    before = orjson.dumps(claim)
    answer = {**learned.made[0].response, "id": "answer"}
    claim["contained"].append(answer)
    claim["insurance"][0]["claimResponse"] = {"reference": "#answer"}
    claim["status"] = "cancelled"
    after = orjson.dumps(claim)
    scores = [scorer.of_results([scrub.one(read_claim(body), read_head(body))])[0] for body in (before, after)]
    assert scores[0] == scores[1]


def test_too_few_decisions_are_refused_in_words() -> None:
    """With 200 claims nothing is learned, and it is told how many are needed."""
    pytest.importorskip("sklearn", reason="the extra `learned` is not installed")
    ones, scrub = list(made(200, 3)), Scrub.over(own_tables())
    read = read_claims((Source(orjson.dumps(one.claim)) for one in ones), scrub)
    with pytest.raises(FhirError, match="at least 500 are needed"):
        train(read, decided(orjson.dumps(one.response) for one in ones), scrub, "2026-11-22")


def test_charges_alone_need_no_decisions() -> None:
    """Without answers of payers charges are learned, and a claim says why it has no risk."""
    ones, scrub = list(made(120, 4)), Scrub.over(own_tables())
    read = read_claims((Source(orjson.dumps(one.claim)) for one in ones), scrub)
    trained = train(read, None, scrub, "2026-11-22")
    score = Scorer(trained.model).scores(read.table)[0]
    assert score.risk is None and "without decisions" in score.why
    assert score.charge is not None


def test_learning_says_when_scikit_learn_is_not_there(blind: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra a model is not made and it is told what to install; scoring goes on."""
    monkeypatch.setattr("claims.learn.fit.find_spec", lambda _name: None)
    with pytest.raises(FhirError, match=r"fhirwright\[learned\]"):
        train(blind.read, [], blind.scrub, "2026-11-22")
    assert Scorer(blind.trained.model).scores(blind.read.table)[0].risk is not None


def test_nobody_can_be_read_out_of_a_model(learned: World) -> None:
    """No name, number, address or day of birth stands in a model, nor do the numbers of payers and providers."""
    body = learned.trained.model.body
    claims = random.Random(1).sample(learned.made, 300)
    for one in claims:
        patient, organisation, _, payer, coverage = one.claim["contained"]
        address = patient["address"][0]
        told = [
            patient["name"][0]["family"], patient["birthDate"], address["line"][0], address["city"],
            coverage["subscriberId"], one.claim["identifier"][0]["value"], organisation["identifier"][0]["value"],
            payer["identifier"][0]["value"],
        ]  # fmt: skip
        assert not [text for text in told if f'"{text}'.encode() in body]


def test_a_code_that_is_none_leaves_no_trace() -> None:
    """What people type in place of codes is not learned, however often it stands there."""
    ones, scrub = list(made(200, 5)), Scrub.over(own_tables())
    for one in ones:
        for item in one.claim["item"]:
            item["productOrService"]["coding"][0]["code"] = "ROBIN DOE"
        one.claim["diagnosis"][0]["diagnosisCodeableConcept"]["coding"][0]["code"] = "MRN123"
    claims = (Source(orjson.dumps(one.claim)) for one in (*ones, *made(200, 6)))
    body = train(read_claims(claims, scrub), None, scrub, "2026-11-22").model.body
    assert b"ROBIN" not in body and b"MRN123" not in body


def test_features_are_not_about_persons() -> None:
    """No feature is a name, a number, an address or a day; of the age there is only a band."""
    words = {word for name in NAMES for word in name.lower().replace(",", "").split()}
    assert not words & {"name", "family name", "zip", "npi", "ssn", "birth date", "member", "gender", "race", "state"}
    assert [name for name in NAMES if "age" in name.split()] == ["age band"]
