"""The examples of the pages on the API, as a reader would run them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.conftest import start_live

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
_BASE = re.compile(r"(http://)?(localhost|127\.0\.0\.1):8000")


def _blocks(page: Path) -> list[str]:
    return [block for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL) if "curl" in block]


PAGES = sorted(
    str(page.relative_to(DOCS))
    for page in (*DOCS.glob("*.md"), *DOCS.glob("operations/*.md"))
    if _blocks(page) and page.name not in ("getting-started.md", "deployment.md")  # these set up what answers them
)


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory, furnish: Callable[[Path], Path]) -> Iterator[str]:
    """A server and a worker, with the resources that the pages name: its address."""
    server = start_live(furnish(tmp_path_factory.mktemp("examples")), "--worker")
    entries = [
        {"resource": resource, "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}}
        for resource in RESOURCES
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    httpx.post(f"{server.base}/fhir", json=bundle, timeout=30).raise_for_status()
    yield server.base
    server.stop()


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples need curl")
@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(page: str, furnished: str, tmp_path: Path) -> None:
    """Every command of the page succeeds and every request is answered below 400, one after the other."""
    shim = tmp_path / "bin" / "curl"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {shutil.which("curl")} -sS --fail-with-body --max-time 30 "$@"\n')
    shim.chmod(0o755)
    script = _BASE.sub(furnished, "\n".join(_blocks(DOCS / page)))
    environment = {**os.environ, "PATH": f"{shim.parent}:{os.environ['PATH']}", "BASE": f"{furnished}/fhir"}
    done = subprocess.run(
        ["bash", "-e", "-x", "-o", "pipefail", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-1500:]


def test_every_operation_has_its_page_and_example(furnished: str) -> None:
    """Each operation that the CapabilityStatement declares is called in an example of a page of docs/operations."""
    rest = httpx.get(f"{furnished}/fhir/metadata", timeout=30).json()["rest"][0]
    declared = {one["name"] for where in (rest, *rest["resource"]) for one in where.get("operation", [])}
    told = "\n".join(block for page in DOCS.glob("operations/*.md") for block in _blocks(page))
    called = set(re.findall(r"\$([a-z][a-z-]+)", told))
    assert {"everything", "validate", "export"} <= declared
    assert declared - called == set()


def _coding(system: str, code: str) -> dict[str, object]:
    return {"coding": [{"system": system, "code": code}]}


_SUBJECT = {"reference": "Patient/p"}
RESOURCES: list[dict[str, object]] = [
    {
        "resourceType": "Patient",
        "id": "p",
        "name": [{"use": "official", "family": "Quill", "given": ["Ada"]}],
        "generalPractitioner": [{"reference": "Practitioner/d"}],
    },
    {"resourceType": "Patient", "id": "1", "name": [{"family": "Quine"}]},
    {"resourceType": "Practitioner", "id": "d", "name": [{"family": "Smith"}]},
    {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "category": [_coding("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs")],
        "code": _coding("http://loinc.org", "8480-6"),
        "subject": _SUBJECT,
        "effectiveDateTime": "2025-03-04",
        "valueQuantity": {"value": 120, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"},
    },
    {
        "resourceType": "Composition",
        "id": "c",
        "status": "final",
        "type": _coding("http://loinc.org", "11488-4"),
        "subject": _SUBJECT,
        "date": "2025-03-04",
        "author": [{"reference": "Practitioner/d"}],
        "title": "A consultation",
    },
    {
        "resourceType": "Group",
        "id": "g",
        "type": "person",
        "actual": True,
        "member": [{"entity": _SUBJECT}],
    },
    {"resourceType": "List", "id": "42", "status": "current", "mode": "working", "entry": [{"item": _SUBJECT}]},
]
