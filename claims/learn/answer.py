"""Scores in a ClaimResponse, as an extension that only informs (https://hl7.org/fhir/R4/claimresponse.html)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from claims.answer.response import Result
from claims.learn.score import Score, Scorer
from claims.rules.rule import Rule
from fhir_profiles.systems import LEARNED_SCORE

Json = dict[str, Any]


def extensions(scorer: Scorer, result: Result, active: Iterable[Rule]) -> list[Json]:
    """The score of a claim. `active` are the rules that were run."""
    (score,) = scorer.of_results([result])
    return [extension(score, scorer.model.name, scorer.lacking(active))]


def extension(score: Score, model: str, lacking: int) -> Json:
    """A score by a model; `lacking` rules that it learned from were not run."""
    parts: list[Json] = [{"url": "model", "valueString": model}]
    if score.risk is None:
        parts.append({"url": "not-scored", "valueString": score.why})
    else:
        parts.append({"url": "denial-risk", "valueDecimal": score.risk})
        parts += [{"url": "reason", "valueString": reason.text} for reason in score.reasons]
        if lacking:
            parts.append({"url": "rules-lacking", "valueInteger": lacking})
    charge = score.charge
    if charge is not None and charge.line > 0:
        parts.append({"url": "charge-line", "valuePositiveInt": charge.line})
        parts.append({"url": "charge-outlier", "valueCode": charge.direction or "none"})
        parts.append({"url": "charge", "valueString": charge.text})
    return {"url": LEARNED_SCORE, "extension": parts}
