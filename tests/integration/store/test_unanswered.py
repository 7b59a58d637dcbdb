"""A commit whose answer was lost: it is asked for, never done again."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from fhir_profiles.errors import Category, FhirError
from server.access.caller import ANYBODY
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.settings import Settings
from server.store import Store, Tx, open_store

_BODY = b'{"resourceType":"Basic","code":{"text":"once"}}'


@pytest.fixture
def store(postgres_template: Any) -> Any:
    """A store whose connection can be lost."""
    opened = open_store(postgres_template(), create=False)
    yield opened
    opened.close()


def _lose(store: Store, monkeypatch: pytest.MonkeyPatch, *, committed: bool) -> None:
    """Lose the connection once, as it commits: behind the commit, or before it."""
    dialect = store.engine.dialect
    real = dialect.do_commit
    lost: list[bool] = []

    def commit(connection: Any) -> None:
        if lost:
            real(connection)
            return
        lost.append(True)
        if committed:
            real(connection)
        connection.driver_connection.close()
        raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr(dialect, "do_commit", commit)


@pytest.mark.parametrize("committed", [True, False], ids=["committed", "not"])
def test_a_create_whose_answer_was_lost_is_there_once_or_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    """What was committed is answered as if nothing had happened; what was not is refused as for now, and not there."""
    fhir = Fhir(store, Settings(open=True, coding="off"))
    _lose(store, monkeypatch, committed=committed)
    request = Request(caller=ANYBODY, method="POST", path=("Basic",), body=_BODY)
    if committed:
        assert fhir.handle_sync(request).status == 201
    else:
        with pytest.raises(FhirError) as refused:
            fhir.handle_sync(request)
        assert refused.value.category is Category.UNAVAILABLE
    assert store.query("SELECT count(*) FROM resource WHERE type = 'Basic'") == [(int(committed),)]


def test_a_transaction_without_a_known_id_is_not_run_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody can say what became of a commit, the operation runs once and its caller is told to come again."""
    runs: list[int] = []

    def count(tx: Tx) -> None:
        runs.append(1)
        tx.execute("INSERT INTO job_progress (job, done, total, at) VALUES ('x', 1, 1, 1)")

    store.query("SELECT 1")
    _lose(store, monkeypatch, committed=True)
    with pytest.raises(FhirError) as refused:
        store.write_sync(count)
    assert refused.value.category is Category.UNAVAILABLE
    assert len(runs) == 1
