"""Every published example and every Synthea resource is accepted, read back equal, and found by all of its values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from fhir_profiles.dates import OPEN_HIGH, OPEN_LOW
from fhir_profiles.definitions import load
from fhir_profiles.extract import index
from server.access.caller import ANYBODY
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.settings import Settings

BASE = "http://test/fhir"


def _load(path: Path) -> Any:
    """JSON with numbers as text, so that 72.50 differs from 72.5."""
    return json.loads(path.read_bytes(), parse_float=lambda text: f"decimal {text}")


def _read(fhir: Fhir, kind: str, name: str) -> Any:
    response = fhir.handle_sync(Request(caller=ANYBODY, method="GET", path=(kind, name), base_url=BASE))
    return json.loads(response.body, parse_float=lambda text: f"decimal {text}")


def _same_but_stamps(stored: dict[str, Any], sent: dict[str, Any]) -> bool:
    def plain(resource: dict[str, Any]) -> dict[str, Any]:
        meta = {k: v for k, v in resource.get("meta", {}).items() if k not in ("versionId", "lastUpdated")}
        return {**resource, "meta": meta}

    return plain(stored) == plain(sent)


def _escape(text: str) -> str:
    for mark in "\\,|$":
        text = text.replace(mark, f"\\{mark}")
    return text


def _moment(micros: int) -> str:
    from datetime import UTC, datetime, timedelta

    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _dates(low: int, high: int) -> Iterator[str]:
    if low > OPEN_LOW:
        yield f"ge{_moment(low)}"
        yield f"gt{_moment(low - 1)}"
    if high < OPEN_HIGH:
        yield f"le{_moment(high)}"
        yield f"lt{_moment(high)}"


def _numbers(value: float) -> Iterator[str]:
    written = format(Decimal(repr(value)), "f")
    yield from (written, f"ge{written}", f"le{written}", f"ap{written}")


def queries(resource: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Searches, each of which must find the resource."""
    rows = index(resource)
    params = load().search_params(resource["resourceType"])
    for code, system, value in rows.tokens:
        if code.endswith(":of-type"):
            yield code, "|".join(map(_escape, (system or "", *value.split("|", 1))))
            continue
        yield code, f"{_escape(system or '')}|{_escape(value)}"
        yield code, _escape(value)
        if system:
            yield code, f"{_escape(system)}|"
    for code, plain, exact in rows.strings:
        yield code, _escape(exact)
        yield code, _escape(plain[:3])
        yield f"{code}:exact", _escape(exact)
        yield f"{code}:contains", _escape(plain[1:])
    for code, low, high in rows.dates:
        yield from ((code, value) for value in _dates(low, high))
    for code, kind, name, url in rows.references:
        if url is not None:
            yield code, _escape(url)
        else:
            yield code, f"{kind}/{name}"
            yield f"{code}:{kind}", str(name)
            if kind in params[code].targets:  # a bare id means the types that the parameter may point to
                yield code, str(name)
    for code, value, low, high in rows.numbers:
        if abs(low) != float("inf") and abs(high) != float("inf"):
            yield from ((code, text) for text in _numbers(value))
    for code, value, low, high, system, unit_code, unit in rows.quantities:
        if abs(low) == float("inf") or abs(high) == float("inf") or high - value > 2 * (value - low) + 1:
            continue
        yield from ((code, text) for text in _numbers(value))
        written = format(Decimal(repr(value)), "f")
        if unit_code:
            yield code, f"{written}|{_escape(system or '')}|{_escape(unit_code)}"
        if unit:
            yield code, f"{written}||{_escape(unit)}"
    for code, value in rows.uris:
        yield code, _escape(value)
        yield f"{code}:below", _escape(value)


