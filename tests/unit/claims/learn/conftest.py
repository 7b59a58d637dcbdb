"""Models that are learned once for all tests."""

from typing import Any, NamedTuple

import orjson
import pytest

from campaigns.claiming.learning import Made, made
from claims.answer.scrub import Scrub
from claims.learn.score import Score, Scorer
from claims.learn.train import Read, Source, Trained, decided, read_claims, train
from claims.tables.own import own_tables


class World(NamedTuple):
    """Made claims, what was read of them, and what was learned."""

    made: list[Made]
    scrub: Scrub
    read: Read
    trained: Trained
    scores: list[Score]

    @property
    def later(self) -> list[int]:
        """The claims that were tested on."""
        return [n for n, one in enumerate(self.made) if one.claim["created"] >= self.trained.report["first tested day"]]


def world(count: int, seed: int, **how: Any) -> World:
    """Make claims, learn from them and score them."""
    pytest.importorskip("sklearn", reason="the extra `learned` is not installed")
    ones, scrub = list(made(count, seed, **how)), Scrub.over(own_tables())
    read = read_claims((Source(orjson.dumps(one.claim)) for one in ones), scrub)
    trained = train(read, decided(orjson.dumps(one.response) for one in ones), scrub, "2026-11-22")
    return World(ones, scrub, read, trained, Scorer(trained.model).scores(read.table))


@pytest.fixture(scope="session")
def learned() -> World:
    """3,000 claims whose denial follows what they say."""
    return world(3_000, 1)


@pytest.fixture(scope="session")
def blind() -> World:
    """1,500 claims whose denial knows nothing of them."""
    return world(1_500, 2, null=True)
