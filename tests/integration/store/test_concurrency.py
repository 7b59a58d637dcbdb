"""Promises under concurrent writers. Each store has a writer of its own, as each process of a server does."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import pytest

from fhir_profiles.errors import Category, FhirError
from server.access.caller import ANYBODY
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.settings import Settings
from server.store import open_store

STORES = 3


@pytest.fixture
def servers(database_url: str, settings: Settings):
    """Several servers over one database."""
    stores = [open_store(database_url, create=False) for _ in range(STORES)]
    yield [Fhir(store, settings) for store in stores]
    for store in stores:
        store.close()


def _together(tasks: list[Callable[[], None]]) -> None:
    errors: list[BaseException] = []

    def guarded(task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def _counter(value: int) -> bytes:
    return json.dumps({"resourceType": "Patient", "id": "c", "multipleBirthInteger": value}).encode()


def test_no_update_is_lost(servers: list[Fhir]) -> None:
    """Read, add one, write with If-Match, repeat on 412: the sum is right whoever wrote between."""
    put = Request(caller=ANYBODY, method="PUT", path=("Patient", "c"), body=_counter(0))
    servers[0].handle_sync(put)

    def add(fhir: Fhir) -> None:
        for _ in range(15):
            while True:
                read = fhir.handle_sync(Request(caller=ANYBODY, method="GET", path=("Patient", "c")))
                value = json.loads(read.body)["multipleBirthInteger"]
                try:
                    fhir.handle_sync(
                        Request(
                            caller=ANYBODY,
                            method="PUT",
                            path=("Patient", "c"),
                            body=_counter(value + 1),
                            if_match=read.etag,
                        )
                    )
                    break
                except FhirError as error:
                    assert error.category is Category.CONFLICT

    _together([lambda fhir=fhir: add(fhir) for fhir in servers for _ in range(2)])
    read = servers[0].handle_sync(Request(caller=ANYBODY, method="GET", path=("Patient", "c")))
    assert json.loads(read.body)["multipleBirthInteger"] == STORES * 2 * 15
    assert read.etag == f'W/"{STORES * 2 * 15 + 1}"'


def test_writers_of_one_resource_take_turns(servers: list[Fhir]) -> None:
    """Unconditional updates from several servers all succeed, each as a version of its own."""

    def write(fhir: Fhir, start: int) -> None:
        for n in range(20):
            fhir.handle_sync(Request(caller=ANYBODY, method="PUT", path=("Patient", "c"), body=_counter(start + n)))

    _together([lambda fhir=fhir, at=at: write(fhir, at * 1000) for at, fhir in enumerate(servers)])
    store = servers[0].store
    current = store.read("Patient", "c")
    assert current.version == STORES * 20
    versions = [store.read_version(current, n) for n in range(1, STORES * 20 + 1)]
    assert len({json.loads(version.body)["multipleBirthInteger"] for version in versions}) == STORES * 20
    assert [version.updated for version in versions] == sorted({version.updated for version in versions})
    assert store.query("SELECT sum(events) FROM audit_event") == [(STORES * 20,)]


def test_racing_conditional_creates_make_one(servers: list[Fhir]) -> None:
    """The same conditional create on several servers at once leaves one resource."""
    body = b'{"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"1"}]}'
    request = Request(caller=ANYBODY, method="POST", path=("Patient",), body=body, if_none_exist="identifier=urn:mrn|1")
    statuses: list[int] = []
    _together([lambda fhir=fhir: statuses.append(fhir.handle_sync(request).status) for fhir in servers * 5])
    assert sorted(statuses) == [200] * (STORES * 5 - 1) + [201]
    assert servers[0].store.query("SELECT count(*) FROM resource") == [(1,)]


def test_bundles_that_cross_do_not_fail(servers: list[Fhir]) -> None:
    """Transactions that change the same resources in opposite order all succeed."""

    def write(fhir: Fhir, names: list[str], start: int) -> None:
        for n in range(10):
            entries = [
                {
                    "resource": {"resourceType": "Patient", "id": name, "multipleBirthInteger": start + n},
                    "request": {"method": "PUT", "url": f"Patient/{name}"},
                }
                for name in names
            ]
            body = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()
            assert fhir.handle_sync(Request(caller=ANYBODY, method="POST", body=body)).status == 200

    names = [f"n{n}" for n in range(8)]
    orders = [names, names[::-1], names[4:] + names[:4]]
    _together(
        [
            lambda fhir=f, order=o, at=n: write(fhir, order, at * 100)
            for n, (f, o) in enumerate(zip(servers, orders, strict=True))
        ]
    )
    assert {servers[0].store.read("Patient", name).version for name in names} == {30}


def test_a_lost_connection_is_made_again(database_url: str, settings: Settings) -> None:
    """When the database drops every connection, the next write and read work."""
    if database_url.startswith("sqlite"):
        pytest.skip("a file has no connections to lose")
    fhir = Fhir(open_store(database_url, create=False), settings)
    put = Request(caller=ANYBODY, method="PUT", path=("Patient", "c"), body=_counter(1))
    get = Request(caller=ANYBODY, method="GET", path=("Patient", "c"))
    fhir.handle_sync(put)
    fhir.handle_sync(get)
    other = open_store(database_url, create=False)
    kill = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    other.write_sync(lambda tx: tx.query(kill))
    other.close()
    assert fhir.handle_sync(get).status == 200
    assert (
        fhir.handle_sync(Request(caller=ANYBODY, method="PUT", path=("Patient", "c"), body=_counter(2))).etag == 'W/"2"'
    )
    fhir.store.close()
