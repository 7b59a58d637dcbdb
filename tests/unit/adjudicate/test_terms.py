"""Budget, breaker and dialect, as arithmetic."""

from __future__ import annotations

import pytest

from extractors.adjudicate.breaker import Breaker
from extractors.adjudicate.budget import DOLLAR, Cost, Price, believed, cost_of, most_usage
from extractors.adjudicate.dialect import Dialect, unknown_parameter
from extractors.adjudicate.model import Question, Usage

NAMES = ("temperature", "max_tokens", "strict", "response_format")
QUESTION = Question("adjudicate-1", "system", "user" * 100, {"type": "object"})


def test_money_is_whole() -> None:
    """2.50 dollars for a million tokens sent and 10 answered: 1,000 and 200 tokens are 0.45 cents."""
    assert cost_of(Usage(1000, 200), Price.of(2.5, 10.0)) == Cost(1200, DOLLAR * 45 // 10_000)
    assert Price.of(0.0000001, 0).sent == 1  # a price is never rounded to nothing


def test_a_budget_counts_tokens_and_money() -> None:
    """Either of the two is enough to be over."""
    assert Cost(5, 5).within(Cost(5, 5))
    assert not Cost(6, 0).within(Cost(5, 5)) and not Cost(0, 6).within(Cost(5, 5))


def test_what_is_set_aside_is_more_than_prose_takes() -> None:
    """A token for each two bytes and the longest answer."""
    assert most_usage(QUESTION, 500, schema=100) == Usage((6 + 400 + 100) // 2 + 64, 500)


@pytest.mark.parametrize("told", [Usage(0, 0), Usage(-(10**9), -5), Usage(1, 1)])
def test_an_endpoint_cannot_make_questions_free(told: Usage) -> None:
    """Reports of nothing or less are charged with an eighth of what was set aside; none at all with all of it."""
    assert believed(told, Usage(800, 500)) == Usage(100, 1)
    assert believed(None, Usage(800, 500)) == Usage(800, 500)
    assert believed(Usage(700, 90), Usage(800, 500)) == Usage(700, 90)


def test_the_breaker_opens_rests_tries_and_closes() -> None:
    """Three failures open it; after the rest one tries; a failed trial opens it again, an answer closes it."""
    breaker = Breaker()
    for _ in range(3):
        assert breaker.enter(0.0, 5.0) is not None
        breaker = breaker.failed(0.0, most=3, seconds=10.0)
    assert breaker.state(9.9) == "open" and breaker.enter(9.9, 5.0) is None
    assert breaker.state(10.0) == "half-open"
    trial = breaker.enter(10.0, 5.0)
    assert trial is not None and trial.enter(12.0, 5.0) is None  # one at a time
    assert trial.enter(15.0, 5.0) is not None  # whose process was killed
    again = trial.failed(11.0, most=3, seconds=10.0)
    assert again.state(20.9) == "open" and again.state(21.0) == "half-open"
    assert trial.succeeded() == Breaker()


def test_an_answer_forgets_failures() -> None:
    """Only failures in a row open the breaker."""
    breaker = Breaker().failed(0.0, most=2, seconds=9.0).succeeded().failed(0.0, most=2, seconds=9.0)
    assert breaker.state(0.0) == "closed"


def test_a_dialect_gives_way_parameter_by_parameter() -> None:
    """Each refusal changes one thing, and no row of refusals is endless."""
    dialect: Dialect | None = Dialect()
    for parameter in NAMES:
        assert dialect is not None
        dialect = dialect.without(parameter, fixed=False)
    assert dialect is not None
    body = dialect.body(QUESTION, "m", 10)
    assert "response_format" not in body and "temperature" not in body and body["max_completion_tokens"] == 10
    assert body["tool_choice"]["function"]["name"] == body["tools"][0]["function"]["name"]
    assert "strict" not in body["tools"][0]["function"]
    assert all(
        dialect.without(p, fixed=False) is None for p in ("temperature", "max_tokens", "strict", "response_format")
    )
    assert Dialect().without("response_format", fixed=True) is None


@pytest.mark.parametrize(
    ("told", "parameter"),
    [
        ({"error": {"message": "no", "param": "response_format"}}, "response_format"),
        ({"message": "Unsupported parameter: 'max_tokens'", "param": "max_tokens"}, "max_tokens"),
        ({"error": {"message": "'json_schema' is not supported"}}, "response_format"),
        ({"error": "temperature does not support 0 with this model"}, "temperature"),
        ({"error": {"message": "model not found"}}, None),
        ("busy", None),
        (None, None),
    ],
)
def test_a_refusal_names_the_parameter(told: object, parameter: str | None) -> None:
    """By its field, else by its words."""
    assert unknown_parameter(told) == parameter
