"""A server in process and one worker that runs each job when it is told to."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.app import create_app
from server.jobs.engine import Interrupted
from server.jobs.kinds import Kind, Work, patient_write
from server.jobs.outside import Wall
from server.jobs.registered import background_kinds
from server.parts import Parts
from server.settings import Settings
from server.subscriptions import deliver, outbox
from server.subscriptions.deliver import Deliverer

sys.path.insert(0, str(Path(__file__).parent))
from endpoint import open_endpoint

Step = Callable[[], Any]


class AtOnce:
    """The two calls of a running job without DBOS: each step's value is kept, as it would be after a kill."""

    def __init__(self, parts: Parts) -> None:
        self._write = patient_write(parts.fhir.store)
        self.kept: dict[str, Any] = {}
        self.before: Callable[[str], None] = lambda _: None

    def step(self, name: str, function: Step) -> Any:
        if name not in self.kept:
            self.before(name)
            self.kept[name] = json.loads(json.dumps(function()))
        return self.kept[name]

    def tx_step(self, name: str, operation: Callable[..., Any], prepare: Callable[[], Any] | None = None) -> Any:
        def run() -> Any:
            prepared = () if prepare is None else (prepare(),)
            return self._write(lambda tx: operation(tx, *prepared))

        return self.step(name, run)


class House:
    """The application, a client of it, and its worker."""

    def __init__(self, parts: Parts, settings: Settings, client: httpx.AsyncClient) -> None:
        self.parts = parts
        self.settings = settings
        self.client = client
        self.store = parts.fhir.store
        self.kinds: dict[str, Kind] = {kind.name: kind for kind in background_kinds()}

    def queued(self) -> list[tuple[str, str]]:
        """Jobs that wait: id and name."""
        schema = "dbos." if self.store.dialect == "postgresql" else ""
        sql = f"SELECT workflow_uuid, name FROM {schema}workflow_status WHERE status = 'ENQUEUED' ORDER BY created_at"
        return [row for row in self.store.query(sql) if row[1] in self.kinds]

    def steps(self) -> AtOnce:
        """Steps whose values outlive one run of a job."""
        return AtOnce(self.parts)

    def run(self, job: str, steps: AtOnce | None = None) -> Any:
        """Run one job to its end."""
        name = dict(self.queued())[job]
        steps = steps or AtOnce(self.parts)
        jobs = self.parts.intake.jobs
        work = Work(job, (), self.parts.fhir, self.parts.operations, self.settings, jobs, steps)  # type: ignore[arg-type]
        try:
            value = self.kinds[name].run(work)
        except Interrupted:
            value = "cancelled"
        self.end(job)
        return value

    def end(self, job: str, status: str = "SUCCESS") -> None:
        """What DBOS writes when a job is over."""
        schema = "dbos." if self.store.dialect == "postgresql" else ""
        sql = f"UPDATE {schema}workflow_status SET status = ? WHERE workflow_uuid = ?"
        self.store.write_sync(lambda tx: tx.execute(sql, (status, job)))

    async def work(self) -> list[Any]:
        """Run every job that waits; a thread each, as a worker does."""
        return [await self.store.run(self.run, job) for job, _ in self.queued()]


@pytest.fixture
def more_settings() -> dict[str, Any]:
    """Settings of the house beyond the usual ones; tests override this."""
    return {}


@pytest.fixture
async def house(database_url: str, tmp_path: Path, more_settings: dict[str, Any]) -> AsyncIterator[House]:
    """The whole application over an empty database of each engine."""
    options = {"inner_hosts": ("127.0.0.1",), "coding": "off", "subscription_back_off_seconds": 0.01, **more_settings}
    settings = Settings(database=database_url, data=tmp_path / "var", open=True, log_requests="problems", **options)
    app = create_app(settings)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/fhir/", timeout=120) as client:
        yield House(app.state.parts, settings, client)
    app.state.fhir.store.close()


@pytest.fixture
def endpoint() -> Iterator[Any]:
    """An endpoint that keeps what it is sent."""
    made, server = open_endpoint()
    yield made
    server.shutdown()
    server.server_close()


class Postman:
    """Delivers when it is told to, until nothing is left that is due."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.deliverer = Deliverer(house.parts.fhir, house.settings)

    async def go(self, rounds: int = 4) -> None:
        seconds = self.house.settings.subscription_seconds
        async with Wall(self.house.settings.inner_hosts).client(seconds) as client:
            for _ in range(rounds):
                await self.deliverer.turn(client)
                await self.deliverer.idle()


@pytest.fixture
def postman(house: House, monkeypatch: pytest.MonkeyPatch) -> Postman:
    """Deliveries without the time that processes get to learn of a new subscription."""
    monkeypatch.setattr(deliver, "SETTLED_MS", 0)
    monkeypatch.setattr(outbox, "FRESH_SECONDS", 0)
    return Postman(house)
