"""What an answer to a claim says against it: errors of a scrub, refusals and denials of a payer.

https://hl7.org/fhir/R4/claimresponse.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from fhir_profiles.systems import (
    ADJUDICATION,
    ANSWER_SOURCE,
    CLAIM_RULE,
    EDIT_RUN,
    FINDING_PATH,
    X12_ADJUSTMENT_GROUPS,
    X12_ADJUSTMENT_REASONS,
)

Json = dict[str, Any]
Source = Literal["scrub", "999", "277ca", "835", "payer"]
SOURCES: tuple[Source, ...] = ("scrub", "999", "277ca", "835", "payer")
REFUSED, REJECTED, DENIED = "refused", "rejected", "denied"
_CATEGORY: dict[Source, str] = {"999": REFUSED, "277ca": REJECTED, "835": DENIED, "payer": DENIED, "scrub": "other"}
_PATIENT = "PR"
_AGREED = frozenset({"45", "131", "253"})
"""Reasons that only bring a charge down to what was agreed, or to what the law keeps back."""


class Failure(NamedTuple):
    """One thing that is wrong: what kind of work it makes, the CodeableConcept that says it, where (FHIRPath)."""

    category: str
    concept: Json
    path: str | None = None


class Answer(NamedTuple):
    """What came back about a claim, from whom, and the resource (`Type/id`) that says so, where one is stored."""

    source: Source
    failures: Sequence[Failure]
    reference: str | None


def read_answer(response: Mapping[str, Any]) -> Answer:
    """The answer that a ClaimResponse is; an 835 denies by adjustments, everything else by errors."""
    source = source_of(response)
    found = list(_errors(response, source))
    if source == "835":
        found += _denials(response)
    if not found and (response.get("outcome") == "error" or (source == "835" and _said_denied(response))):
        found.append(Failure(_CATEGORY[source], {"text": response.get("disposition") or "The claim was not taken in"}))
    name = response.get("id")
    return Answer(source, found, f"ClaimResponse/{name}" if name else None)


def source_of(response: Mapping[str, Any]) -> Source:
    """Who answers: our own edits, one of the answers of X12, or somebody else."""
    for extension in response.get("extension") or ():
        if extension.get("url") == EDIT_RUN:
            return "scrub"
        if extension.get("url") == ANSWER_SOURCE and extension.get("valueCode") in SOURCES:
            said: Source = extension["valueCode"]
            return said
    return "payer"


def _errors(response: Mapping[str, Any], source: Source) -> Iterator[Failure]:
    for error in response.get("error") or ():
        concept = error.get("code") or {}
        path = next((e.get("valueString") for e in error.get("extension") or () if e.get("url") == FINDING_PATH), None)
        yield Failure(_rule_category(concept) or _CATEGORY[source], concept, path)


def _rule_category(concept: Mapping[str, Any]) -> str | None:
    """The letters of the rule that an error names."""
    rule = next((str(c.get("code")) for c in concept.get("coding") or () if c.get("system") == CLAIM_RULE), None)
    return rule.partition("-")[0] if rule else None


def _denials(response: Mapping[str, Any]) -> Iterator[Failure]:
    """Lines, or the whole claim, for which nothing was paid, with the reasons that are not the patient's to bear."""
    whole = {**response, "adjudication": [*(response.get("adjudication") or ()), *(response.get("total") or ())]}
    yield from _unpaid(whole, None)
    for item in response.get("item") or ():
        yield from _unpaid(item, f"Claim.item.where(sequence = {item.get('itemSequence')})")


def _unpaid(part: Mapping[str, Any], path: str | None) -> Iterator[Failure]:
    adjudication = part.get("adjudication") or ()
    if _amount(adjudication, "submitted") <= 0 or _amount(adjudication, "benefit") > 0:
        return
    for one in adjudication:
        group = _code(one.get("category"), X12_ADJUSTMENT_GROUPS)
        reason = _code(one.get("reason"), X12_ADJUSTMENT_REASONS)
        if group and group != _PATIENT and reason and reason not in _AGREED:
            yield Failure(DENIED, one["reason"], path)


def _amount(adjudication: Sequence[Mapping[str, Any]], category: str) -> float:
    amounts = (one.get("amount") or {} for one in adjudication if _code(one.get("category"), ADJUDICATION) == category)
    return float(sum(float(amount.get("value") or 0) for amount in amounts))


def _code(concept: Mapping[str, Any] | None, system: str) -> str | None:
    return next((c.get("code") for c in (concept or {}).get("coding") or () if c.get("system") == system), None)


def _said_denied(response: Mapping[str, Any]) -> bool:
    return response.get("disposition") == "Denied"
