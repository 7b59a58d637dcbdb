"""The examples of the pages on the API, as a reader would run them."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import httpx
import pytest
from reportlab.pdfgen.canvas import Canvas
from typer.testing import CliRunner

from server.bulk.handing import hand_over
from server.bulk.place import place_of
from server.cli.main import app
from server.settings import Settings
from tests.integration.conftest import start_live

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
EMITTED = ("Claim", "Condition", "Encounter", "Observation", "Organization", "Patient", "Practitioner", "Provenance")
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
    httpx.post(f"{server.base}/fhir", json=bundle, timeout=120).raise_for_status()
    _read(server.base, "letter")
    yield server.base
    server.stop()


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples need curl")
@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(page: str, furnished: str, tmp_path: Path) -> None:
    """Every command of the page succeeds and every request is answered below 400, one after the other."""
    shim = tmp_path / "bin" / "curl"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {shutil.which("curl")} -sS --fail-with-body --max-time 120 "$@"\n')
    shim.chmod(0o755)
    script = _BASE.sub(furnished, "\n".join(_blocks(DOCS / page)))
    environment = {**os.environ, "PATH": f"{shim.parent}:{os.environ['PATH']}", "BASE": f"{furnished}/fhir"}
    done = subprocess.run(
        ["bash", "-e", "-x", "-o", "pipefail", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-1500:]


def test_every_operation_has_its_page_and_example(furnished: str) -> None:
    """Each operation that the CapabilityStatement declares is called in an example of a page of docs/operations."""
    rest = httpx.get(f"{furnished}/fhir/metadata", timeout=120).json()["rest"][0]
    declared = {one["name"] for where in (rest, *rest["resource"]) for one in where.get("operation", [])}
    told = "\n".join(block for page in DOCS.glob("operations/*.md") for block in _blocks(page))
    called = set(re.findall(r"\$([a-z][a-z0-9-]+)", told))
    assert {"everything", "validate", "export"} <= declared
    assert declared - called == set()


def _read(base: str, document: str) -> None:
    """Wait until a document was read and coded: until then its words are not told."""
    for _ in range(600):
        found = httpx.get(f"{base}/fhir/Task", params={"focus": f"DocumentReference/{document}"}, timeout=120).json()
        if any(entry["resource"]["status"] == "completed" for entry in found.get("entry", ())):
            return
        time.sleep(0.5)
    raise AssertionError("the document was not coded")


def _letter() -> str:
    """Three pages as PDF, in base64; each says a dose."""
    canvas = Canvas(out := io.BytesIO(), pagesize=(612, 792), invariant=1)
    for page in (1, 2, 3):
        canvas.drawString(72, 700, f"Dose 20 mg on page {page}")
        canvas.showPage()
    canvas.save()
    return base64.b64encode(out.getvalue()).decode()


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
    {
        "resourceType": "DocumentReference",
        "id": "letter",
        "status": "current",
        "content": [{"attachment": {"contentType": "application/pdf", "data": _letter()}}],
    },
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


def test_the_output_of_a_bulk_run_is_imported_and_doing_it_twice_stores_the_same(
    furnished: str, built: Path, tmp_path: Path
) -> None:
    """`fhirwright bulk code … --import URL`: the server has what the output has, and no more after a second time."""
    pytest.importorskip("fsspec", reason="fsspec is not installed: the extra `bulk`")
    notes = [{"id": f"bulk-{n}", "text": f"ASSESSMENT\n1. Essential hypertension (I10). Visit {n}"} for n in range(3)]
    (tmp_path / "notes.ndjson").write_text("\n".join(json.dumps(note) for note in notes))
    out = tmp_path / "out"
    words = ["bulk", "code", str(tmp_path / "notes.ndjson"), "--output", str(out), "--processes", "1"]
    words += ["--on", "2026-09-01", "--data", str(built), "--import", f"{furnished}/fhir"]
    before = _stored(furnished)
    assert CliRunner().invoke(app, words).exit_code == 0
    kinds = Counter(json.loads(line)["resourceType"] for line in (out / "resources.ndjson").read_text().splitlines())
    assert {"Condition", "Claim"} <= set(kinds)
    first = _stored(furnished, kinds)
    assert {kind: first[kind] - before[kind] for kind in kinds} == dict(kinds)
    again = hand_over(f"{furnished}/fhir", place_of(str(out)), "ndjson", Settings(data=built))
    assert (again.stored, again.refused) == (sum(kinds.values()), 0)
    assert _stored(furnished, kinds) == first


def _stored(base: str, kinds: Iterable[str] = EMITTED) -> Counter[str]:
    """How many resources of each type there are."""
    got = {kind: httpx.get(f"{base}/fhir/{kind}?_summary=count", timeout=120).json()["total"] for kind in kinds}
    return Counter(got)
