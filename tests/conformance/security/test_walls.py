"""The campaign of reach over the wire, small: two tenants, every other road, and some faults that must be found."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from campaigns.reaching.crossing import cross
from campaigns.reaching.ground import Eyes
from campaigns.reaching.houses import Houses, houses
from campaigns.reaching.walls import breached

REQUESTS = 150
FOUND = (
    "a token counts at every tenant", "callers are remembered for all tenants", "the status of a job is anybody's",
    "what is answered later is answered by the server", "bulk operations are for all",
    "the audit trail tells what others asked", "definitions are those of another tenant",
)  # fmt: skip


@pytest.fixture(scope="module")
def several(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Houses]:
    """Both tenants with the same world."""
    folder = tmp_path_factory.mktemp("walls")
    for number in range(3):
        shutil.copy(sqlite_template, folder / f"{number}.db")
    with houses(tuple(f"sqlite:///{folder / str(number)}.db" for number in range(3)), folder / "data", seed=1) as made:
        yield made


def test_nothing_of_one_is_told_at_the_other(several: Houses) -> None:
    """Jobs, files, bulk, subscriptions, claims, definitions, the trail and tokens end at the walls of their owner."""
    result = cross(several, Eyes(several), seed=5, requests=REQUESTS)
    assert not result.leaks, result.leaks[:3]
    assert not result.found["over-refusal"], result.found["over-refusal"][:3]


def test_breaches_are_found(several: Houses) -> None:
    """Each of these faults, put in while the server runs, is found."""
    eyes = Eyes(several)
    for name in FOUND:
        with breached(several, name):
            assert cross(several, eyes, seed=4, requests=REQUESTS, until_found=True).first is not None, name
