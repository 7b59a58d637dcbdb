"""A decision from a form of the review page: one transaction over FHIR, against the versions that were shown.

https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast, get_args

from fhir_profiles.errors import Category, FhirError
from server.http.pages.auth.visit import Form
from server.review.decide import decide
from server.review.model import Decision, DecisionKind, Json, Place, Stop
from server.review.undo import formers

from .desk import Answer, Desk, RefusedError
from .review_open import Opened

KINDS = frozenset(get_args(DecisionKind)) - {"finish"}
MOVES = {"-1": -1, "1": 1}


class Verdict(NamedTuple):
    """What the terminology says of a code on a day."""

    result: bool
    billable: bool | None
    display: str | None
    version: str | None
    message: str | None


async def decide_by(desk: Desk, open: Opened, form: Form, first: Sequence[Json] = ()) -> Opened:
    """The review after the decision of a form; FhirError or RefusedError where it cannot be decided.

    `first` are entries that go with it: the lock.
    """
    _check_seen(open, form)
    decision = _decision(open, form)
    verdict = await verdict_of(desk, decision, open.date) if decision.kind in ("replace", "add") else None
    former = await _former(desk, open, decision)
    bundle = decide(open.review, decision, who(desk), check=lambda *_: cast(Any, verdict), former=former)
    bundle["entry"] = [*first, *bundle["entry"]]
    return await written(desk, open, bundle)


async def finish_by(
    desk: Desk, open: Opened, form: Form, stops: tuple[Stop, ...], first: Sequence[Json] = ()
) -> Opened:
    """The review after it was finished; FhirError at a hard stop, or where the claim is not the one that was shown."""
    _check_seen(open, form)
    bundle = decide(open.review, Decision("finish", now_text()), who(desk), stops=stops)
    bundle["entry"] = [*first, *bundle["entry"]]
    return await written(desk, open, bundle)


async def written(desk: Desk, open: Opened, bundle: Json) -> Opened:
    """The review after a transaction, read from its answer."""
    answer = await desk.asked("POST", "", body=bundle, headers={"prefer": "return=representation"})
    changed: dict[str, Json | None] = {}
    for asked, told in zip(bundle["entry"], answer.json().get("entry") or (), strict=True):
        resource = told.get("resource")
        if asked["request"]["method"] == "DELETE":
            changed[asked["request"]["url"]] = None
        elif resource is not None:
            changed[f"{resource['resourceType']}/{resource['id']}"] = resource
    return open.after(changed)


def who(desk: Desk) -> Mapping[str, Any]:
    """The agent of a decision: a coder, unless the person's only way to decide is as an auditor."""
    role = "auditor" if "auditor" in desk.roles else "coder"
    return {"display": desk.name, "role": role} | ({"reference": desk.who} if desk.who else {})


def _check_seen(open: Opened, form: Form) -> None:
    """FhirError (409) where what the person saw is not what stands: nothing is overwritten unseen."""
    target, seen = open.review.find(form.one("target")), form.one("seen")
    changed = (target is not None and seen and seen != target.version) or (form.one("target") and target is None)
    if changed or (form.one("claim") and form.one("claim") != open.claim_version):
        by = open.review.decisions[-1].who if open.review.decisions else "the pipeline"
        text = f"This was changed meanwhile by {by}. The page shows it as it is now; decide again if you still want to."
        raise FhirError.of(Category.CONFLICT, "conflict", text)


def _decision(open: Opened, form: Form) -> Decision:
    kind, target = form.one("kind"), form.one("target")
    if kind == "move":
        return _moved(open, target, MOVES.get(form.one("by"), 0))
    if kind not in KINDS:
        raise FhirError.of(Category.INCORRECT, "value", "There is no such decision.")
    about = (open.undoable or "") if kind == "undo" else target
    if kind == "undo" and not about:
        raise FhirError.of(Category.CONFLICT, "business-rule", "There is nothing to undo.")
    values = form.one("values")
    return Decision(
        cast(DecisionKind, kind), now_text(), about,
        reason=form.one("reason"), note=form.one("note")[:500],
        system=form.one("system")[:200], code=form.one("code")[:40], places=_places(form),
        order=open.lettered(values) if kind == "pointers" else (),
        value=form.one("value")[:20], values=tuple(values.upper().split()) if kind == "modifiers" else (),
    )  # fmt: skip


def _moved(open: Opened, target: str, by: int) -> Decision:
    """A diagnosis one place up or down."""
    order = [one.reference for one in sorted(open.review.diagnoses, key=lambda d: d.position or 0) if one.position]
    if target not in order:
        raise FhirError.of(Category.INCORRECT, "business-rule", "Only a diagnosis on the claim can be moved.")
    at = order.index(target)
    there = max(0, min(len(order) - 1, at + by))
    order.insert(there, order.pop(at))
    return Decision("reorder", now_text(), target, order=tuple(order))


def _places(form: Form) -> tuple[Place, ...]:
    """Where words that a person picked stand: the box of each line comes with the form."""
    try:
        start, end = int(form.one("start")), int(form.one("end"))
        page = int(form.one("at_page"))
        boxes = [tuple(float(side) for side in box.split(",")) for box in form.all("box")[:20]]
    except ValueError:
        return ()
    if not 0 <= start < end or page < 1:
        return ()
    if not boxes:
        return (Place(start, end - start, page),)
    text = form.one("text")[:500]
    return tuple(Place(start, end - start, page, *box, text=text) for box in boxes if len(box) == 4)


async def verdict_of(desk: Desk, decision: Decision, day: str) -> Verdict:
    """What `$validate-code` and `$lookup` say of the code that was chosen."""
    asked = {"url": decision.system, "code": decision.code} | ({"date": day} if day else {})
    said = _named(await desk.send("GET", "CodeSystem/$validate-code", asked))
    looked = await desk.send(
        "GET", "CodeSystem/$lookup", {"system": decision.system, "code": decision.code, "property": "billable"}
    )
    billable: bool | None = None
    for one in looked.json().get("parameter") or () if looked.ok else ():
        parts = {part["name"]: part for part in one.get("part") or ()}
        if one.get("name") == "property" and parts.get("code", {}).get("valueCode") == "billable":
            billable = bool(parts.get("value", {}).get("valueBoolean"))
    return Verdict(said.get("result") is True, billable, said.get("display"), said.get("version"), said.get("message"))


def _named(answer: Answer) -> dict[str, Any]:
    """The parameters of an answer by their names."""
    if not answer.ok:
        raise RefusedError(answer)
    found = {}
    for one in answer.json().get("parameter") or ():
        value = next((value for key, value in one.items() if key.startswith("value")), None)
        found[str(one.get("name"))] = value
    return found


async def _former(desk: Desk, open: Opened, decision: Decision) -> dict[str, Json]:
    """The versions that undoing needs."""
    return {reference: await desk.read(reference) for reference in formers(open.review, decision)}


def now_text() -> str:
    """This moment as an instant."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
