"""`$reindex` as a job: progress, an end, and where it was after its worker died."""

from __future__ import annotations

from typing import Any

import pytest

from server.search import reindex


class Killed(Exception):
    """What a worker that dies looks like."""


async def _store(house: Any, count: int) -> None:
    for n in range(count):
        body = {"resourceType": "Patient", "id": f"p{n}", "gender": "male"}
        assert (await house.client.put(f"Patient/p{n}", json=body)).status_code == 201


async def test_rows_are_made_again(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the job every resource is found again, the status URL says how many there were, and doctor is content."""
    monkeypatch.setattr(reindex, "BATCH", 2)
    await _store(house, 5)
    house.store.write_sync(lambda tx: tx.execute("DELETE FROM idx_token"))
    house.store.write_sync(lambda tx: tx.execute("UPDATE index_state SET version = 1"))
    accepted = await house.client.post("$reindex", headers={"Prefer": "respond-async"})
    assert accepted.status_code == 202
    status = accepted.headers["Content-Location"]
    assert (await house.client.get(status)).status_code == 202
    [(job, _)] = house.queued()
    steps = house.steps()

    def kill(name: str) -> None:
        if name == "Patient-2":
            raise Killed

    steps.before = kill
    with pytest.raises(Killed):
        await house.store.run(house.run, job, steps)
    assert house.parts.intake.jobs.progress(house.store, job).done == 2
    steps.before = lambda _: None
    assert await house.store.run(house.run, job, steps) == "done"
    told = (await house.client.get(status)).json()
    assert told["issue"][0]["diagnostics"] == "5 resources were indexed again."
    found = (await house.client.get("Patient?gender=male&_total=accurate")).json()
    assert found["total"] == 5
    assert reindex.is_current(house.store)


async def test_a_parameter_that_would_narrow_it_is_refused(house: Any) -> None:
    """`$reindex?url=Patient` does not quietly make everything again."""
    assert (await house.client.post("$reindex?url=Patient")).status_code == 400
    assert house.queued() == []


async def test_one_type_only(house: Any) -> None:
    """A type in the path limits it, and then nothing is said about the index as a whole."""
    await _store(house, 2)
    house.store.write_sync(lambda tx: tx.execute("UPDATE index_state SET version = 1"))
    accepted = await house.client.post("Patient/$reindex")
    assert accepted.status_code == 202
    assert await house.work() == ["done"]
    assert not reindex.is_current(house.store)
