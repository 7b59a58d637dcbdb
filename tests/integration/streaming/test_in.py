"""What `stream in` promises of each message."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import confluent_kafka as kafka
import pytest

from fhir_profiles.errors import Category, FhirError
from server.store import Tx
from server.streaming import taking
from server.streaming.consume import waiting_documents

Make = Callable[..., dict[str, Any]]


def stored(bench: Any, kind: str = "DocumentReference") -> list[tuple[str, int]]:
    return bench.store.query("SELECT id, version FROM resource WHERE type = ? ORDER BY id", (kind,))


def status(bench: Any, name: str, kind: str = "DocumentReference") -> str:
    return str(json.loads(bench.store.read(kind, name).body)["description"])


def test_a_message_has_its_effect_once(bench: Any, document: Make) -> None:
    """The same id again, read again or sent again, changes nothing; another content under it is put away."""
    bench.send(document(), key=b"p", ce_id="one")
    bench.send(document(), key=b"p", ce_id="one")
    bench.send(document(description="other"), key=b"p", ce_id="one")
    consumer = bench.take(4)
    assert bench.fates() == {"known": 1, "quarantined": 2, "stored": 1}
    assert [version for _, version in stored(bench)] == [1]
    before = stored(bench)
    consumer._client.seek(kafka.TopicPartition(bench.topic, 0, 0))
    bench.take(4, consumer)
    assert stored(bench) == before
    assert bench.fates()["stored"] == 1


def test_what_came_without_an_id_is_known_by_its_place(bench: Any, document: Make) -> None:
    """Two equal messages without ids are two."""
    bench.send(document())
    bench.send(document())
    bench.take(3)
    assert len(stored(bench)) == 2


def test_bundles_and_claims_come_too(bench: Any) -> None:
    """A transaction is one, each entry of a batch has its own fate, and a Claim is stored."""
    patient = {"resourceType": "Patient", "id": "p1"}
    put = {"resource": patient, "request": {"method": "PUT", "url": "Patient/p1"}}
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": "urn:uuid:8b1f4a52-0000-4000-8000-000000000001"},
    }
    post = {"resource": observation, "request": {"method": "POST", "url": "Observation"}}
    put_linked = {**put, "fullUrl": "urn:uuid:8b1f4a52-0000-4000-8000-000000000001"}
    bench.send({"resourceType": "Bundle", "type": "transaction", "entry": [put_linked, post]}, id="t")
    bad = {
        "resource": {"resourceType": "Patient", "id": "p3", "gender": 7},
        "request": {"method": "PUT", "url": "Patient/p3"},
    }
    good = {"resource": {"resourceType": "Patient", "id": "p2"}, "request": {"method": "PUT", "url": "Patient/p2"}}
    bench.send({"resourceType": "Bundle", "type": "batch", "entry": [bad, good]}, id="b")
    coding = [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}]
    claim = {
        "resourceType": "Claim", "id": "c", "status": "active", "type": {"coding": coding}, "use": "claim",
        "patient": {"reference": "Patient/p1"}, "created": "2026-01-01", "provider": {"display": "x"},
        "priority": {"text": "normal"}, "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "x"}}],
    }  # fmt: skip
    bench.send(claim, id="c")
    bench.take(4)
    assert [name for name, _ in stored(bench, "Patient")] == ["p1", "p2"]
    assert stored(bench, "Claim") == [("c", 1)]
    [(name, _)] = stored(bench, "Observation")
    assert json.loads(bench.store.read("Observation", name).body)["subject"] == {"reference": "Patient/p1"}
    assert bench.fates() == {"quarantined": 2, "stored": 2}


@pytest.mark.parametrize(
    ("first", "late"),
    [
        ({"ce_sequence": "7"}, {"ce_sequence": "6"}),
        ({"lastUpdated": "2026-01-02T00:00:00Z"}, {"lastUpdated": "2026-01-01T23:59:59Z"}),
        ({"versionId": "10"}, {"versionId": "9"}),
    ],
    ids=["sequence", "lastUpdated", "versionId"],
)
def test_a_late_version_does_not_overwrite(bench: Any, document: Make, first: Any, late: Any) -> None:
    """The sequence decides, else lastUpdated, else versionId; what is older leaves no trace."""

    def send(text: str, told: dict[str, str]) -> None:
        meta = {name: value for name, value in told.items() if name != "ce_sequence"}
        headers = {name: value for name, value in told.items() if name == "ce_sequence"}
        bench.send(
            document(id="d", description=text, **({"meta": meta} if meta else {})), key=b"d", ce_id=text, **headers
        )

    send("new", first)
    send("old", late)
    bench.take(3)
    assert stored(bench) == [("d", 1)]
    assert status(bench, "d") == "new"
    assert bench.fates()["superseded"] == 1


def test_what_cannot_be_compared_is_put_away(bench: Any, document: Make) -> None:
    """A version without a sequence after one with it: nobody can tell, so a person must."""
    bench.send(document(id="d"), key=b"d", ce_id="1", ce_sequence="1")
    bench.send(document(id="d", description="?"), key=b"d", ce_id="2")
    bench.take(3)
    assert bench.store.query("SELECT reason FROM arrival WHERE state = 'quarantined' ORDER BY reason") == [
        ("empty",), ("unordered",)
    ]  # fmt: skip


def test_an_old_entry_is_left_out_of_its_bundle(bench: Any) -> None:
    """The rest of the Bundle is stored, and its links to what was left out go to what is stored."""

    def patient(updated: str) -> dict[str, Any]:
        meta = {"lastUpdated": f"{updated}T00:00:00Z"}
        resource = {"resourceType": "Patient", "id": "p", "meta": meta, "birthDate": updated}
        url = "urn:uuid:8b1f4a52-0000-4000-8000-000000000002"
        return {"fullUrl": url, "resource": resource, "request": {"method": "PUT", "url": "Patient/p"}}

    basic = {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": patient("2026-01-01")["fullUrl"]}}
    new = {"resource": basic, "request": {"method": "POST", "url": "Basic"}}
    bench.send({"resourceType": "Bundle", "type": "transaction", "entry": [patient("2026-01-02")]}, ce_id="1")
    bench.send({"resourceType": "Bundle", "type": "transaction", "entry": [patient("2026-01-01"), new]}, ce_id="2")
    bench.take(3)
    assert stored(bench, "Patient") == [("p", 1)]
    [(name, _)] = stored(bench, "Basic")
    assert json.loads(bench.store.read("Basic", name).body)["subject"] == {"reference": "Patient/p"}


@pytest.mark.parametrize("more", [{"stream_message_bytes": 2000}])
def test_what_cannot_be_used_does_not_block(bench: Any, document: Make) -> None:
    """Each kind of bad message is put away and told of as a dead letter, and what comes after it is stored."""
    bad = {
        "structure": (b"{", {}),
        "type": ({"resourceType": "Patient"}, {}),
        "refused": (document(status="SECRET-NAME"), {}),
        "too-large": (document(description="x" * 3000), {}),
        "sequence": (document(), {"ce_sequence": "SECRET-NAME"}),
    }
    for name, (value, headers) in bad.items():
        bench.send(value, key=b"k", ce_id=name, **headers)
    bench.send(document(), key=b"k", ce_id="good")
    bench.take(len(bad) + 2)
    assert len(stored(bench)) == 1
    letters = bench.read(f"{bench.topic}.dead", len(bad) + 1)
    assert sorted(one.headers["reason"] for one in letters) == [
        "empty", "refused", "refused", "sequence", "too-large", "type"
    ]  # fmt: skip
    assert {one.headers["arrival"] for one in letters} == {
        row[0] for row in bench.store.query("SELECT id FROM arrival WHERE state = 'quarantined'")
    }
    assert all("SECRET" not in str(one) for one in letters)
    assert letters[-1].json.keys() == {"topic", "partition", "offset", "reason", "arrival"}


def test_nothing_is_committed_before_it_is_stored(bench: Any, document: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database is away nothing is acknowledged; afterwards each message has its effect, in its order."""
    real, broken = taking.arrive, [True]

    def arrive(*given: Any) -> Any:
        if broken[0] and b"second" in given[1].content:
            raise FhirError.of(Category.UNAVAILABLE, "transient", "away")
        return real(*given)

    monkeypatch.setattr(taking, "arrive", arrive)
    for number, text in enumerate(("first", "second", "third")):
        bench.send(document(id="d", description=text), key=b"d", ce_id=text, ce_sequence=str(number))
    consumer = bench.take(2)
    assert status(bench, "d") == "first"
    [place] = consumer._client.committed(consumer._client.assignment(), timeout=10)
    assert place.offset == 2
    broken[0] = False
    bench.take(2, consumer)
    assert status(bench, "d") == "third"
    assert stored(bench) == [("d", 3)]


