"""What is answered later and what is told of it belong to the trace of the request that began it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from campaigns.planting.collector import Collector
from server.jobs import later
from server.settings import Settings
from server.streaming.events import changes_after, publish_form
from server.subscriptions.events import prune
from server.telemetry.start import start

CODING = {"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}
CLAIM = {
    "resourceType": "Claim", "status": "active", "use": "claim", "created": "2026-06-03",
    "type": {"coding": [CODING]}, "patient": {"reference": "Patient/p"}, "provider": {"display": "x"},
    "priority": {"text": "normal"}, "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "c"}}],
}  # fmt: skip


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector that takes everything."""
    one = Collector()
    yield one
    one.close()


TELEMETRY = {"telemetry": ("traces",), "stream_out_types": ("ClaimResponse",)}


@pytest.fixture
def more_settings(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Traces to the collector; answers to claims go to Kafka."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    yield TELEMETRY
    stop(Settings(**TELEMETRY))


def stop(settings: Settings) -> None:
    """Send what waits, and trace no more."""
    running = start(settings, "api")
    assert running is not None
    running.stop()


def told(settings: Settings, collector: Collector) -> dict[str, Any]:
    """Every span by its id, once all are sent."""
    stop(settings)
    return {one.span_id.hex(): one for one in collector.spans()}


async def test_a_claim_that_is_submitted_later_is_one_trace_to_who_is_told_of_its_answer(
    house: Any, postman: Any, endpoint: Any, collector: Collector
) -> None:
    """POST, wait, job, write and delivery hang together, though the worker died once; Kafka names the trace too."""
    channel = {"type": "rest-hook", "endpoint": endpoint.url, "payload": "application/fhir+json"}
    subscription = {"resourceType": "Subscription", "status": "requested", "reason": "test"}
    await house.client.post("Subscription", json={**subscription, "criteria": "ClaimResponse?", "channel": channel})
    await postman.go(1)
    await house.client.put("Patient/p", json={"resourceType": "Patient", "id": "p"})
    sent = await house.client.post("Claim/$submit", json=CLAIM, headers={"prefer": "respond-async"})
    assert sent.status_code == 202
    [(job, _)] = house.queued()
    parent = later.find(house.store, job).asked.caller.trace.parent
    steps = house.steps()
    steps.before = dies = Dies()
    with pytest.raises(Died):
        await house.store.run(house.run, job, steps)
    assert dies.did
    assert await house.store.run(house.run, job, steps) == "done"
    await postman.go()
    changes = changes_after(house.parts.fhir, 0, 10)
    streamed = [
        dict(one.headers) for change in changes for one in publish_form(house.parts.fhir, house.settings, change)
    ]
    spans = told(house.settings, collector)
    _, trace, root, _ = parent.split("-")
    [(_, path, headers, _)] = endpoint.taken
    assert path.startswith("/hook/ClaimResponse/")
    sending = spans[headers["traceparent"].split("-")[2]]
    way = []
    while sending is not None:
        assert sending.trace_id.hex() == trace
        way.append((sending.name, sending.span_id.hex()))
        sending = spans.get(sending.parent_span_id.hex())
    assert [name for name, _ in way] == ["subscription.send", "job", "http.request"] and way[-1][1] == root
    jobs = [one for one in spans.values() if one.name == "job"]
    assert len(jobs) == 2 and {one.parent_span_id.hex() for one in jobs} == {root}
    assert {one.attributes[0].value.string_value for one in jobs} == {"answer_later"}
    assert {one["ce_traceparent"].decode().split("-")[1] for one in streamed} == {trace}


async def test_what_is_told_together_hangs_on_the_first_and_is_linked_to_the_others(
    house: Any, postman: Any, endpoint: Any, collector: Collector
) -> None:
    """A notification of two writes names the traces of both; what they followed from is forgotten with the events."""
    await house.client.put("Patient/p", json={"resourceType": "Patient", "id": "p"})
    assert house.store.query("SELECT count(*) FROM trace") == [(0,)], "nobody wanted to hear of it"
    name = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
    content = {"url": f"{name}backport-payload-content", "valueCode": "empty"}
    channel = {"type": "rest-hook", "endpoint": endpoint.url, "payload": "application/fhir+json",
               "extension": [{"url": f"{name}backport-max-count", "valuePositiveInt": 10}],
               "_payload": {"extension": [content]}}  # fmt: skip
    subscription = {"resourceType": "Subscription", "status": "requested", "reason": "test"}
    criteria = "https://fhirwright.dev/fhir/SubscriptionTopic/Patient"
    await house.client.post("Subscription", json={**subscription, "criteria": criteria, "channel": channel})
    await postman.go(1)
    for gender in ("male", "female"):
        await house.client.put("Patient/p", json={"resourceType": "Patient", "id": "p", "gender": gender})
    rows = house.store.query("SELECT parent FROM trace ORDER BY version")
    first, second = (row[0].split("-")[1] for row in rows)
    await postman.go()
    [sending] = [
        one for one in told(house.settings, collector).values() if one.links and one.name == "subscription.send"
    ]
    assert sending.trace_id.hex() == first != second
    assert [link.trace_id.hex() for link in sending.links] == [second]
    prune(house.parts.fhir, 1)
    assert house.store.query("SELECT count(*) FROM trace") == [(2,)]
    house.store.write_sync(lambda tx: tx.execute("UPDATE trace SET at = at - 86400000000 * 100"))
    prune(house.parts.fhir, 1)
    assert house.store.query("SELECT count(*) FROM trace") == [(0,)]


class Died(BaseException):
    """The worker was killed."""


class Dies:
    """Dies before the first step, once."""

    did = False

    def __call__(self, _name: str) -> None:
        if not self.did:
            self.did = True
            raise Died
