"""`DocumentReference/[id]/$second-look`: an opinion of a second look, or its end (docs/review.md).

The server writes it, once it has checked it: whoever takes second looks needs no right to write a Provenance or a Task,
by which decisions could be made up. https://hl7.org/fhir/R4/provenance.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import BASE
from server.access.caller import server_as
from server.auth import keep
from server.interactions import update
from server.interactions.content import instant
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.interactions.read import absent
from server.jobs.decided import read_one
from server.jobs.tasks import task_id
from server.operations.figures_found import Found
from server.operations.parameters import Arguments, read_arguments, wrong
from server.operations.registry import Operation
from server.review.claiming import day_of
from server.review.gather import pipeline_of, references, review_of
from server.review.model import Decision, DecisionKind, Json, Review
from server.review.past import STATED, deciders_of
from server.review.second import Opinion, blind, looked, opine, opinions_of, shown
from server.review.second_task import agreed, begun, check_may_look, finished, look_id
from server.review.trail import sets_of
from server.review.unaided import is_unaided, marked
from server.store import Tx
from server.store.keys import new_id
from terminology import open_terminology

WHO = "fhirwright-second-look"
KINDS = (*sorted(STATED), "undo", "finish")
LONGEST = {"reason": 40, "note": 500, "system": 200, "code": 40, "target": 200}
"""Characters of what is sent."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """What the caller sees of a document: the coding Task, the review as decided, and as the machine left it."""

    id: str
    coding: Json
    first: Review
    unseen: Review
    opinions: list[Opinion]
    deciders: frozenset[str]


class SecondLook:
    """Takes opinions, and ends the look with the score."""

    def __init__(self, fhir: Fhir) -> None:
        self._fhir = fhir

    async def __call__(self, request: Request) -> Response:
        """The Task of the second look as it stands then; FhirError for what cannot be held."""
        if not (request.caller.looks or request.caller.whole):
            text = "Second looks are taken at the workbench of this server, by people whose role lets them."
            raise FhirError.of(Category.FORBIDDEN, "forbidden", text)
        told = _read(read_arguments(request))
        standing = await self._fhir.store.run(self._standing, request)
        await self._fhir.store.write(lambda tx: self._take(tx, request, standing, told))
        task = Request(
            method="GET", path=("Task", look_id(standing.id)), base_url=request.base_url, caller=request.caller
        )
        return await self._fhir.handle(task)

    def _standing(self, request: Request) -> _Standing:
        """What the caller may see of it; 404 for a document that is hidden or was not coded."""
        id, found = request.path[1], Found(self._fhir, request)
        name, coding = f"DocumentReference/{id}", f"Task/{task_id(id)}"
        heads = {reference: json.decode(body) for reference, body in found.named([name, coding])}
        if heads.keys() != {name, coding}:
            raise absent()
        provenances = [json.decode(one) for one in found.newest("Provenance", (("entity", name),), "recorded")]
        every = _those(found, references(heads[coding], provenances))
        every |= {f"Provenance/{one['id']}": one for one in provenances}
        unseen = _those(found, shown(heads[coding], provenances))
        run = every.get(pipeline_of(name))
        return _Standing(
            id, heads[coding], review_of(every, name), blind(unseen.values(), run, name), opinions_of(provenances),
            deciders_of(provenances),
        )  # fmt: skip

    def _take(self, tx: Tx, request: Request, standing: _Standing, told: Mapping[str, str]) -> None:
        """Write one opinion with the Task where it is the first, or the Task with the score."""
        tx.lock(f"second look {standing.id}")
        task = read_one(self._fhir, tx, server_as(WHO), ("Task", look_id(standing.id)))
        now, who = instant(tx.now).decode(), _who(tx, request)
        check_may_look(task, standing.deciders, who)
        begin = task or begun(standing.id, who, standing.coding, now)
        if told["kind"] == "finish":
            update.put(self._fhir, tx, self._finished(standing, begin, now), WHO)
            return
        made = self._opinion(standing, told, who, now)
        if task is None:
            update.put(self._fhir, tx, begin, WHO, new=True)
        update.put(self._fhir, tx, {**made, "id": new_id()}, WHO, new=True)

    def _opinion(self, standing: _Standing, told: Mapping[str, str], who: Json, now: str) -> Json:
        decision = Decision(
            cast(DecisionKind, told["kind"]), now, told.get("target", ""), reason=told.get("reason", ""),
            note=told.get("note", ""), system=told.get("system", ""), code=told.get("code", "").strip(),
        )  # fmt: skip
        display = ""
        if decision.kind in ("replace", "add"):
            terminology = open_terminology(self._fhir.settings.data)
            said = terminology.validate(decision.system, decision.code, day_of(standing.first))
            if not said.result or said.billable is False:
                text = f"The code cannot be billed. {said.message or 'Choose another.'}"
                raise FhirError.of(Category.INCORRECT, "code-invalid", text)
            display = said.display or ""
        made = opine(standing.unseen, decision, who, display, standing.opinions)
        return marked(made) if is_unaided(standing.coding) else made

    @staticmethod
    def _finished(standing: _Standing, task: Json, now: str) -> Json:
        second = looked(standing.unseen, standing.opinions)
        result = agreed(sets_of(standing.first).codes("auditor"), second)
        every = (*standing.first.suggestions, *second.suggestions)
        return finished(task, result, {(one.system, one.code): one.display for one in every}, now)


def _those(found: Found, names: list[str]) -> dict[str, Json]:
    """Resources by `Type/ID`, and versions by `Type/ID/_history/N`, as far as they may be seen."""
    former = [name for name in names if "/_history/" in name]
    known = {name: json.decode(body) for name, body in found.named(n for n in names if n not in former)}
    for name in former:
        try:
            known[name] = json.decode(found.version(name))
        except FhirError as error:
            if error.category not in (Category.NOT_FOUND, Category.FORBIDDEN):
                raise
    return known


def _who(tx: Tx, request: Request) -> Json:
    """The agent: the person whose token it is, an auditor where one of the roles says so."""
    caller = request.caller
    person = keep.person(tx, caller.who)
    if person is None:
        return {"display": "this machine" if caller.whole else caller.who, "role": "coder"}
    role = "auditor" if "auditor" in person.roles else "coder"
    return {"display": person.name, "role": role} | ({"reference": caller.user} if caller.user else {})


def _read(arguments: Arguments) -> dict[str, str]:
    """What is sent, by name; FhirError for what is too long or no kind of opinion."""
    arguments.only("kind", *LONGEST)
    told = {name: value for name in ("kind", *LONGEST) if (value := arguments.text(name)) is not None}
    if told.get("kind") not in KINDS:
        raise wrong(f"kind must be one of {', '.join(KINDS)}.", "kind")
    for name, most in LONGEST.items():
        if len(told.get(name, "")) > most:
            raise wrong(f"{name} has at most {most} characters.", name)
    return told


def operations(fhir: Fhir) -> list[Operation]:
    """`$second-look` on a DocumentReference."""
    definition = f"{BASE}/OperationDefinition/DocumentReference-second-look"
    types: Any = frozenset({"DocumentReference"})
    return [
        Operation(
            "second-look", frozenset({"instance"}), SecondLook(fhir), types, definition=definition, for_all=True,
            longest=16_384,
        )
    ]  # fmt: skip
