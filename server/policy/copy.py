"""A copy of everything for the patient: all resources, and who had access to them (45 CFR 164.524 and 164.528)."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from fhir_profiles import json
from server.access.caller import SYSTEM
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.operations.everything import Everything

from .proof import Proof, sign

RESOURCES, ACCESSES, PROOF = "resources.ndjson", "accesses.ndjson", "proof.json"
_BASE = "http://localhost/fhir"
Json = dict[str, object]


def write_copy(fhir: Fhir, audit: Path, patient: str, folder: Path) -> Proof:
    """Write the files into a new folder, the proof last; FhirError NOT_FOUND for a patient that is not there."""
    everything = Everything(fhir)

    def ask(request: Request) -> bytes:
        whole = request.path[-1] == "$everything"
        return asyncio.run(everything(request)).body if whole else fhir.handle_sync(request).body

    resources = _pages(ask, ("Patient", patient, "$everything"))
    first = next(resources)  # a patient that is not there leaves no folder
    folder.mkdir(parents=True)
    found = {
        RESOURCES: _write(folder / RESOURCES, _chain(first, resources)),
        ACCESSES: _write(folder / ACCESSES, _pages(ask, ("AuditEvent",), (("patient", patient),))),
    }
    seq = fhir.store.query("SELECT max(seq) FROM audit_event")[0][0] or 0
    proof = Proof(what="access", patient=patient, at=time.time_ns() // 1000, event=int(seq), found=found)
    (folder / PROOF).write_bytes(sign(proof, audit))
    return proof


def _chain(first: Json, rest: Iterator[Json]) -> Iterator[Json]:
    yield first
    yield from rest


def _pages(ask: object, path: tuple[str, ...], query: tuple[tuple[str, str], ...] = ()) -> Iterator[Json]:
    """The resources of all pages."""
    asked: tuple[tuple[str, str], ...] | None = (*query, ("_count", "500"))
    while asked is not None:
        request = Request(method="GET", path=path, query=asked, base_url=_BASE, caller=SYSTEM)
        bundle = json.decode(ask(request))  # type: ignore[operator]
        for entry in bundle.get("entry") or ():
            yield entry["resource"]
        after = next((link["url"] for link in bundle.get("link") or () if link["relation"] == "next"), None)
        asked = None if after is None else tuple(parse_qsl(urlsplit(after).query, keep_blank_values=True))


def _write(path: Path, resources: Iterator[Json]) -> Json:
    """Write lines; how many, and the hash of the file. The file is on the disk afterwards."""
    digest, count = hashlib.sha256(), 0
    with path.open("wb") as file:
        for resource in resources:
            line = json.encode(resource) + b"\n"
            digest.update(line)
            file.write(line)
            count += 1
        file.flush()
        os.fsync(file.fileno())
    return {"lines": count, "sha256": digest.hexdigest()}
