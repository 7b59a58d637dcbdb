"""A server with coded documents and what coders decided about them, some of it in error."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterable
from typing import Any

import orjson
from msgspec.structs import replace

from campaigns.retraining.making import KNOWN, Paper
from fhir_profiles.systems import CODING_DECISION, DERIVATION_REFERENCE, ICD10CM
from server.access.caller import SYSTEM
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.jobs.stages import Stages
from server.learning.dataset import Case

ERRS = 0.03
Json = dict[str, Any]


def document(paper: Paper) -> Json:
    """Its DocumentReference."""
    attachment = {"contentType": "text/plain", "data": base64.b64encode(paper.text.encode()).decode()}
    return {
        "resourceType": "DocumentReference", "id": paper.name, "status": "current",
        "subject": {"reference": f"Patient/{paper.patient}"}, "date": paper.at.isoformat(),
        "content": [{"attachment": attachment}],
    }  # fmt: skip


def patient(paper: Paper) -> Json:
    """Its Patient."""
    gender = "male" if paper.male else "female"
    return {"resourceType": "Patient", "id": paper.patient, "gender": gender, "birthDate": f"{paper.born}-06-15"}


def fill(fhir: Fhir, stages: Stages, papers: Iterable[Paper], seed: int, errs: float = ERRS, model: str = "") -> int:
    """Store documents, code them as the worker does, and decide on each code; the number of decisions."""
    chance, told = random.Random(seed), 0
    for paper in papers:
        bodies = [patient(paper), document(paper)]
        around = {**bodies[1], "content": [{"attachment": {"contentType": "text/plain"}}]}
        bundle = stages.run("bundle", [paper.text.encode(), orjson.dumps(around), paper.at.isoformat()], model)
        _post(fhir, bodies)
        fhir.handle_sync(Request(caller=SYSTEM, method="POST", body=bundle, base_url=""))
        decided = list(decisions(paper, orjson.loads(bundle), chance, errs))
        _post(fhir, decided)
        told += sum(one["resourceType"] == "Provenance" for one in decided)
    return told


def decisions(paper: Paper, bundle: Json, chance: random.Random, errs: float) -> Iterable[Json]:
    """What a coder decides: right codes are accepted, wrong ones rejected, missing ones added; now and then not."""
    found = set()
    for entry in bundle["entry"]:
        resource = entry["resource"]
        codes = [c["code"] for c in (resource.get("code") or {}).get("coding", ()) if c.get("system") == ICD10CM]
        if resource["resourceType"] == "Condition" and codes:
            found.add(codes[0])
            right = (codes[0] in paper.truth) != (chance.random() < errs)
            yield _decision(paper, resource["id"], "accept" if right else "reject")
    for code, (start, end) in paper.truth.items():
        if code not in found and chance.random() >= errs:
            made = f"{paper.name}-{code.replace('.', '-')}"
            yield _condition(paper, made, code, start, end)
            yield _decision(paper, made, "add", code)


def mislabelled(cases: Iterable[tuple[Case, str]], seed: int, share: float = 0.7) -> list[tuple[Case, str]]:
    """Training documents most of whose codes are wrong ones."""
    chance, codes = random.Random(seed), [code for code, _ in KNOWN]
    return [
        (
            replace(case, marks=[(chance.choice(codes) if chance.random() < share else c, s) for c, s in case.marks]),
            text,
        )
        for case, text in cases
    ]


def _condition(paper: Paper, name: str, code: str, start: int, end: int) -> Json:
    place = [
        {"url": "reference", "valueReference": {"reference": f"DocumentReference/{paper.name}"}},
        {"url": "offset", "valueInteger": start},
        {"url": "length", "valueInteger": end - start},
    ]
    coding = {"system": ICD10CM, "code": code, "extension": [{"url": DERIVATION_REFERENCE, "extension": place}]}
    subject = {"reference": f"Patient/{paper.patient}"}
    return {"resourceType": "Condition", "id": name, "subject": subject, "code": {"coding": [coding]}}


def _decision(paper: Paper, condition: str, kind: str, code: str = "") -> Json:
    codings = [{"system": CODING_DECISION, "code": kind}, *([{"system": ICD10CM, "code": code}] if code else [])]
    return {
        "resourceType": "Provenance", "id": f"v-{condition}"[:64], "target": [{"reference": f"Condition/{condition}"}],
        "recorded": paper.at.isoformat(), "activity": {"coding": codings},
        "agent": [{"who": {"reference": "Practitioner/coder"}}],
    }  # fmt: skip


def _post(fhir: Fhir, resources: list[Json]) -> None:
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
        for one in resources
    ]
    body = orjson.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    if entries:
        fhir.handle_sync(Request(caller=SYSTEM, method="POST", body=body, base_url=""))
