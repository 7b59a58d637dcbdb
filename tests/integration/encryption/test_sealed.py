"""Encryption at rest over both engines: OPS-17, OPS-18, OPS-19."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ahocorasick_rs import BytesAhoCorasick

from fhir_profiles.errors import Category, FhirError
from server.access.caller import ANYBODY
from server.audit.event import by, decode
from server.audit.hiding import reveal
from server.audit.trace import Trace
from server.audit.trail import Trail
from server.interactions.fhir import Fhir
from server.jobs.cache import ContentCache
from server.jobs.chunks import read_chunk, write_chunk
from server.jobs.deflate import unpack
from server.phi.keys import Keys, KeysError
from server.store import Store, Tx
from server.store.resealing import scrub
from server.store.sealing import DAMAGED
from tests.integration.encryption.conftest import TWO, caller, patient, plant, planted, total

MANY = range(500, 517)
"""Numbers that no test of a clear database has: they share the log of one PostgreSQL."""


def _words(numbers: range) -> list[str]:
    return [word for number in numbers for word in planted(number)]


def _hits(files: list[Path], words: list[str]) -> list[str]:
    """The words that stand in a file, in whatever case, as text, in base64 or as UTF-16."""
    content = b"\0".join(file.read_bytes() for file in files if file.is_file()).lower()
    forms = [
        form
        for word in words
        for form in (
            word.lower().encode(),
            word.lower().encode("utf-16-le"),
            base64.b64encode(word.encode()).rstrip(b"=")[:-1].lower(),
        )
    ]
    found = BytesAhoCorasick(forms).find_matches_as_indexes(content, overlapping=True)
    hit = {which // 3 for which, _, _ in found}
    return [word for number, word in enumerate(words) if number in hit]


def _files_of(store: Store, tmp_path: Path) -> list[Path]:
    """Every file of the database: main file, log, temporary ones; on PostgreSQL the whole data directory."""
    if store.dialect == "sqlite":
        return list(tmp_path.rglob("*"))
    [(directory,)] = store.query("SELECT setting FROM pg_settings WHERE name = 'data_directory'")
    [(base,)] = store.query("SELECT 'base/' || oid FROM pg_database WHERE datname = current_database()")
    root = Path(directory)
    places = (base, "base/pgsql_tmp", "pg_wal")
    return [file for place in places if (root / place).exists() for file in (root / place).rglob("*")]


@pytest.mark.check("OPS-18")
def test_ops_18_no_planted_identifier_is_found(store: Store, settings: Any, tmp_path: Path) -> None:
    """OPS-18: 200 planted identifiers are in no file of the database, its log, its caches, queues or backups."""
    call = caller(Fhir(store, settings))
    for number in MANY:
        plant(call, number)
    words = _words(MANY)
    assert len(words) >= 200
    store.write_sync(lambda tx: write_chunk(tx, "job", 0, ("output", "x", "Patient"), [words[0].encode()]))
    cache = ContentCache(tmp_path / "cache", 1 << 20, store.cache_key())
    cache.put("document:1", "\n".join(words).encode())
    if store.dialect == "postgresql":
        scrub(store)
    else:
        shutil.copy(tmp_path / "test.db", tmp_path / "backup.db")
    assert _hits(_files_of(store, tmp_path), words) == []
    assert cache.get("document:1") == "\n".join(words).encode()
    assert unpack(read_chunk(store, "job", 0)) == words[0].encode() + b"\n"


def test_the_search_for_words_finds_them_in_a_clear_database(database_url: str, settings: Any, tmp_path: Path) -> None:
    """What looks for planted identifiers does find them where nothing is sealed."""
    from server.store import open_store

    store = open_store(database_url, create=False)
    call = caller(Fhir(store, settings))
    plant(call, 1)
    if store.dialect == "postgresql":
        scrub(store)
    found = _hits(_files_of(store, tmp_path), planted(1))
    store.close()
    assert {"Family00001q", "MRN00001Q", "Narr00001q", "Scan00001q"} <= set(found)


@pytest.mark.check("OPS-17")
def test_ops_17_a_flipped_byte_is_an_integrity_error(store: Store, settings: Any) -> None:
    """OPS-17: a stored row with one byte changed is answered as a fault without its content, and counted."""
    call = caller(Fhir(store, settings))
    plant(call, 3)
    [(body,)] = store.query("SELECT body FROM resource WHERE type = 'Patient' AND id = 'p3'")
    for at in (2, 15, len(body) // 2, len(body) - 1):
        broken = bytes(body[:at]) + bytes([body[at] ^ 1]) + bytes(body[at + 1 :])
        store.write_sync(lambda tx, broken=broken: _put(tx, "Patient", "p3", broken))
        before = DAMAGED._value.get()
        with pytest.raises(FhirError) as raised:
            call("GET", "Patient/p3")
        assert raised.value.category is Category.FAULT
        assert "Family" not in str(raised.value)
        assert DAMAGED._value.get() == before + 1
        with pytest.raises(FhirError):
            call("GET", "Patient?gender=female")


def _put(tx: Tx, kind: str, name: str, body: bytes) -> None:
    tx.execute("UPDATE resource SET body = ? WHERE type = ? AND id = ?", (body, kind, name))


@pytest.mark.check("OPS-19")
def test_ops_19_moved_ciphertext_does_not_open(store: Store, settings: Any) -> None:
    """OPS-19: a body that is moved to another row, version, column or tenant fails to open."""
    call = caller(Fhir(store, settings))
    plant(call, 1)
    plant(call, 2)
    bodies = {(row[0], row[1]): bytes(row[2]) for row in store.query("SELECT type, id, body FROM resource")}
    [(old,)] = store.query("SELECT body FROM history WHERE type = 'Patient' AND id = 'p1'")
    for moved in (bodies["Patient", "p2"], bodies["Observation", "o1"], bytes(old)):
        store.write_sync(lambda tx, moved=moved: _put(tx, "Patient", "p1", moved))
        with pytest.raises(FhirError) as raised:
            call("GET", "Patient/p1")
        assert raised.value.category is Category.FAULT
    store.write_sync(lambda tx: _put(tx, "Patient", "p1", bodies["Patient", "p1"]))
    assert call("GET", "Patient/p1").status == 200
    assert store.sealing is not None
    with pytest.raises(FhirError):
        store.sealing.read(store.query, ("later", "p1", "result"), bodies["Patient", "p1"])
    store.sealing.tenant = "other"
    with pytest.raises(FhirError):
        call("GET", "Patient/p1")


def test_a_clear_body_in_a_sealed_database_is_refused(store: Store, settings: Any) -> None:
    """Who can write to the database cannot plant a body that was never sealed."""
    call = caller(Fhir(store, settings))
    plant(call, 1)
    store.write_sync(lambda tx: _put(tx, "Patient", "p1", json.dumps(patient("p1", 9)).encode()))
    with pytest.raises(FhirError) as raised:
        call("GET", "Patient/p1")
    assert raised.value.category is Category.FAULT


FOUND = [
    "identifier=MRN00002Q",
    "identifier=urn:oid:1.2.3|MRN00002Q",
    "family=family00002",
    "family:exact=Family00002q",
    "given=GIVEN00002Q",
    "name=fulln00002q",
    "phone=%2B1-555-000029",
    "email=mail00002q@example.org",
    "address=street00002q",
    "address-city=city00002",
    "address-postalcode=zip00002q",
    "birthdate=1912-03-03",
    "birthdate=1912-03",
    "birthdate=1912",
    "_has:Observation:subject:status=final&family=family00002q",
]
REFUSED = ["family:contains=amily", "birthdate=ge1912", "_sort=family", "_content=narr", "_filter=family co am"]


@pytest.mark.parametrize("query", FOUND)
def test_who_a_person_is_can_be_searched_for(shared_world: Callable[..., Any], query: str) -> None:
    """Identifiers, beginnings of names and whole days find the one patient that they are about."""
    assert total(shared_world, f"Patient?{query}&_total=accurate") == 1


@pytest.mark.parametrize("query", REFUSED)
def test_what_hashes_cannot_say_is_refused(shared_world: Callable[..., Any], query: str) -> None:
    """A search that would need the values themselves is refused, and says so."""
    with pytest.raises(FhirError) as raised:
        shared_world("GET", f"Patient?{query}")
    assert raised.value.category is Category.UNSUPPORTED


@pytest.fixture
def shared_world(store: Store, settings: Any) -> Callable[..., Any]:
    """Three patients."""
    call = caller(Fhir(store, settings))
    for number in (1, 2, 3):
        plant(call, number)
    return call


def test_codes_dates_and_references_are_searched_for_as_ever(shared_world: Callable[..., Any]) -> None:
    """What does not say who somebody is stays in clear, and is found by all its modifiers."""
    assert total(shared_world, "Patient?gender=female") == 3
    assert total(shared_world, "Observation?subject=Patient/p1") == 1
    assert total(shared_world, "Observation?subject:Patient.identifier=MRN00001Q") == 1
    assert total(shared_world, "Patient?_lastUpdated=gt2020") == 3


def test_keys_and_database_must_fit(database_url: str, store: Store) -> None:
    """A sealed database is not opened without its keys, nor with others."""
    from server.store import open_store

    with pytest.raises(KeysError, match="is encrypted"):
        open_store(database_url, create=False)
    with pytest.raises(KeysError, match="not those"):
        open_store(database_url, create=False, keys=Keys(lambda: {1: TWO}))
    with pytest.raises(KeysError, match="lacks version 1"):
        open_store(database_url, create=False, keys=Keys(lambda: {2: TWO}))


@pytest.mark.check("OPS-18")
def test_ops_18_what_was_asked_is_sealed_in_the_audit_trail(store: Store, settings: Any, tmp_path: Path) -> None:
    """OPS-18: neither the spool nor the chain holds a query or a client's own event in clear; who may read it can."""
    fhir = Fhir(store, settings)
    call = caller(fhir)
    asked = Trace(asked="/fhir/Patient?family=Family00520q")
    who = msgspec.structs.replace(ANYBODY, trace=asked)
    given = {
        "resourceType": "AuditEvent",
        "recorded": "2026-01-01T00:00:00Z",
        "type": {"code": "rest"},
        "agent": [{"requestor": True, "name": "Family00520q"}],
        "source": {"observer": {"display": "Family00520q"}},
    }
    call("POST", "AuditEvent", given)
    trail = Trail(store, settings)
    trail.keep(by(who, "search", 200, method="GET", query=True))
    spooled = list((tmp_path / "var").rglob("*.spool"))
    assert spooled
    assert _hits(spooled, ["Family00520q"]) == []
    trail.chain()
    rows = store.query("SELECT data FROM audit_event ORDER BY seq")
    assert len(rows) >= 2
    kept = tmp_path / "events"
    kept.write_bytes(b"\n".join(bytes(row[0]) for row in rows))
    assert _hits([kept], ["Family00520q"]) == []
    assert b"sealed:" in kept.read_bytes()
    shown = [reveal(store.sealing, decode(bytes(row[0]))) for row in rows]
    assert any(b"Family00520q" in base64.b64decode(one.query) for one in shown if one.query)
    assert any(b"Family00520q" in bytes(one.given) for one in shown)
    trail.close()
