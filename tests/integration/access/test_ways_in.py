"""Every way in is known, with where its reach is decided; of hidden ids each says what it says of absent ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.access.test_consents import IN, consent, put, towards

CALLER, NOBODYS, OWN, SERVICES, ALL, ADMIN, SERVER = (
    "requests of its caller", "definitions, which are nobody's", "what the caller asked for or owns",
    "scopes at system level, then requests of its caller", "all resources of the types it needs",
    "fhirwright/admin", "read as its caller, written by the server after its own checks",
)  # fmt: skip
OPERATIONS = {
    "DocumentReference/$code": CALLER, "DocumentReference/[id]/$code": CALLER,
    "DocumentReference/[id]/$page-image": CALLER, "DocumentReference/[id]/$page-words": CALLER,
    "DocumentReference/[id]/$correct-words": SERVER, "DocumentReference/[id]/$second-look": SERVER,
    "Task/[id]/$retry": SERVER, "Task/[id]/$cancel": SERVER, "$async-status": OWN, "$break-glass": SERVER,
    "$export": SERVICES, "Patient/$export": SERVICES, "Group/[id]/$export": SERVICES, "$import": SERVICES,
    "Subscription/$status": OWN, "Subscription/[id]/$status": OWN, "Subscription/[id]/$events": OWN,
    "Subscription/$get-ws-binding-token": OWN, "Subscription/[id]/$get-ws-binding-token": OWN,
    "Subscription/$topics": NOBODYS, "$reindex": ADMIN, "*/$reindex": ADMIN,
    "Patient/[id]/$everything": CALLER, "Encounter/[id]/$everything": CALLER,
    "*/[id]/$meta": CALLER, "*/[id]/$meta-add": CALLER, "*/[id]/$meta-delete": CALLER,
    "Observation/$lastn": CALLER, "$figures": CALLER, "Composition/$document": CALLER,
    "Composition/[id]/$document": CALLER, "$reidentify": ADMIN, "$deidentify": CALLER, "*/$deidentify": CALLER,
    "*/[id]/$deidentify": CALLER, "$graphql": CALLER, "*/[id]/$graphql": CALLER, "Patient/$match": CALLER,
    "*/$validate": CALLER, "*/[id]/$validate": CALLER, "CodeSystem/$validate-code": NOBODYS,
    "CodeSystem/[id]/$validate-code": NOBODYS, "ValueSet/$validate-code": NOBODYS,
    "ValueSet/[id]/$validate-code": NOBODYS, "CodeSystem/$lookup": NOBODYS, "CodeSystem/[id]/$lookup": NOBODYS,
    "CodeSystem/$subsumes": NOBODYS, "CodeSystem/[id]/$subsumes": NOBODYS, "CodeSystem/$find-matches": NOBODYS,
    "CodeSystem/[id]/$find-matches": NOBODYS, "CodeSystem/$specificity": NOBODYS, "ValueSet/$expand": NOBODYS,
    "ValueSet/[id]/$expand": NOBODYS, "ValueSet/$batch-validate-code": NOBODYS,
    "ValueSet/[id]/$batch-validate-code": NOBODYS, "ConceptMap/$translate": NOBODYS,
    "ConceptMap/[id]/$translate": NOBODYS, "$versions": NOBODYS, "$closure": CALLER, "ConceptMap/$closure": CALLER,
    "Claim/$submit": CALLER, "Claim/$submit-bulk": ALL, "Claim/$reprocess": CALLER, "Claim/$remittance": ALL,
    "Claim/[id]/$explanation-of-benefit": CALLER, "Claim/[id]/$correct": CALLER, "Claim/$inquire": CALLER,
    "Claim/[id]/$decide": CALLER, "Claim/[id]/$x12": CALLER, "$accounts": ADMIN,
}  # fmt: skip
"""Each operation, as it is called, and where its reach is decided (docs/reach.md)."""

ROUTES = {
    "/": "says where to go", "/healthz": "says nothing of data", "/readyz": "says nothing of data",
    "/metrics": "counts, never ids", "/openapi.json": "the definitions", "/openapi/{name}.json": "the definitions",
    "/fhir/.well-known/": "public by SMART", "/auth/jwks": "public keys", "/auth/": "the caller's session or client",
    "/work/": "the desk of who signed in, by FHIR requests with that one's token",
}  # fmt: skip
"""Routes beside FHIR by how they begin, and why they tell nobody what is not theirs."""

HIDDEN = {
    "DocumentReference": {"status": "current", "content": [{"attachment": {"contentType": "text/plain"}}]},
    "Task": {"status": "requested", "intent": "order"},
    "Encounter": {"status": "finished", "class": {"code": "AMB"}},
    "Composition": {"status": "final", "type": {"text": "x"}, "date": "2026-01-01", "title": "t",
                    "author": [{"display": "x"}]},
    "Claim": {"status": "active", "use": "claim", "type": {"text": "x"}, "priority": {"text": "x"},
              "created": "2026-01-01", "provider": {"display": "x"},
              "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "x"}}]},
}  # fmt: skip
PLACES = {"Task": "for", "Claim": "patient"}


def called(operation: Any) -> Iterator[str]:
    """How an operation is called at each level, `*` for any type."""
    for level in operation.levels:
        for kind in ("",) if level == "system" else sorted(operation.types or ("*",)):
            yield {"system": "", "type": f"{kind}/", "instance": f"{kind}/[id]/"}[level] + f"${operation.name}"


def routed(routes: Any) -> Iterator[str]:
    """The paths of all routes, those of routers within too."""
    for one in routes:
        inner = getattr(one, "original_router", None)
        yield from routed(inner.routes) if inner is not None else (str(one.path),)


async def test_every_way_in_is_known(closed: Any) -> None:
    """A new operation or route fails this until it is said where its reach is decided."""
    operations = closed.app.state.parts.operations
    assert {name for one in operations for name in called(one)} == OPERATIONS.keys()
    for one in operations:
        kinds = {OPERATIONS[name] for name in called(one)}
        assert ((kinds <= {ALL}) is bool(one.needs)) and ((kinds <= {SERVICES}) is one.for_services), one.name
        assert one.for_all is not bool(kinds & {ALL, SERVICES, ADMIN}), one.name
    paths = {path for path in routed(closed.app.routes) if "{rest" not in path}
    assert len(paths) > 60
    for path in paths:
        assert path in ROUTES or f"{path}/" in ROUTES or path.startswith(("/fhir/.well-known/", "/auth/", "/work/")), (
            path
        )


@pytest.mark.check("COMP-25", "COMP-31")
async def test_no_operation_tells_hidden_from_absent(closed: Any) -> None:
    """By every operation on one resource, with each method: to a patient's app, and to whom a Consent limits."""
    root = closed.token("system/*.cruds", client="root")
    for kind, content in HIDDEN.items():
        whose = {PLACES.get(kind, "subject"): {"reference": "Patient/B"}}
        made = await put(closed, root, {"resourceType": kind, "id": "Bx", **content, **whose})
        assert made.status_code == 201, made.text
    await put(closed, root, consent(IN, towards("deny", "Practitioner/ann"), patient="B"))
    callers = closed.token("patient/*.cruds", "A"), closed.token("user/*.cruds", person="ann")
    empty, seen = {"resourceType": "Parameters"}, 0
    for one in closed.app.state.parts.operations:
        if "instance" not in one.levels or OPERATIONS[next(called(one))] in (NOBODYS, SERVICES, OWN):
            continue
        for kind in sorted(one.types or {"Observation", "Patient", "Claim"}):
            there, absent = {"Observation": ("Bo", "zz"), "Patient": ("B", "z")}.get(kind, ("Bx", "zz"))
            for method in sorted(one.methods):
                for token in callers:
                    told = []
                    for name in (there, absent):
                        url = f"{kind}/{name}/${one.name}"
                        body = empty if method == "POST" else None
                        answer = await closed.ask(token, method, url, body, if_match='W/"1"')
                        told.append((answer.status_code, answer.text.replace(name, "ID"), answer.headers.get("etag")))
                    assert told[0] == told[1] and told[0][0] >= 400, (method, one.name, told)
                    seen += 1
    assert seen > 40


@pytest.mark.check("COMP-25")
@pytest.mark.parametrize("tag", ['W/"1"', 'W/"7"'])
async def test_a_put_that_names_a_version_tells_nothing(closed: Any, tag: str) -> None:
    """COMP-25: an id that is hidden is answered as one that never was, so that ids cannot be tried without a trace."""
    told = []
    for name in ("Bo", "zz"):
        body = {"resourceType": "Observation", "id": name, "status": "final", "code": {"text": "x"},
                "subject": {"reference": "Patient/A"}}  # fmt: skip
        token = closed.token("patient/*.cruds", "A")
        answer = await closed.ask(token, "PUT", f"Observation/{name}", body, if_match=tag)
        told.append((answer.status_code, answer.text))
    assert told[0] == told[1] and told[0][0] == 412
