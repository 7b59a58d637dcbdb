"""The ClaimResponse to a claim: what the edits found and what it is worth (https://hl7.org/fhir/R4/claimresponse.html).

Errors become `error`, warnings and information `processNote`; each line tells what was charged and what is expected, or
why no price is known. It is a scrub and an expected price, never the decision of a payer, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from claims.answer.head import Head
from claims.answer.repair import Repair
from claims.edit import Finding
from claims.price.reasons import REASONS
from claims.rules.rule import Rule
from fhir_profiles.systems import (
    ADJUDICATION,
    CLAIM_CONTENT,
    CLAIM_RULE,
    FINDING_PATH,
    FINDING_RULE,
    NOT_PRICED,
    PRICE_BASIS,
    X12_ADJUSTMENT_REASONS,
)

Json = dict[str, Any]
Record = Mapping[str, Any]
_SUBMITTED = orjson.Fragment(orjson.dumps({"coding": [{"system": ADJUDICATION, "code": "submitted"}]}))
_ELIGIBLE = orjson.Fragment(orjson.dumps({"coding": [{"system": ADJUDICATION, "code": "eligible"}]}))


class Priced(NamedTuple):
    """The price of one line: cents, or why there is none (a key of REASONS), and what it rests on."""

    allowed: int | None
    why: str
    method: str | None
    factor: int | None  # ten-thousandths of a dollar
    carrier: str | None
    locality: str | None
    assumed: bool | None  # nobody says whether the provider takes part, and it is taken for granted


class Result(NamedTuple):
    """What was found of one claim; `prices` has an entry for each line, or is empty where nothing is priced."""

    head: Head
    record: Record
    findings: Sequence[Finding]
    repairs: Sequence[Repair] = ()
    prices: Sequence[Priced] = ()


class Written(NamedTuple):
    """What the answer is called, when it is made, and the extensions that say what it rests on."""

    id: str
    created: str
    extensions: Any
    partial: bool


def response(result: Result, written: Written) -> bytes:
    """The ClaimResponse as JSON."""
    notes, numbers = _notes(result)
    errors = [_error(finding) for finding in result.findings if finding.rule.severity == "error"]
    found: Json = {
        "resourceType": "ClaimResponse",
        "id": written.id,
        "extension": written.extensions,
        "identifier": [{"system": CLAIM_CONTENT, "value": written.id}],
        "status": "active",
        **result.head.parts(),
        "created": written.created,
        "outcome": "error" if errors else "partial" if written.partial else "complete",
        "disposition": _disposition(len(errors), len(result.findings), written.partial),
    }
    if basis := _basis(result.prices):
        found["extension"] = [*written.extensions, *basis]
    if items := _items(result, numbers):
        found["item"] = items
    found["total"] = _totals(result)
    if notes:
        found["processNote"] = notes
    if errors:
        found["error"] = errors
    return orjson.dumps(found)


def _disposition(errors: int, findings: int, partial: bool) -> str:
    counted = f"{errors} error{'' if errors == 1 else 's'}, {findings - errors} further note"
    counted += "" if findings - errors == 1 else "s"
    ran = "some edits were not run for want of their tables" if partial else "every edit was run"
    return f"{counted}; {ran}. This is a scrub with an expected price, not a decision of the payer."


@lru_cache(maxsize=4_096)
def _concept(rule: Rule) -> orjson.Fragment:
    """What a rule says, as a CodeableConcept."""
    codings = [{"system": CLAIM_RULE, "code": rule.id}]
    if rule.carc:
        codings.append({"system": X12_ADJUSTMENT_REASONS, "code": rule.carc})
    return orjson.Fragment(orjson.dumps({"coding": codings, "text": rule.sentence}))


def _error(finding: Finding) -> Json:
    rule, sequence = finding.rule, finding.sequence
    found: Json = {
        "extension": [{"url": FINDING_PATH, "valueString": rule.where(sequence)}],
        "code": _concept(rule),
    }
    if rule.scope == "line" and sequence is not None and sequence > 0:
        found["itemSequence"] = sequence
    return found


def _notes(result: Result) -> tuple[list[Json], dict[int, list[int]]]:
    """The notes, and for each place of a line the numbers of those that are about it."""
    notes: list[Json] = []
    numbers: dict[int, list[int]] = {}
    known: dict[str, int] = {}
    for path, text in result.repairs:
        notes.append(
            {"number": len(notes) + 1, "type": "display", "text": f"Repaired before the edits: {path}. {text}"}
        )
    for rule, place, sequence in [(f.rule, f.place, f.sequence) for f in result.findings]:
        if rule.severity == "error":
            continue
        about_line = rule.scope == "line" and place is not None
        number = known.get(rule.id) if about_line else None
        if number is None:
            number = known[rule.id] = len(notes) + 1
            notes.append(_note(number, rule, None if about_line else rule.where(sequence)))
        if about_line and place is not None:
            numbers.setdefault(place, []).append(number)
    return notes, numbers


def _note(number: int, rule: Rule, path: str | None) -> Json:
    parts: list[Json] = [
        {"url": "rule", "valueCoding": {"system": CLAIM_RULE, "code": rule.id}},
        {"url": "severity", "valueCode": rule.severity},
    ]
    if path is not None:
        parts.append({"url": "path", "valueString": path})
    extension = [{"url": FINDING_RULE, "extension": parts}]
    return {"extension": extension, "number": number, "type": "display", "text": rule.sentence}


def _money(cents: int) -> Json:
    return {"value": cents / 100, "currency": "USD"}


def _items(result: Result, numbers: Mapping[int, list[int]]) -> list[Json]:
    """Each line that has a number: what was charged, what is expected or why that is not known."""
    items = []
    for place, line in enumerate(result.record["lines"]):
        if line["seq"] < 1:
            continue
        submitted: Json = {"category": _SUBMITTED}
        if line["charge"] is not None:
            submitted["amount"] = _money(line["charge"])
        item: Json = {"itemSequence": line["seq"], "adjudication": [submitted]}
        if result.prices:
            item["adjudication"].append(_eligible(result.prices[place]))
        if place in numbers:
            item["noteNumber"] = numbers[place]
        items.append(item)
    return items


def _eligible(price: Priced) -> Json:
    if price.allowed is not None:
        return {"category": _ELIGIBLE, "amount": _money(price.allowed)}
    return {"category": _ELIGIBLE, "reason": _reason(price.why)}


@lru_cache(maxsize=256)
def _reason(why: str) -> orjson.Fragment:
    """Why a line has no price, as a CodeableConcept."""
    text = REASONS.get(why) or "The line has no price"
    return orjson.Fragment(orjson.dumps({"coding": [{"system": NOT_PRICED, "code": why or "unknown"}], "text": text}))


def _totals(result: Result) -> list[Json]:
    claim = result.record["claim"]
    charged = claim["lines_total"] if claim["total"] is None else claim["total"]
    found = [{"category": _SUBMITTED, "amount": _money(charged)}]
    allowed = [price.allowed for price in result.prices if price.allowed is not None]
    if allowed:
        found.append({"category": _ELIGIBLE, "amount": _money(sum(allowed))})
    return found


def _basis(prices: Sequence[Priced]) -> list[Json]:
    """What the prices rest on, each basis once."""
    return [_one_basis(*basis) for basis in dict.fromkeys(p[2:] for p in prices if p.allowed is not None)]


def _one_basis(
    method: str | None, factor: int | None, carrier: str | None, locality: str | None, assumed: bool | None
) -> Json:
    parts: list[Json] = []
    if method:
        parts.append({"url": "method", "valueCode": method})
    if factor is not None:
        parts.append({"url": "conversion-factor", "valueDecimal": factor / 10_000})
    if carrier:
        parts.append({"url": "carrier", "valueString": carrier})
    if locality:
        parts.append({"url": "locality", "valueString": locality})
    if assumed:
        parts.append({"url": "participation-assumed", "valueBoolean": True})
    return {"url": PRICE_BASIS, "extension": parts}