def _is_found(fhir: Fhir, resource: dict[str, Any], name: str, value: str) -> bool:
    pairs = (("_id", resource["id"]), (name, value), ("_count", "1"))
    path = (resource["resourceType"],)
    response = fhir.handle_sync(
        Request(caller=ANYBODY, method="GET", path=path, query=pairs, base_url=BASE, prefer="handling=strict")
    )
    bundle = json.loads(response.body)
    return [entry["resource"]["id"] for entry in bundle.get("entry", ())] == [resource["id"]]


def _missed(fhir: Fhir, resources: list[dict[str, Any]], limit_per_shape: int) -> tuple[list[str], int]:
    """What was not found and how many searches were made; a shape is a parameter, its form and its type."""
    seen: dict[tuple[str, str, str], int] = {}
    missed, asked = [], 0
    for resource in resources:
        for name, value in dict.fromkeys(queries(resource)):
            shape = (resource["resourceType"], name, value[:2] if value[:2].isalpha() else "")
            seen[shape] = seen.get(shape, 0) + 1
            if seen[shape] > limit_per_shape:
                continue
            asked += 1
            if not _is_found(fhir, resource, name, value):
                missed.append(f"{resource['resourceType']}/{resource['id']}?{urlencode({name: value})}")
    return missed, asked


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Consents are kept and not honoured: some examples ask for what a server must refuse that keeps to them."""
    return settings.model_copy(update={"consent": "ignore"})


@pytest.fixture(scope="module")
def examples(shared: Path) -> list[tuple[Path, dict[str, Any]]]:
    """The published R4 examples."""
    return [(path, _load(path)) for path in sorted((shared / "conformance/r4-examples").glob("*.json"))]


def _typed(fhir: Fhir, kind: str, name: str) -> dict[str, Any]:
    body = fhir.handle_sync(Request(caller=ANYBODY, method="GET", path=(kind, name), base_url=BASE)).body
    return json.loads(body, parse_float=Decimal)


def test_examples_are_stored_and_found(
    fhir: Fhir, examples: list[tuple[Path, dict[str, Any]]], database_url: str
) -> None:
    """Each R4 example is accepted, read back equal to the digit, and found by every value; PostgreSQL: every fourth."""
    stored: dict[tuple[str, str], dict[str, Any]] = {}
    step = 4 if database_url.startswith("postgresql") else 1
    for path, resource in examples[::step]:
        key = (resource["resourceType"], resource["id"])
        fhir.handle_sync(Request(caller=ANYBODY, method="PUT", path=key, body=path.read_bytes(), base_url=BASE))
        assert _same_but_stamps(_read(fhir, *key), resource), path.name
        stored[key] = _typed(fhir, *key)
    missed, asked = _missed(fhir, list(stored.values()), limit_per_shape=20)
    assert missed[:10] == []
    assert asked > 5_000 / step


def test_synthea_is_stored_and_found(fhir: Fhir, shared: Path) -> None:
    """Each Synthea Bundle is accepted whole; its resources read back equal and are found by every value."""
    resources = []
    for path in sorted((shared / "conformance/synthea").glob("*.json")):
        sent = _load(path)
        response = fhir.handle_sync(Request(caller=ANYBODY, method="POST", body=path.read_bytes(), base_url=BASE))
        answers = json.loads(response.body)["entry"]
        places = {
            entry["fullUrl"]: "/".join(answer["response"]["location"].removeprefix(f"{BASE}/").split("/")[:2])
            for entry, answer in zip(sent["entry"], answers, strict=True)
        }
        for entry in sent["entry"]:
            kind, name = places[entry["fullUrl"]].split("/")
            expected = json.loads(_linked(json.dumps(entry["resource"]), places))
            assert _same_but_stamps(_read(fhir, kind, name), {**expected, "id": name})
            resources.append(_typed(fhir, kind, name))
    assert len(resources) > 3_000
    missed, asked = _missed(fhir, resources, limit_per_shape=25)
    assert missed[:10] == []
    assert asked > 3_000


def _linked(text: str, places: dict[str, str]) -> str:
    for full_url, place in places.items():
        text = text.replace(f'"reference": "{full_url}"', f'"reference": "{place}"')
    return text
