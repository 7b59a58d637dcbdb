"""What must stand after a run, from the topic itself by a plain reckoning, against what stands and was published."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from server.store import Store

_VERSIONS = """SELECT type, id, version, body FROM resource UNION ALL SELECT type, id, version, body FROM history
 ORDER BY 1, 2, 3"""


@dataclass
class Expected:
    """What the messages of a topic come to: the numbers of each resource's versions in their order."""

    messages: int = 0
    distinct: int = 0
    late: int = 0
    bad: int = 0
    parts: int = 0
    versions: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    created: Counter[int] = field(default_factory=Counter)


@dataclass
class Found:
    """What differs; all zero is a run that kept its promises."""

    lost: int = 0
    doubled: int = 0
    disordered: int = 0
    ledger: int = 0
    letters: int = 0
    unpublished: int = 0
    published_twice: int = 0
    published_disordered: int = 0
    effects: int = 0
    events: int = 0

    @property
    def sound(self) -> bool:
        """Whether nothing differs."""
        wrong = (self.lost, self.doubled, self.disordered, self.ledger, self.letters)
        return sum(wrong) + self.unpublished + self.published_twice + self.published_disordered == 0


def read_topic(broker: str, topic: str) -> list[Any]:
    """Every committed message of a topic, partition by partition in its order."""
    client = Consumer(
        {"bootstrap.servers": broker, "group.id": "judge", "isolation.level": "read_committed",
         "enable.auto.commit": False, "enable.partition.eof": True}
    )  # fmt: skip
    known = client.list_topics(topic, timeout=30).topics[topic].partitions
    found: list[Any] = []
    for number in sorted(known):
        client.assign([TopicPartition(topic, number, 0)])
        over = False
        while not over:
            for one in client.consume(10_000, 1.0):
                if one.error() is None:
                    found.append(one)
                else:
                    over = one.error().name() == "_PARTITION_EOF"
    client.close()
    return found


def reckon(messages: list[Any]) -> Expected:
    """The rule, said a second time: an id counts once, an older version of a resource counts never."""
    expected = Expected(messages=len(messages))
    seen: set[bytes] = set()
    for one in messages:
        name = dict(one.headers())["ce_id"]
        if name in seen:
            continue
        seen.add(name)
        number = int(name[1:])
        try:
            body = json.loads(one.value())
        except ValueError:
            body = {}
        if body.get("resourceType") not in ("DocumentReference", "Claim", "Bundle") or body.get("status") == "lost":
            expected.bad += 1
            continue
        batch = body.get("type") == "batch"
        expected.parts += 2 if batch else 1
        resource = body["entry"][0]["resource"] if body["resourceType"] == "Bundle" else body
        before = expected.versions[f"{resource['resourceType']}/{resource['id']}"]
        if before and number < before[-1]:
            expected.late += 1
        else:
            before.append(number)
        if body["resourceType"] == "Bundle":
            expected.created[number] += 1
    expected.distinct = len(seen)
    return expected


def judge_store(store: Store, expected: Expected, found: Found) -> dict[str, int]:
    """Hold what is stored to what must be; the number of versions of each resource."""
    stored: dict[str, list[int]] = defaultdict(list)
    created: Counter[int] = Counter()
    for kind, name, _, body in store.query(_VERSIONS):
        resource = json.loads(bytes(body))
        text = resource["description"] if kind == "DocumentReference" else resource["identifier"][0]["value"]
        if kind == "Observation":
            created[int(text)] += 1
        stored[f"{kind}/{name}"].append(int(text))
    states: dict[str, int] = dict(store.query("SELECT state, count(*) FROM arrival GROUP BY state"))
    for subject in expected.versions.keys() | {one for one in stored if not one.startswith("Observation/")}:
        want, have = expected.versions.get(subject, []), stored.get(subject, [])
        _compare(Counter(want), Counter(have), found)
        found.disordered += sorted(want) == sorted(have) and want != have
    _compare(expected.created, created, found)
    found.effects = sum(map(len, stored.values()))
    found.ledger = abs(states.get("stored", 0) - expected.parts) + abs(states.get("quarantined", 0) - expected.bad)
    return {subject: len(versions) for subject, versions in stored.items()}


def _compare(want: Counter[int], have: Counter[int], found: Found) -> None:
    found.lost += sum((want - have).values())
    found.doubled += sum((have - want).values())


def judge_letters(letters: list[Any], expected: Expected, found: Found) -> None:
    """Each message that was put away has a dead letter; the same one twice has the same name."""
    found.letters = abs(len({dict(one.headers())["arrival"] for one in letters}) - expected.bad)


def judge_events(events: list[Any], versions: dict[str, int], found: Found) -> None:
    """Each stored version was published once to those who read committed messages, those of a key in their order."""
    wanted = {f"{subject}/{n}/resource.updated" for subject, last in versions.items() for n in range(1, last + 1)}
    told: Counter[str] = Counter()
    last: dict[bytes, tuple[int, str]] = {}
    newest: dict[str, int] = {}
    for one in events:
        headers = {name: value.decode() for name, value in one.headers()}
        told[headers["ce_id"]] += 1
        subject, version = headers["ce_subject"], int(headers["ce_id"].split("/")[2])
        before = last.get(one.key(), (-1, ""))
        here = (one.partition(), headers["ce_sequence"])
        in_order = before[0] in (-1, here[0]) and before[1] < here[1] and newest.get(subject, 0) + 1 == version
        found.published_disordered += not in_order
        last[one.key()], newest[subject] = here, version
    found.events = len(events)
    found.unpublished = len(wanted - told.keys()) + len(told.keys() - wanted)
    found.published_twice = sum(count - 1 for count in told.values())
