"""One trace from the POST of a document to its Claim and to who is told of that, as a collector sees it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from campaigns.planting.collector import Collector
from campaigns.planting.people import note, patient, people
from campaigns.planting.writing import Finder
from server.app import create_app
from server.jobs import tasks
from server.jobs.bounds import bounds_of
from server.jobs.children import Children
from server.jobs.engine import INTERRUPTED, Interrupted
from server.jobs.outside import Wall
from server.jobs.pipeline import Coding
from server.settings import Settings
from server.subscriptions import deliver, outbox
from server.subscriptions.deliver import Deliverer
from server.telemetry import vocabulary
from server.telemetry.start import Telemetry, start
from tests.integration.asynchronous.endpoint import open_endpoint

TEXT = "ASSESSMENT\n1. Essential hypertension (I10)\nVitals: BP 128/82 mmHg\n"
SOMEBODY = people(1, 11)[0]
THEIRS = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Died(BaseException):
    """The worker was killed."""


class AtOnce:
    """Steps that keep their values as the engine does, and one at which the worker dies the first time."""

    def __init__(self, write: Callable[[Any], Any]) -> None:
        self._write, self.kept, self.dies = write, dict[str, Any](), True

    def step(self, name: str, function: Callable[[], Any]) -> Any:
        if name not in self.kept:
            self.kept[name] = function()
        return self.kept[name]

    def tx_step(self, name: str, operation: Callable[[Any], Any]) -> Any:
        if self.dies:
            self.dies = False
            raise Died
        value = self._write(operation)
        if value == INTERRUPTED:
            raise Interrupted
        return value


@pytest.fixture(scope="module")
def children(built: Path) -> Iterator[Callable[[Settings], Children]]:
    """Real processes that read and code, one for all tests of this file."""
    made: list[Children] = []

    def of(settings: Settings) -> Children:
        if not made:
            made.append(Children(bounds_of(settings), 1))
        return made[0]

    yield of
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, furnish: Callable[[Path], Path]) -> Path:
    """A data directory with the terminology."""
    return furnish(tmp_path_factory.mktemp("telemetry") / "data")


async def test_one_trace_leads_from_the_document_to_its_claim_though_a_worker_dies_in_between(
    database_url: str, data: Path, children: Any, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All spans share the trace of the POST, each below the right one; no signal holds an identifier."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    settings = Settings(
        data=data, database=database_url, open=True, telemetry=("traces", "metrics", "logs"), log_requests="all",
        inner_hosts=("127.0.0.1",),
    )  # fmt: skip
    app = create_app(settings)
    subscriber, listening = open_endpoint()
    monkeypatch.setattr(deliver, "SETTLED_MS", 0)
    monkeypatch.setattr(outbox, "FRESH_SECONDS", 0)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        text = base64.b64encode((TEXT + note(SOMEBODY)).encode()).decode()
        await client.put(f"/fhir/Patient/{SOMEBODY.id}", json=patient(SOMEBODY))
        attachment = {"contentType": "text/plain", "data": text}
        document = {
            "resourceType": "DocumentReference",
            "status": "current",
            "subject": {"reference": f"Patient/{SOMEBODY.id}"},
            "content": [{"attachment": attachment}],
        }
        await client.post("/fhir/Subscription", json=_to_claims(subscriber.url))
        await _deliver(app.state.parts.fhir, settings)
        sent = await client.post("/fhir/DocumentReference", json=document, headers={"traceparent": THEIRS})
        assert sent.status_code == 201
        await client.get(f"/fhir/Patient?name={SOMEBODY.family}")
        name = sent.headers["location"].split("/")[-3]
        parts = app.state.parts
        coding = Coding(settings, parts.fhir, parts.intake, children(settings))
        coding._steps = steps = AtOnce(coding._write)  # type: ignore[assignment]
        with pytest.raises(Died):
            coding.run(name, 1, 1)
        assert coding.run(name, 1, 1) == "completed" and not steps.dies  # type: ignore[attr-defined]
        task = (await client.get(f"/fhir/Task/{tasks.task_id(name)}")).json()
        assert any(one["type"]["text"] == "Claim" for one in task["output"])
        await _deliver(parts.fhir, settings)
        openmetrics = await client.get("/metrics", headers={"accept": "application/openmetrics-text"})
    running = start(settings, "api")
    assert running is not None
    running.stop()
    parts.fhir.store.close()
    listening.shutdown()
    listening.server_close()
    [(_, path, headers, _)] = subscriber.taken
    assert path.startswith("/hook/Claim/")
    _connected(collector, tasks.trace_of(task), database_url.partition(":")[0], headers["traceparent"])
    assert 'trace_id="' in openmetrics.text and openmetrics.text.count("# EOF") == 1
    finder = Finder({(SOMEBODY.id, kind): value for kind, value in SOMEBODY.planted().items()})
    for signal in ("traces", "metrics", "logs"):
        assert collector.sent(signal), signal
        assert not [hit for body in collector.sent(signal) for hit in finder.find(body)], signal
    assert b"fhirwright_request_seconds" in b"".join(collector.sent("metrics"))
    assert b"/fhir/{type}" in b"".join(collector.sent("logs"))


def _to_claims(url: str) -> dict[str, Any]:
    """A Subscription to claims."""
    channel = {"type": "rest-hook", "endpoint": url, "payload": "application/fhir+json"}
    given = {"resourceType": "Subscription", "status": "requested", "reason": "test"}
    return {**given, "criteria": "Claim?use=claim", "channel": channel}


async def _deliver(fhir: Any, settings: Settings) -> None:
    """Tell whoever waits."""
    deliverer = Deliverer(fhir, settings)
    async with Wall(settings.inner_hosts).client(settings.subscription_seconds) as client:
        for _ in range(2):
            await deliverer.turn(client)
            await deliverer.idle()


def _connected(collector: Collector, parent: str, dialect: str, header: str) -> None:
    """Judge the spans of the trace that the Task tells; `header` is what the subscriber got."""
    _, trace_id, span_id, _ = parent.split("-")
    found = [one for one in collector.spans() if one.trace_id.hex() == trace_id]
    by_id = {one.span_id.hex(): one for one in found}
    root = by_id[span_id]
    assert root.name == "http.request" and not root.parent_span_id
    assert [link.trace_id.hex() for link in root.links] == [THEIRS.split("-")[1]]
    above = {one.span_id.hex(): one.parent_span_id.hex() for one in found}
    assert all(above[name] in by_id for name in above if name != span_id), "every span hangs on another of the trace"
    assert header.split("-")[1] == trace_id and by_id[header.split("-")[2]].name == "subscription.send"
    told = [(one.name, _of(by_id.get(above[name])), _values(one)) for name, one in by_id.items()]
    runs = [values for name, over, values in told if name == "document" and over == "http.request"]
    assert len(runs) == 2 and runs[-1] == {"fhirwright.outcome": "completed", "fhirwright.attempt": 1}
    waits = [over for name, over, _ in told if name == "queue.wait"]
    assert sorted(waits) == ["http.request", "http.request", "stage"], "for each run, and for being told of the Claim"
    sends = [(over, values) for name, over, values in told if name == "subscription.send"]
    assert sends == [("stage", {"http.request.method": "PUT", "http.response.status_code": 200})]
    stages = [values["fhirwright.stage"] for name, over, values in told if name == "stage" and over == "document"]
    assert sorted(stages) == ["codes", "emitted", "emitted", "pages"], "what was on record did not run again"
    pieces = [values["fhirwright.stage"] for name, over, values in told if name == "child.part" and over == "child"]
    assert sorted(pieces) == ["claim", "codes", "findings", "pages"]
    stored = [values for name, over, values in told if name == "store.transaction" and over == "stage"]
    assert any("INSERT resource" in values["fhirwright.statements"] for values in stored)
    assert {values["db.system.name"] for values in stored} == {dialect}
    for name, _, values in told:
        assert set(values) <= set(vocabulary.SPANS[name]), name


def _of(span: Any) -> str:
    return "" if span is None else str(span.name)


def _values(span: Any) -> dict[str, Any]:
    return {one.key: _plain(one.value) for one in span.attributes}


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return [_plain(one) for one in value.array_value.values] if kind == "array_value" else getattr(value, kind)


@pytest.mark.parametrize("collector_does", ["refuses", "answers 500", "hangs"])
async def test_a_collector_that_is_away_costs_no_request(
    collector_does: str, tmp_path: Path, sqlite_template: Path, telling: Callable[..., Telemetry], data: Path
) -> None:
    """Requests are answered while nobody takes what is told, and the end waits for seconds only."""
    import shutil

    shutil.copy(sqlite_template, tmp_path / "t.db")
    one = Collector(500 if collector_does == "answers 500" else 200, 30.0 if collector_does == "hangs" else 0.0)
    if collector_does == "refuses":
        one.close()
    settings = Settings(
        data=data, database=f"sqlite:///{tmp_path / 't.db'}", open=True, telemetry=("traces", "logs"), trace_trust=True
    )
    running = telling(one.url, settings)
    app = create_app(settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        for _ in range(40):
            answer = await client.get("/fhir/Patient/nobody", headers={"traceparent": THEIRS})
            assert answer.status_code == 404
        assert json.loads((await client.get("/healthz")).content)["status"] == "ok"
    running.stop()
    app.state.fhir.store.close()
    if collector_does != "refuses":
        one.close()