def test_what_the_server_fails_on_is_put_away(bench: Any, document: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours is tried five times and does not block the partition."""
    real = taking.to_bundle

    def broken(key: str, problem: str, types: Any, content: bytes) -> Any:
        if b"poison" in content and not problem:
            raise ZeroDivisionError
        return real(key, problem, types, content)

    monkeypatch.setattr(taking, "to_bundle", broken)
    bench.send(document(description="poison"), key=b"d", ce_id="1")
    bench.send(document(), key=b"d", ce_id="2")
    bench.take(3)
    assert bench.fates() == {"quarantined": 2, "stored": 1}


@pytest.mark.parametrize("more", [{"stream_most_waiting": 2, "coding": "all"}])
def test_partitions_rest_while_the_queue_is_deep(bench: Any, document: Make) -> None:
    """With too many documents waiting nothing more is read; when half of them are done it goes on."""
    for number in range(3):
        bench.send(document(), ce_id=str(number))
    consumer = bench.take(4)
    assert waiting_documents(bench.store, 10) == 3
    consumer._look = 0.0
    bench.send(document(), ce_id="more")
    for _ in range(3):
        consumer.turn()
    assert consumer._resting
    assert len(stored(bench)) == 3
    bench.store.write_sync(_empty_queue)
    consumer._look = 0.0
    bench.take(1, consumer)
    assert len(stored(bench)) == 4


def _empty_queue(tx: Tx) -> None:
    tx.execute("DELETE FROM idx_token WHERE code = 'received'")
