"""A sealed store on each engine, and what is put into it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from server.interactions.exchange import Response
from server.interactions.fhir import Fhir
from server.phi.keys import Keys
from server.settings import Settings
from server.store import Store, open_store
from tests.conftest import make_request

ONE, TWO = bytes(range(32)), bytes(range(32, 64))


@pytest.fixture
def source() -> dict[int, bytes]:
    """The keys as their source gives them; a test may add and remove some."""
    return {1: ONE}


@pytest.fixture
def open_sealed(database_url: str, source: dict[int, bytes]) -> Iterator[Callable[..., Store]]:
    """A function that opens the database with its keys."""
    opened: list[Store] = []

    def start(**options: Any) -> Store:
        keys = options.pop("keys", None) or Keys(lambda: dict(source))
        opened.append(open_store(database_url, create=False, keys=keys, **options))
        return opened[-1]

    yield start
    for store in opened:
        store.close()


@pytest.fixture
def store(open_sealed: Callable[..., Store]) -> Store:
    """A sealed store."""
    return open_sealed()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings that let test data pass as it is."""
    return Settings(data=tmp_path / "var", open=True, validation="off")


Call = Callable[..., Response]


def caller(fhir: Fhir) -> Call:
    """Requests of somebody who may do everything."""
    return lambda method, url, body=None, **more: fhir.handle_sync(make_request(method, url, body, **more))


def patient(name: str, number: int) -> dict[str, Any]:
    """A patient whose every value says who it is, and nothing else does."""
    return {
        "resourceType": "Patient",
        "id": name,
        "identifier": [{"system": "urn:oid:1.2.3", "value": f"MRN{number:05d}Q", "type": {"text": f"Ty{number}pezz"}}],
        "name": [{"family": f"Family{number:05d}q", "given": [f"Given{number:05d}q"], "text": f"Fulln{number:05d}q"}],
        "telecom": [
            {"system": "phone", "value": f"+1-555-{number:05d}9"},
            {"system": "email", "value": f"mail{number:05d}q@example.org"},
        ],
        "birthDate": f"19{number % 90 + 10}-03-{number % 28 + 1:02d}",
        "gender": "female",
        "address": [
            {"line": [f"Street{number:05d}q"], "city": f"City{number:05d}q", "postalCode": f"Zip{number:05d}q"}
        ],
        "text": {"status": "generated", "div": f"<div xmlns='http://www.w3.org/1999/xhtml'>Narr{number:05d}q</div>"},
    }


def planted(number: int) -> list[str]:
    """What of such a patient must not be found."""
    words = ("Family", "Given", "Fulln", "Street", "City", "Zip", "Narr", "Note", "Scan")
    return [f"{word}{number:05d}q" for word in words] + [
        f"MRN{number:05d}Q",
        f"555-{number:05d}9",
        f"mail{number:05d}q",
    ]


def plant(call: Call, number: int) -> None:
    """Store a patient in two versions, an observation and a scanned file of it."""
    name = f"p{number}"
    call("PUT", f"Patient/{name}", patient(name, number))
    call("PUT", f"Patient/{name}", {**patient(name, number), "active": True})
    note = {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "code": {"text": f"Note{number:05d}q"},
        "subject": {"reference": f"Patient/{name}", "display": f"Family{number:05d}q"},
        "valueString": f"Note{number:05d}q",
    }
    call("PUT", f"Observation/o{number}", note)
    data = base64.b64encode(f"Scan{number:05d}q".encode()).decode()
    call(
        "PUT",
        f"Binary/b{number}",
        {"resourceType": "Binary", "id": f"b{number}", "contentType": "text/plain", "data": data},
    )
    document = {
        "resourceType": "DocumentReference",
        "id": f"d{number}",
        "status": "current",
        "subject": {"reference": f"Patient/{name}"},
        "content": [{"attachment": {"url": f"Binary/b{number}", "contentType": "text/plain"}}],
    }
    call("PUT", f"DocumentReference/d{number}", document)


def total(call: Call, url: str) -> int:
    """How many resources a search finds."""
    return int(json.loads(call("GET", url).body)["total"])
