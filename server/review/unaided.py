"""Coded unaided: what the machine made of a document is set apart, so that a person codes it without seeing that.

What stays is whom and when the document is about, and a draft Claim with nothing on it
(https://hl7.org/fhir/R4/claim.html). The shadow of models (`server.learning.shadow`) is another: it compares machines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from claims.draft import draft_claim
from fhir_profiles.systems import REVIEW_TAG
from server.review.gather import claim_of, pipeline_of
from server.review.model import Json
from server.review.read import reference_of, tags_of

TAG: Final = {"system": REVIEW_TAG, "code": "unaided", "display": "Coded unaided"}
PEOPLE: Final = ("Patient", "Practitioner", "Encounter")
"""Results of a run that suggest no code: they are stored as ever."""

_CLAIM = (
    "resourceType", "id", "status", "type", "use", "patient", "billablePeriod", "created", "provider", "priority",
    "insurance", "supportingInfo",
)  # fmt: skip
_RUN = ("resourceType", "id", "contained", "recorded")
_TOLD = "Read from the document. What was suggested is kept apart: a person codes it unaided."


class Parted(NamedTuple):
    """A run's transaction Bundle in two: what may be seen, and the whole of it, which may not."""

    open: Json
    apart: Json


def is_drawn(document: str, percent: float) -> bool:
    """Whether a DocumentReference's id is among the `percent` that are coded unaided: always the same ones."""
    drawn = int.from_bytes(hashlib.sha256(f"unaided {document}".encode()).digest()[:8], "big")
    return drawn * 100 < percent * 2**64


def is_wanted(document: Mapping[str, Any], percent: float, custodians: Collection[str]) -> bool:
    """Whether a DocumentReference is coded unaided: its custodian's are, or it is drawn."""
    custodian = str((document.get("custodian") or {}).get("reference", ""))
    named = "/".join(custodian.partition("/_history")[0].split("/")[-2:])
    return (bool(named) and named in custodians) or is_drawn(str(document["id"]), percent)


def is_unaided(resource: Mapping[str, Any] | None) -> bool:
    """Whether a Task, Claim or other resource says that its document is coded unaided."""
    return resource is not None and TAG["code"] in tags_of(resource)


def marked(resource: Json) -> Json:
    """The resource with the tag that its document is coded unaided."""
    if is_unaided(resource):
        return resource
    meta = resource.get("meta") or {}
    made = {name: value for name, value in resource.items() if name not in ("resourceType", "id", "meta")}
    head: Json = {name: resource[name] for name in ("resourceType", "id") if name in resource}
    return {**head, "meta": {**meta, "tag": [*(meta.get("tag") or ()), dict(TAG)]}, **made}


def parted(bundle: Json, document: str) -> Parted:
    """The Bundle of a run over DocumentReference/ID in two."""
    entries = bundle["entry"]
    shown = [one for one in entries if one["resource"]["resourceType"] in PEOPLE]
    claim = _put(_claim(entries, document))
    run = next((e["resource"] for e in entries if reference_of(e["resource"]) == pipeline_of(document)), None)
    told = [_put(_run(run, [*shown, claim], document))] if run else []
    return Parted({**bundle, "entry": [*shown, claim, *told]}, bundle)


def _claim(entries: list[Json], document: str) -> Json:
    """The draft with nothing on it: the machine's, or a new one where it had nothing to claim."""
    resources = [one["resource"] for one in entries]
    found = next((one for one in resources if reference_of(one) == claim_of(document)), None)
    if found is None:
        subjects = (one.get("subject") for one in resources)
        people = ({"reference": e["fullUrl"]} for e in entries if e["resource"]["resourceType"] == "Patient")
        nobody: Json = {"display": "Not named in the document"}
        subject = next((one for one in subjects if one), None) or next(people, nobody)
        day = next((str(one["recorded"]) for one in resources if "recorded" in one), "")
        found = draft_claim(
            id=claim_of(document).partition("/")[2], kind="professional", patient=subject, created=day,
            document={"reference": document},
        )  # fmt: skip
    return marked({name: found[name] for name in _CLAIM if name in found})


def _run(run: Json, shown: list[Json], document: str) -> Json:
    """What the run tells of itself, without what it found and which code systems it chose from."""
    read = [e for e in run["entity"] if str((e["what"]).get("reference", "")).startswith(document)]
    kept: Json = {name: run[name] for name in _RUN if name in run}
    targets = [{"reference": one["fullUrl"]} for one in shown]
    software = [one for one in kept.get("contained") or () if one.get("id") == "software"]
    told = {"target": targets, "activity": {"text": _TOLD}, "agent": run["agent"][:1], "entity": read}
    return marked({**kept, **({"contained": software} if software else {}), **told})


def _put(resource: Json) -> Json:
    request = {"method": "PUT", "url": reference_of(resource)}
    return {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource, "request": request}
