"""What `stream out` promises of what changes here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from server.access.caller import ANYBODY
from server.interactions.exchange import Request
from server.streaming import publish as publishing
from server.streaming.counts import published
from server.streaming.publish import Publisher, publish
from server.subscriptions.events import Matcher, prune
from tests.conftest import make_request
from tests.support.clock import until

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def more() -> dict[str, Any]:
    return {"stream_out_types": ("*",), "coding": "all"}


@pytest.fixture
def publisher(bench: Any) -> Iterator[Callable[[], Publisher]]:
    """Makes publishers that have begun."""
    made: list[Publisher] = []

    def begin() -> Publisher:
        made.append(Publisher(bench.fhir, bench.settings))
        made[-1].begin()
        return made[-1]

    yield begin
    for one in made:
        if one._place is not None:
            one._place.close()


def write(bench: Any, url: str, body: dict[str, Any] | None, method: str = "PUT") -> None:
    bench.fhir.handle_sync(make_request(method, url, body, caller=ANYBODY))


def settle(bench: Any) -> None:
    """From the outbox to numbered events, as a worker does."""
    while Matcher(bench.fhir).turn():
        pass


def patient(**given: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "p", **given}


def test_each_version_is_published_in_its_order(bench: Any, publisher: Any, document: Make) -> None:
    """CloudEvents of one patient share a key and stand in their order; they name versions and hold no content."""
    write(bench, "Patient/p", patient())
    write(bench, "Patient/p", patient(birthDate="1950-01-01"))
    write(bench, "DocumentReference/d", document(id="d", subject={"reference": "Patient/p"}))
    write(bench, "Patient/p", None, "DELETE")
    settle(bench)
    assert publisher().turn() == 5
    events = bench.read(bench.settings.stream_out_topic, 5)
    assert [one.headers["ce_id"] for one in events if "Task" not in one.headers["ce_id"]] == [
        "Patient/p/1/resource.updated",
        "Patient/p/2/resource.updated",
        "DocumentReference/d/1/resource.updated",
        "Patient/p/3/resource.deleted",
    ]
    assert len({one.key for one in events}) == 1
    first = events[0]
    assert first.headers["ce_specversion"] == "1.0"
    assert first.headers["ce_type"] == "dev.fhirwright.resource.updated"
    assert first.headers["ce_subject"] == "Patient/p"
    assert first.json == {
        "resourceType": "Patient", "id": "p", "versionId": "1", "reference": "Patient/p/_history/1"
    }  # fmt: skip
    assert published(bench.store) == (5, 0)


def test_what_a_change_means_is_told_beside_it(bench: Any, publisher: Any, document: Make) -> None:
    """A document that was coded and a draft of a claim have events of their own, once each."""
    write(bench, "DocumentReference/d", document(id="d"))
    settle(bench)
    first = publisher()
    first.turn()
    [(name,)] = bench.store.query("SELECT id FROM resource WHERE type = 'Task'")
    body = bench.fhir.handle_sync(make_request("GET", f"Task/{name}")).body
    for text in ("completed", "completed"):
        changed = body.replace(b'"status":"requested"', b'"status":"%s"' % text.encode())
        bench.fhir.handle_sync(Request(method="PUT", path=("Task", name), body=changed, caller=ANYBODY))
        body = changed.replace(b'"intent":"order"', b'"intent":"order","priority":"urgent"')
    settle(bench)
    first.turn()
    kinds = [one.headers["ce_type"] for one in bench.read(bench.settings.stream_out_topic, 5)]
    assert kinds.count("dev.fhirwright.document-coded") == 1
    assert len(kinds) == 5


@pytest.mark.parametrize(
    "more", [{"stream_out_types": ("Patient",), "stream_out_mode": "structured", "stream_content": "full"}]
)
def test_content_leaves_by_setting_only_and_is_audited(bench: Any, publisher: Any) -> None:
    """`full` sends the resource, as JSON with all attributes, and the audit knows of it."""
    write(bench, "Patient/p", patient(birthDate="1950-01-01"))
    write(bench, "Basic/b", {"resourceType": "Basic", "id": "b", "code": {"text": "x"}})
    settle(bench)
    publisher().turn()
    [event] = bench.read(bench.settings.stream_out_topic, 1)
    assert event.headers["content-type"].startswith("application/cloudevents+json")
    assert event.json["data"]["birthDate"] == "1950-01-01"
    assert event.json["id"] == "Patient/p/1/resource.updated"
    assert bench.store.query("SELECT count(*) FROM audit_key WHERE key = 'Subscription/$stream'") == [(1,)]


def test_a_kill_between_kafka_and_the_database_doubles_nothing(
    bench: Any, publisher: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The place stands in the transaction of Kafka: the next publisher goes on behind what was committed."""
    for number in range(3):
        write(bench, "Patient/p", patient(birthDate=f"195{number}-01-01"))
    settle(bench)
    first = publisher()
    monkeypatch.setattr(
        publishing, "_DONE", "UPDATE subscription SET delivered = delivered WHERE ? < 0 AND id = ? AND 0 = ?"
    )
    first.turn()
    assert published(bench.store) == (0, 3)
    first._place.commit(offsets=[first._at(3)], asynchronous=False)  # brokers do it with the transaction, the mock not
    monkeypatch.undo()
    write(bench, "Patient/p", patient(birthDate="1960-01-01"))
    settle(bench)
    assert publisher().turn() == 1
    assert len(bench.read(bench.settings.stream_out_topic, 5)) == 4


@pytest.mark.parametrize("more", [{"stream_out_types": ("Patient",), "stream_transactions": False}])
def test_without_transactions_the_database_keeps_the_place(bench: Any, publisher: Any) -> None:
    """What was published is not published again by the next."""
    write(bench, "Patient/p", patient())
    settle(bench)
    assert publisher().turn() == 1
    assert publisher().turn() == 0


def test_what_waits_is_kept_and_one_publishes(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events that were not published outlive the pruning; only the publisher that holds the lock sends them."""
    at_work, most, run = 0, 0, Publisher.run

    def watched(self: Publisher, stop: threading.Event, slot: Any) -> None:
        nonlocal at_work, most
        at_work, most = at_work + 1, max(most, at_work + 1)
        try:
            run(self, stop, slot)
        finally:
            at_work -= 1

    monkeypatch.setattr(Publisher, "run", watched)
    write(bench, "Patient/p", patient())
    settle(bench)
    prune(bench.fhir, 0)
    stop = threading.Event()
    threads = [threading.Thread(target=publish, args=(bench.fhir, bench.settings, stop)) for _ in range(2)]
    for thread in threads:
        thread.start()
    until(lambda: published(bench.store) == (1, 0))
    stop.set()
    for thread in threads:
        thread.join()
    assert published(bench.store) == (1, 0)
    assert most == 1
    # The mock shows what was aborted too, as after a commit that it answered too late.
    assert {one.headers["ce_id"] for one in bench.read(bench.settings.stream_out_topic, 2)} == {
        "Patient/p/1/resource.updated"
    }
    prune(bench.fhir, 30)
    assert bench.store.query("SELECT count(*) FROM event") == [(0,)]
