"""From the answers to claims to the rows of figures (https://hl7.org/fhir/R4/claimresponse.html)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from claims.work_answer import DENIED, read_answer, source_of
from fhir_profiles.systems import ADJUDICATION, CLAIM_RULE, X12_ADJUSTMENT_GROUPS, X12_ADJUSTMENT_REASONS
from server.figures.model import seconds_of
from server.figures.rows import Adjusted, Answered, Edit, Scrubbed

Json = Mapping[str, Any]
UNNAMED = "(other)"


def read_claim_answer(answer: Json) -> Scrubbed | Answered | None:
    """What a ClaimResponse (JSON) says of a claim; None for one that is neither an edit run nor a payment decision."""
    source = source_of(answer)
    if source == "scrub":
        return _scrubbed(answer)
    return _answered(answer, "ClaimResponse") if source in ("835", "payer") else None


def read_benefit(benefit: Json) -> Answered:
    """What an ExplanationOfBenefit (JSON) says of a claim."""
    return _answered(benefit, "ExplanationOfBenefit")


def _scrubbed(answer: Json) -> Scrubbed:
    charged = _amount(answer.get("total") or (), "submitted")
    return Scrubbed(
        f"ClaimResponse/{answer.get('id')}",
        _claim(answer.get("request")),
        _moment(answer),
        tuple(_edits(answer, charged or 0.0)),
        charged or 0.0,
        _amount(answer.get("total") or (), "eligible"),
    )


def _edits(answer: Json, whole: float) -> Iterator[Edit]:
    """Each error with the money of its line, or of the claim where it is about all of it."""
    lines = {item.get("itemSequence"): _amount(item.get("adjudication") or (), "submitted") for item in _items(answer)}
    for error in answer.get("error") or ():
        rule = _code(error.get("code"), CLAIM_RULE) or UNNAMED
        place = error.get("itemSequence")
        yield Edit(rule, whole if place is None else lines.get(place) or 0.0)


def _answered(answer: Json, kind: str) -> Answered:
    charged = _amount(answer.get("total") or (), "submitted")
    paid = _amount(answer.get("total") or (), "benefit")
    if paid is None:
        paid = float(((answer.get("payment") or {}).get("amount") or {}).get("value") or 0.0)
    return Answered(
        f"{kind}/{answer.get('id')}",
        _claim(answer.get("request") or answer.get("claim")),
        _moment(answer),
        charged or 0.0,
        paid,
        tuple(_adjusted(answer)),
    )


def _adjusted(answer: Json) -> Iterator[Adjusted]:
    """Everything taken off with a reason of X12; `denied` where nothing was paid that could have been."""
    denials = {(_code(f.concept, X12_ADJUSTMENT_REASONS), f.path) for f in read_answer(answer).failures
               if f.category == DENIED}  # fmt: skip
    whole = [*(answer.get("adjudication") or ()), *(answer.get("total") or ())]
    parts: list[tuple[str | None, Any]] = [(None, whole)]
    parts += [(f"Claim.item.where(sequence = {one.get('itemSequence')})", one.get("adjudication") or ())
              for one in _items(answer)]  # fmt: skip
    for path, adjudications in parts:
        for one in adjudications:
            if reason := _code(one.get("reason"), X12_ADJUSTMENT_REASONS):
                group = _code(one.get("category"), X12_ADJUSTMENT_GROUPS)
                money = float((one.get("amount") or {}).get("value") or 0.0)
                yield Adjusted(group, reason, money, (reason, path) in denials)
    if denials and not any(reason for reason, _ in denials):  # denied in words only
        yield Adjusted("", UNNAMED, _amount(answer.get("total") or (), "submitted") or 0.0, True)


def _items(answer: Json) -> Any:
    return answer.get("item") or ()


def _moment(answer: Json) -> float:
    told = answer.get("created") or (answer.get("meta") or {}).get("lastUpdated")
    return seconds_of(told) or 0.0


def _claim(reference: Json | None) -> str:
    """`Claim/id` of this server, or the number by which somebody else's is known."""
    told = str((reference or {}).get("reference") or "").partition("/_history/")[0]
    if told:
        return "/".join(told.split("/")[-2:])
    return str(((reference or {}).get("identifier") or {}).get("value") or "")


def _amount(adjudications: Any, category: str) -> float | None:
    found = [one for one in adjudications if _code(one.get("category"), ADJUDICATION) == category]
    told = [float(one["amount"].get("value") or 0) for one in found if one.get("amount")]
    return sum(told) if told else None


def _code(concept: Json | None, system: str) -> str:
    return next((str(c.get("code")) for c in (concept or {}).get("coding") or () if c.get("system") == system), "")
