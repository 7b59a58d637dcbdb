"""Packages made in memory."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MANIFEST = {"name": "org.example.ig", "version": "1.0.0", "title": "Example", "fhirVersions": ["4.0.1"]}
PATIENT = {
    "resourceType": "StructureDefinition", "url": "http://example.org/StructureDefinition/p", "version": "1.0.0",
    "name": "P", "status": "active", "kind": "resource", "abstract": False, "type": "Patient",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient", "derivation": "constraint",
    "differential": {"element": [{"id": "Patient", "path": "Patient"},
                                 {"id": "Patient.name", "path": "Patient.name", "min": 1}]},
}  # fmt: skip
Build = Callable[..., Path]


@pytest.fixture
def package(tmp_path: Path) -> Build:
    """`package({"P.json": resource}, version="2.0.0")`: a .tgz; bytes and TarInfo go in as they are."""

    def build(entries: dict[str, Any], file: str = "package.tgz", **manifest: Any) -> Path:
        path = tmp_path / file
        with tarfile.open(path, "w:gz") as archive:
            for name, content in {"package.json": {**MANIFEST, **manifest}, **entries}.items():
                if isinstance(content, tarfile.TarInfo):
                    archive.addfile(content)
                elif content is not None:
                    body = content if isinstance(content, bytes) else json.dumps(content).encode()
                    info = tarfile.TarInfo(name if "/" in name else f"package/{name}")
                    info.size = len(body)
                    archive.addfile(info, io.BytesIO(body))
        return path

    return build


@pytest.fixture
def profile() -> dict[str, Any]:
    """A profile of Patient that wants a name."""
    return json.loads(json.dumps(PATIENT))
