"""The ledger of the doors, on both engines."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest

from fhir_profiles.errors import FhirError
from server.doors.arrivals import Arrival, Made, Unusable, arrive, derived_id, retry
from server.doors.rows import Outcome, discard, prune, raw_of, row_of, rows
from server.interactions.fhir import Fhir
from server.store import Store, open_store

NOW = 4_000_000_000_000


def bundle_of(*resources: dict[str, Any]) -> dict[str, Any]:
    """A transaction of creates."""
    entries = [{"resource": one, "request": {"method": "POST", "url": one["resourceType"]}} for one in resources]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def to_patient(content: bytes) -> Made:
    """A Patient for any content but the word bad."""
    if content == b"bad":
        raise Unusable("syntax", "Not a message.")
    if content == b"fault":
        raise KeyError("a value that must not be told")
    if content == b"invalid":
        return Made(bundle_of({"resourceType": "Patient", "gender": 5}))
    return Made(bundle_of({"resourceType": "Patient", "gender": "female"}), ("PV2 is not mapped.",))


def patients(store: Store) -> int:
    """How many Patients are stored."""
    return int(store.query("SELECT count(*) FROM resource WHERE type = 'Patient'")[0][0])


def test_effects_once(fhir: Fhir) -> None:
    """The same message twice is acknowledged twice and stored once, with its audit and its notes."""
    first = arrive(fhir, Arrival("mllp", "1", b"a"), to_patient)
    again = arrive(fhir, Arrival("mllp", "1", b"a"), to_patient)
    assert (first.state, first.known, first.text) == ("stored", False, "PV2 is not mapped.")
    assert again == first._replace(known=True)
    assert patients(fhir.store) == 1
    assert fhir.store.query("SELECT count(*) FROM audit_key WHERE key = 'by door:mllp'") == [(1,)]
    assert arrive(fhir, Arrival("kafka", "1", b"a"), to_patient).written != first.written


def test_conflict(fhir: Fhir) -> None:
    """Another content under a stored id is kept apart as a conflict, and stays one."""
    arrive(fhir, Arrival("mllp", "1", b"a"), to_patient)
    other = Arrival("mllp", "1", b"b")
    assert arrive(fhir, other, to_patient).reason == "conflict"
    assert arrive(fhir, other, to_patient).known
    assert retry(fhir, other, to_patient).reason == "conflict"
    assert (patients(fhir.store), raw_of(fhir.store, other.id)) == (1, b"b")


@pytest.mark.parametrize(("content", "reason"), [(b"bad", "syntax"), (b"invalid", "refused"), (b"fault", "fault")])
def test_quarantine(fhir: Fhir, content: bytes, reason: str) -> None:
    """What cannot be used lies in quarantine with its bytes, and a corrected message of the same id is stored."""
    bad = Arrival("mllp", "1", content)
    found = arrive(fhir, bad, to_patient)
    assert (found.state, found.reason, raw_of(fhir.store, bad.id)) == ("quarantined", reason, content)
    assert [row.id for row in rows(fhir.store, "quarantined", door="mllp")] == [bad.id]
    assert arrive(fhir, Arrival("mllp", "1", b"good"), to_patient).state == "stored"
    assert patients(fhir.store) == 1


def test_retry(fhir: Fhir) -> None:
    """What lies in quarantine can be tried again: stored, its bytes are gone."""
    bad = Arrival("mllp", "1", b"bad")
    arrive(fhir, bad, to_patient)
    assert retry(fhir, bad, to_patient).reason == "syntax"
    assert retry(fhir, bad, lambda _: to_patient(b"")).state == "stored"
    assert retry(fhir, bad, lambda _: to_patient(b"")).known
    assert row_of(fhir.store, bad.id).state == "stored"
    with pytest.raises(FhirError):
        raw_of(fhir.store, bad.id)


def test_discard_and_prune(fhir: Fhir) -> None:
    """What is discarded is known when it comes again; what is old is forgotten."""
    bad = Arrival("mllp", "1", b"bad")
    arrive(fhir, bad, to_patient)
    discard(fhir.store, bad.id)
    assert (arrive(fhir, bad, to_patient).state, len(rows(fhir.store, "discarded"))) == ("discarded", 1)
    with pytest.raises(FhirError):
        discard(fhir.store, bad.id)
    arrive(fhir, Arrival("mllp", "2", b"bad"), to_patient)
    assert prune(fhir.store, fhir.settings, 0) == 0
    assert prune(fhir.store, fhir.settings, NOW) == 2
    assert fhir.store.query("SELECT count(*) FROM arrival_raw") == [(0,)]


def test_full_quarantine(fhir: Fhir) -> None:
    """When the quarantine is full, what cannot be used is not taken any more, and what can be is."""
    fhir.settings = fhir.settings.model_copy(update={"doors_quarantine": 1})
    arrive(fhir, Arrival("mllp", "1", b"bad"), to_patient)
    with pytest.raises(FhirError):
        arrive(fhir, Arrival("mllp", "2", b"bad"), to_patient)
    assert arrive(fhir, Arrival("mllp", "3", b"good"), to_patient).state == "stored"


def test_race(fhir: Fhir, database_url: str) -> None:
    """Two processes that are sent the same messages at the same time store each once."""
    other = Fhir(open_store(database_url, create=False), fhir.settings)
    found: list[Outcome] = []
    start = threading.Barrier(4)

    def send(to: Fhir) -> None:
        start.wait()
        found.extend([arrive(to, Arrival("mllp", str(n), b"a"), to_patient) for n in range(10)])

    threads = [threading.Thread(target=send, args=(to,)) for to in (fhir, other, fhir, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.store.close()
    assert patients(fhir.store) == 10
    assert Counter(one.known for one in found) == {True: 30, False: 10}


def test_settle(fhir: Fhir) -> None:
    """What is written may depend on what is stored, in the same transaction; nothing at all is an effect too."""
    id = derived_id("mllp", "1", "PID")

    def to_bundle(_: bytes) -> Made:
        entry = {
            "resource": {"resourceType": "Patient", "id": id},
            "request": {"method": "PUT", "url": f"Patient/{id}"},
        }
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
        return Made(bundle, (), lambda tx, made: made if tx.current("Patient", id) is None else {**made, "entry": []})

    assert arrive(fhir, Arrival("mllp", "1", b"a"), to_bundle).written == (f"Patient/{id}",)
    assert arrive(fhir, Arrival("mllp", "2", b"b"), to_bundle).written == ()
