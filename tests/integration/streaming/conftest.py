"""One mock cluster for all tests of streams, which each use topics of their own; consumers and publishers by hand."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from server.parts import join
from server.settings import Settings
from server.store import Store
from server.streaming.consume import Consumer

kafka = pytest.importorskip("confluent_kafka", reason="the extra `kafka` is not installed")
_numbers = itertools.count()


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """The address of a mock cluster in this process."""
    from confluent_kafka.admin import AdminClient

    owner = AdminClient({"test.mock.num.brokers": 1, "bootstrap.servers": "none:1"})
    [broker] = owner.list_topics(timeout=10).brokers.values()
    yield f"{broker.host}:{broker.port}"
    del owner


class Read(NamedTuple):
    """A message that was read back."""

    key: bytes | None
    headers: dict[str, str]
    value: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.value)


class Bench:
    """A store with its parts, topics of its own, and clients."""

    def __init__(self, cluster: str, store: Store, settings: Settings) -> None:
        self.cluster, self.store, self.settings = cluster, store, settings
        self.topic = settings.stream_topics[0]
        self.fhir = join(store, settings).fhir
        self._producer = kafka.Producer({"bootstrap.servers": cluster, "linger.ms": 0})
        self._open: list[Consumer] = []
        self.send(b"", topic=self.topic, key=b"warm")  # makes the topic: a consumer is not told of a later one at once

    def send(self, value: Any, *, topic: str = "", key: bytes | None = None, **headers: str) -> None:
        """Write one message and wait for it."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        named = [(name, text.encode()) for name, text in headers.items()]
        self._producer.produce(topic or self.topic, body, key, headers=named, partition=0)
        assert self._producer.flush(10) == 0

    def consumer(self) -> Consumer:
        """A consumer that has its partition, without the seconds that a group takes to agree."""
        made = Consumer(self.fhir, self.settings)
        [place] = made._client.committed([kafka.TopicPartition(self.topic, 0)], timeout=10)
        place.offset = max(place.offset, 0)
        made._client.assign([place])
        self._open.append(made)
        return made

    def take(self, wanted: int, consumer: Consumer | None = None) -> Consumer:
        """Let a consumer work until it has given so many messages their fate."""
        consumer = consumer or self.consumer()
        before = sum(self.fates().values()) + sum(consumer.counts.fates.values())
        for _ in range(300):
            consumer.turn()
            if sum(self.fates().values()) + sum(consumer.counts.fates.values()) - before >= wanted:
                consumer.counts.keep(now=True)
                return consumer
        raise AssertionError("the consumer has not got so far")

    def fates(self) -> dict[str, int]:
        """What became of all messages, as the metrics tell it."""
        return dict(self.store.query("SELECT label, value FROM stream_count WHERE name = 'messages'"))

    def read(self, topic: str, count: int) -> list[Read]:
        """The first messages of a topic's partitions."""
        client = kafka.Consumer(
            {"bootstrap.servers": self.cluster, "group.id": "reader", "auto.offset.reset": "earliest"}
        )
        partitions = client.list_topics(topic, timeout=10).topics[topic].partitions
        client.assign([kafka.TopicPartition(topic, number, 0) for number in partitions])
        found: list[Any] = []
        for _ in range(20):
            found += [one for one in client.consume(count - len(found), 0.1) if one.error() is None]
            if len(found) >= count:
                break
        client.close()
        return [Read(one.key(), {n: t.decode() for n, t in one.headers() or ()}, one.value()) for one in found]

    def close(self) -> None:
        for one in self._open:
            one._client.close()
            one._taking.close()


@pytest.fixture
def more() -> dict[str, Any]:
    """Settings beyond the usual ones; tests override this."""
    return {}


@pytest.fixture
def bench(cluster: str, database_url: str, store: Store, tmp_path: Path, more: dict[str, Any]) -> Iterator[Bench]:
    """Streams over an empty store of each engine."""
    name = f"t{next(_numbers)}"
    settings = Settings(
        database=database_url,
        data=tmp_path / "var",
        stream_brokers=cluster,
        stream_topics=(name,),
        stream_group=name,
        stream_out_topic=f"{name}.out",
        **{"coding": "off", **more},
    )
    made = Bench(cluster, store, settings)
    yield made
    made.close()


@pytest.fixture
def document() -> Callable[..., dict[str, Any]]:
    """A DocumentReference, with what a test changes."""

    def make(**given: Any) -> dict[str, Any]:
        attachment = {"contentType": "text/plain", "data": "Q291Z2gu"}
        return {
            "resourceType": "DocumentReference",
            "status": "current",
            "content": [{"attachment": attachment}],
            **given,
        }

    return make
