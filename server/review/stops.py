"""What stands in the way of finishing a review, from the ClaimResponse of `Claim/$submit` and from what is undecided.

Errors about what a coder decides (diagnoses, services, modifiers, units, pointers) are hard. What billing puts in
later, such as coverage and charges, is soft for a coder and hard for who bills.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from claims.draft import MAX_DIAGNOSES
from fhir_profiles.systems import CLAIM_RULE, FINDING_PATH, FINDING_RULE, RULES_NOT_RUN
from server.review.claim_of import Draft, taken_apart
from server.review.claiming import day_of
from server.review.decide import Check
from server.review.model import Json, Review, Severity, Stop
from server.review.read import parts_of

MOST = 100
"""Undecided suggestions that are told one by one."""

DECIDED = {
    "diagnosis": frozenset({"", "diagnosis", "onAdmission"}),
    "item": frozenset({"", "productOrService", "modifier", "quantity", "diagnosisSequence"}),
    "procedure": frozenset({"", "procedure"}),
}
"""Elements of a Claim that a coder decides, by its part."""

_PATH = re.compile(r"Claim(?:\.(\w+)(?:\.where\(sequence = (\d+)\))?(?:\.(.*))?)?")
_ORDER: Mapping[Severity, int] = {"hard": 0, "soft": 1, "told": 2}
_OF: Mapping[str, Severity] = {"error": "hard", "warning": "soft", "information": "told"}


def stops_of(
    review: Review, response: Mapping[str, Any] | None, *, check: Check | None = None, billing: bool = False
) -> list[Stop]:
    """Every stop, hard ones first; `response` is the answer to the Claim as it stands, None where there is none.

    With `check` each code on the claim is held against the terminology. With `billing` every error is hard.
    """
    told = response or {}
    draft = taken_apart(review.resources.get(review.claim or "", {}), review.resources.values())
    found = [*_own(review, check), *_edits(review, draft, told, billing), *_undecided(review), *_not_run(review, told)]
    return sorted(found, key=lambda stop: _ORDER[stop.severity])


def _own(review: Review, check: Check | None) -> Iterator[Stop]:
    """What needs no edit to be seen."""
    claimed = [one for one in review.suggestions if one.position is not None]
    if not any(one.kind == "diagnosis" for one in claimed):
        yield Stop("hard", "no-diagnosis", "No diagnosis is on the claim.", review.claim or "", "Claim.diagnosis")
    for one in claimed if check else ():
        said = check(one.system, one.code, day_of(review)) if check else None
        if said and (not said.result or said.billable is False):
            text = f"{one.code} cannot be billed. {said.message or 'Replace it.'}"
            yield Stop("hard", "invalid-code", text, one.reference, "code")
    waiting = [one for one in review.diagnoses if one.stands and one.position is None]
    if waiting:
        text = f"{len(waiting)} accepted diagnoses find no room: a claim has {MAX_DIAGNOSES}."
        yield Stop("soft", "no-room", text, waiting[0].reference, "Claim.diagnosis")


def _edits(review: Review, draft: Draft, response: Mapping[str, Any], billing: bool) -> Iterator[Stop]:
    """The edits of the ClaimResponse: errors, then notes."""
    lines = {one.get("sequence"): reference for reference, one in draft.lines.items()}
    diagnoses = {one.get("sequence"): reference for reference, one in draft.diagnoses.items()}

    def stop(severity: Severity, rule: str, text: str, path: str) -> Stop:
        match = _PATH.fullmatch(path)
        part, number, element = (match[1] or "", match[2], match[3] or "") if match else ("", None, "")
        coders = element in DECIDED.get(part, ())
        by_number = {"item": lines, "diagnosis": diagnoses}.get(part, {})
        reference = by_number.get(int(number), "") if number else ""
        leads = reference if "/" in reference else review.claim or ""
        return Stop(severity if coders or billing or severity != "hard" else "soft", rule, text, leads, path)

    for error in response.get("error") or ():
        path = next((e.get("valueString", "") for e in error.get("extension") or () if e["url"] == FINDING_PATH), "")
        code = error.get("code") or {}
        yield stop("hard", _rule(code), code.get("text") or "The claim breaks a rule that payers reject for.", path)
    items = response.get("item") or ()
    for note in response.get("processNote") or ():
        extension = next((e for e in note.get("extension") or () if e["url"] == FINDING_RULE), None)
        if extension is None:
            continue  # a repair of how the claim is written
        parts = parts_of(extension)
        on = [f"Claim.item.where(sequence = {i['itemSequence']})" for i in items if note["number"] in _notes(i)]
        for path in [parts["path"]] if "path" in parts else on or [""]:
            yield stop(
                _OF.get(parts.get("severity", ""), "soft"), _rule({"coding": [parts["rule"]]}), note["text"], path
            )


def _notes(item: Mapping[str, Any]) -> list[int]:
    return item.get("noteNumber") or []


def _rule(concept: Mapping[str, Any]) -> str:
    return next((str(c.get("code")) for c in concept.get("coding") or () if c.get("system") == CLAIM_RULE), "edit")


def _undecided(review: Review) -> Iterator[Stop]:
    left = [one for one in review.suggestions if one.state == "suggested"]
    for one in left[:MOST]:
        yield Stop("soft", "undecided", f"{one.code} is not decided yet.", one.reference)
    if len(left) > MOST:
        yield Stop("soft", "undecided", f"{len(left) - MOST} more are not decided yet.", left[MOST].reference)


def _not_run(review: Review, response: Mapping[str, Any]) -> Iterator[Stop]:
    """Rules that could not be run: not run is not passed."""
    for extension in response.get("extension") or ():
        if extension.get("url") != RULES_NOT_RUN:
            continue
        parts: list[Json] = extension.get("extension") or []
        tables = [one["valueCode"] for one in parts if one["url"] == "table"]
        rules = sum(one["url"] == "rule" for one in parts)
        verb = "rule was" if rules == 1 else "rules were"
        text = f"{rules} {verb} not run: {', '.join(tables)} is not loaded."
        yield Stop("told", "not-run", text, review.claim or "")
