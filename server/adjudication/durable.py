"""The adjudication of a stored document, within the durable step that codes it.

A worker that is killed in between asks again and finds the kept answer; what was not kept is asked anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import msgspec
import orjson

from extractors.adjudicate.model import Question
from fhir_profiles.errors import FhirError
from server.access.caller import Caller
from server.adjudication.opening import Court
from server.adjudication.told import Told
from server.interactions.exchange import Request
from server.interactions.fhir import Fhir
from server.operations.people import people_around


class Stages(Protocol):
    """Processes that run stages of documents (`server.jobs.children`)."""

    def run(self, stage: str, *arguments: Any, progress: Callable[[str], None]) -> Any:
        """The value of one stage; raises Failure."""


def adjudicate(
    court: Court,
    stages: Stages,
    told: Told,
    pages: str,
    document: Mapping[str, Any],
    progress: Callable[[str], None],
) -> str | None:
    """The key of the Bundle of a document whose pages are kept under `pages`; None when they are lost."""
    packed = msgspec.msgpack.encode(told)
    asked = stages.run("ask", pages, packed, progress=progress)
    if asked is None:
        return None
    offered, question = asked
    if not offered:
        key: str | None = stages.run("code", pages, orjson.dumps(document), progress=progress)
        return key
    adjudicator = court.adjudicator
    asked = None if question is None else msgspec.msgpack.decode(question, type=Question)
    heard = adjudicator.gate() if asked is None else adjudicator.ask(asked)
    sent = orjson.dumps(document), packed, msgspec.msgpack.encode(heard)
    key, outcomes = stages.run("adjudicate", pages, *sent, progress=progress)
    adjudicator.tell(outcomes)
    return key


def told_of(court: Court, fhir: Fhir, caller: Caller, document: Mapping[str, Any]) -> Told:
    """What a child must know of a stored document: its people, and whom it is about.

    When it cannot be found out who they are, nothing may leave.
    """
    subject = document.get("subject") or {}
    about = subject.get("reference") or ""
    request = Request(method="GET", path=(), caller=caller)
    model = court.adjudicator.terms.model
    try:
        people = [*people_around(fhir, request, document, needed=False), *_displayed(document)]
    except FhirError:
        return Told(court.key, court.bounds, model, about, (), closed=True)
    return Told(court.key, court.bounds, model, about, people)


def _displayed(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Those whom the document names without referring to a resource, as if they were one."""
    for person in (document.get("subject"), *(document.get("author") or ()), document.get("authenticator")):
        if isinstance(person, dict):
            name, identifier = person.get("display"), person.get("identifier")
            yield {
                "resourceType": "Patient",
                "name": [{"text": name}] if isinstance(name, str) else [],
                "identifier": [identifier] if isinstance(identifier, dict) else [],
            }
