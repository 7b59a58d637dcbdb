"""A coder's decision as one transaction: what it changes, each against the version that was shown, and its Provenance.

https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from server.review import changes, lines
from server.review.change import Change, refuse_finished, refused
from server.review.claiming import day_of
from server.review.coded import Chosen
from server.review.finish import finish
from server.review.model import Decision, Json, Review, Stop
from server.review.read import version_of
from server.review.recorded import recorded
from server.review.unaided import is_unaided, marked
from server.review.undo import undo
from terminology.model import Validation

Check = Callable[[str, str, date | None], Validation]
"""`terminology.validate`: system, code and the day of service."""


def decide(
    review: Review,
    decision: Decision,
    who: Mapping[str, Any],
    *,
    check: Check | None = None,
    former: Mapping[str, Json] | None = None,
    stops: Sequence[Stop] = (),
) -> Json:
    """The transaction Bundle of a decision.

    `who` is the agent: `reference`, `display` and `role` (coder or auditor). `check` is needed to replace and add,
    `former` (the versions of `formers`, by `Type/ID/_history/N`) to undo, `stops` to finish. FhirError for what cannot
    be decided: CONFLICT where the review stands otherwise than the decision takes for granted.
    """
    if decision.kind not in ("undo", "finish"):
        refuse_finished(review)
    match decision.kind:
        case "replace" | "add":
            change = _CHOOSING[decision.kind](review, decision, _chosen(review, decision, check))
        case "undo":
            change = undo(review, decision, former or {})
        case "finish":
            change = finish(review, stops)
        case kind:
            change = _PLAIN[kind](review, decision)
    return _bundle(review, decision, who, change)


_PLAIN: Mapping[str, Callable[[Review, Decision], Change]] = {
    "accept": changes.accept,
    "reject": changes.reject,
    "reorder": lines.reorder,
    "principal": lines.principal,
    "present-on-admission": lines.present_on_admission,
    "modifiers": lines.modifiers,
    "units": lines.units,
    "pointers": lines.pointers,
}
_CHOOSING: Mapping[str, Callable[[Review, Decision, Chosen], Change]] = {
    "replace": changes.replace,
    "add": changes.add,
}


def _chosen(review: Review, decision: Decision, check: Check | None) -> Chosen:
    """The code that was chosen, if it may be billed on the day of service; FhirError says why not."""
    if check is None:
        raise refused("A code is chosen only where the terminology can be asked about it.", "not-supported")
    found = check(decision.system, decision.code.strip(), day_of(review))
    if not found.result or found.billable is False:
        text = f"The code cannot be billed. {found.message or 'Choose another.'}"
        raise refused(text, "code-invalid", "code")
    return Chosen(decision.system, decision.code.strip(), found.display or "", found.version or "")


def _bundle(review: Review, decision: Decision, who: Mapping[str, Any], change: Change) -> Json:
    entries = [_put(review, one) for one in change.written]
    entries += [_delete(review, reference) for reference in change.deleted]
    provenance = recorded(review, decision, who, change)
    entries.append({"resource": provenance, "request": {"method": "POST", "url": "Provenance"}})
    if is_unaided(review.resources.get(review.claim or "")):
        entries = [one | ({"resource": marked(one["resource"])} if "resource" in one else {}) for one in entries]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _put(review: Review, resource: Json) -> Json:
    reference = f"{resource['resourceType']}/{resource['id']}"
    known = review.resources.get(reference)
    request = {"method": "PUT", "url": reference}
    request |= {"ifMatch": f'W/"{version_of(known)}"'} if known else {"ifNoneMatch": "*"}
    return {"resource": resource, "request": request}


def _delete(review: Review, reference: str) -> Json:
    version = version_of(review.resources[reference])
    return {"request": {"method": "DELETE", "url": reference, "ifMatch": f'W/"{version}"'}}
