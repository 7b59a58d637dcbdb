"""What a request would do, as an external policy is asked about it, entries of a batch and transaction included."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fhir_profiles import json
from fhir_profiles.errors import FhirError
from server.access.decisions import Action, Policy, denied, question
from server.audit.interaction import asked_patients, interaction
from server.interactions.exchange import Request

_BUNDLE = "batch"


async def decided(policy: Policy, request: Request, operation: str | None) -> Request:
    """The request with the decision in its trace, for the audit; `refuse` ends it where that is no."""
    actions = (Action("operation", _type(request.path), operation),) if operation else tuple(actions_of(request))
    patients = asked_patients(request.path, request.query)
    decision = await policy.decide(question(request.caller, actions, patients))
    trace = msgspec.structs.replace(request.caller.trace, decision=decision.id, denied=not decision.allowed)
    return msgspec.structs.replace(request, caller=msgspec.structs.replace(request.caller, trace=trace))


def refuse(request: Request) -> None:
    """403 for a request that the policy denied."""
    if request.caller.trace.denied:
        raise denied()


def actions_of(request: Request) -> Iterable[Action]:
    """The action of a request, or each different one of the entries of its Bundle."""
    own = interaction(request.method, request.path)
    if own != _BUNDLE:
        return (Action(own, _type(request.path)),)
    return dict.fromkeys(_entries(request.body))


def _entries(body: bytes) -> Iterable[Action]:
    try:
        bundle = json.decode(body)
        calls = [(str(entry["request"]["method"]), str(entry["request"]["url"])) for entry in bundle.get("entry") or ()]
    except (FhirError, KeyError, TypeError, AttributeError):
        calls = []  # what cannot be read is refused where it is read; until then it is a Bundle
    yield Action("batch")
    for method, url in calls:
        path = tuple(part for part in url.partition("?")[0].split("/") if part)
        name = path[-1][1:] if path and path[-1].startswith("$") else ""
        yield Action("operation" if name else interaction(method, path), _type(path), name)


def _type(path: tuple[str, ...]) -> str:
    return path[0] if path and path[0][:1].isupper() else ""
