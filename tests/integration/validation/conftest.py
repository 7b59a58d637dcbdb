"""Profiles of packages and of clients, and a server that knows them."""

from __future__ import annotations

import asyncio
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fhir_profiles import json as fhir_json
from fhir_profiles.packages import install
from server.access.caller import ANYBODY
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.operations import validate
from server.settings import Settings
from server.store import Store

CORE = "http://hl7.org/fhir/StructureDefinition/"
NAMED = "http://example.org/StructureDefinition/named"
STATUS = "http://example.org/StructureDefinition/coded"


def profile(url: str, of: str, *elements: dict[str, Any]) -> dict[str, Any]:
    """A StructureDefinition with a differential."""
    return {
        "resourceType": "StructureDefinition", "id": url.rpartition("/")[2], "url": url, "version": "1.0.0",
        "name": url.rpartition("/")[2].capitalize(), "status": "active", "kind": "resource", "abstract": False,
        "type": of, "baseDefinition": CORE + of, "derivation": "constraint",
        "differential": {"element": [{"id": of, "path": of}, *elements]},
    }  # fmt: skip


PROFILES = {
    NAMED: profile(NAMED, "Patient", {"id": "Patient.name", "path": "Patient.name", "min": 1, "mustSupport": True},
                   {"id": "Patient.gender", "path": "Patient.gender", "mustSupport": True}),
    STATUS: profile(STATUS, "Condition", {
        "id": "Condition.code", "path": "Condition.code", "min": 1,
        "binding": {"strength": "required", "valueSet": "http://example.org/ValueSet/snomed"}}),
}  # fmt: skip
SNOMED = {
    "resourceType": "ValueSet", "url": "http://example.org/ValueSet/snomed", "version": "1.0.0", "status": "active",
    "compose": {"include": [{"system": "http://snomed.info/sct", "filter": [
        {"property": "concept", "op": "is-a", "value": "404684003"}]}]},
}  # fmt: skip


@pytest.fixture
def loaded(settings: Settings, tmp_path: Path) -> None:
    """The data directory has a package with the profiles above."""
    path = tmp_path / "example.tgz"
    contents = [{"name": "org.example", "version": "1.0.0"}, *PROFILES.values(), SNOMED]
    with tarfile.open(path, "w:gz") as archive:
        for n, content in enumerate(contents):
            body = json.dumps(content).encode()
            info = tarfile.TarInfo(f"package/{f'{n}.json' if n else 'package.json'}")
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    install(settings.data, path)


@pytest.fixture
def serve(store: Store, settings: Settings) -> Callable[..., Fhir]:
    """`serve(validation="structure")`: the interactions with other settings."""
    return lambda **more: Fhir(store, settings.model_copy(update=more))


Issues = list[tuple[str, str, str | None]]


@pytest.fixture
def outcome(fhir: Fhir) -> Callable[..., dict[str, Any]]:
    """`outcome("Patient", resource, mode="create")`: the OperationOutcome of `$validate`."""
    handler = validate.Validate(fhir)

    def call(path: str, body: dict[str, Any] | None = None, **query: str) -> dict[str, Any]:
        request = Request(
            caller=ANYBODY,
            method="POST" if body else "GET",
            path=(*path.split("/"), "$validate"),
            query=tuple(query.items()),
            body=json.dumps(body).encode() if body else b"",
            base_url="http://test/fhir",
        )
        answer = asyncio.run(handler(request))
        assert answer.status == 200
        return fhir_json.decode(answer.body)

    return call


@pytest.fixture
def issues(outcome: Callable[..., dict[str, Any]]) -> Callable[..., Issues]:
    """The same as (severity, code, expression), without what says that all is well or advises a narrative."""

    def call(path: str, body: dict[str, Any] | None = None, **query: str) -> Issues:
        found = outcome(path, body, **query)["issue"]
        return [
            (i["severity"], i["code"], i.get("expression", [None])[0])
            for i in found
            if not i["diagnostics"].startswith(("All OK", "dom-6"))
        ]

    return call
