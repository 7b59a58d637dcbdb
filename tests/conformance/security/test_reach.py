"""The campaign of reach, small: many callers, random requests, and some faults that must be found."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from campaigns.reaching.campaign import Stage, run, stage
from campaigns.reaching.mutations import broken

REQUESTS, MOST = 1200, 1500
FOUND = (
    "the reach is ignored by searches", "the reach is ignored by includes", "the reach is ignored by chains and _has",
    "totals count what is hidden", "a history does not judge its versions", "filters are ignored",
    "the role of a user is ignored", "a link to a patient opens the record", "a delete is not checked",
    "pages after the first are not limited", "$everything runs as the server", "$graphql runs as the server",
    "consents are ignored", "exceptions of consents are ignored",
)  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The world in a database of each engine, and the worlds of its callers."""
    tmp_path = tmp_path_factory.mktemp("reach")
    if request.param == "sqlite":
        first = tmp_path / "first.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), first)

        def copy(name: str) -> str:
            shutil.copy(first, tmp_path / f"{name}.db")
            return f"sqlite:///{tmp_path / name}.db"

        url = f"sqlite:///{first}"
    else:
        url = request.getfixturevalue("postgres_template")()
        copy = _copier(request.getfixturevalue("postgres_server"), urlsplit(url).path[1:])
    with stage(url, copy, tmp_path / "data", seed=1) as made:
        yield made


def _copier(server: Callable[[str], str], first: str) -> Callable[[str], str]:
    import psycopg

    def copy(name: str) -> str:
        with psycopg.connect(server("postgres"), autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {first}_{name} TEMPLATE {first}")  # type: ignore[call-overload]
        return server(f"{first}_{name}")

    return copy


def test_nobody_sees_what_is_not_theirs(scene: Stage) -> None:
    """Each answer is that of a server on which what is hidden never was, and nothing that is allowed is refused."""
    result = run(scene, seed=11, requests=REQUESTS)
    assert not result.leaks, result.leaks[:3]
    assert not result.found["over-refusal"], result.found["over-refusal"][:3]


@pytest.mark.parametrize("scene", ["sqlite"], indirect=True)
def test_faults_in_the_enforcement_are_found(scene: Stage) -> None:
    """Each of these faults, put in while the server runs, is found."""
    for name in FOUND:
        with broken(name):
            assert run(scene, seed=11, requests=MOST, until_found=True).first is not None, name
