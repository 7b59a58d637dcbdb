"""What a language model decided about suggested codes, put in before the rules look at them."""

from __future__ import annotations

from extractors.adjudicate.model import BECAUSE, UNDECIDED
from extractors.coding.case import Candidate, Case
from extractors.model import Adjudication, Decision


def apply_decisions(case: Case, adjudication: Adjudication) -> None:
    """Accept what was kept and reject what was dropped; what was offered and is undecided says why.

    Only suggested candidates change, the confidence of none does: how sure a model makes a code was not measured.
    """
    decided = {(decision.system, decision.code): decision for decision in adjudication.decisions}
    offered = frozenset(adjudication.offered)
    who = f"the language model {adjudication.model} ({adjudication.prompt})"
    kept: set[tuple[str, str]] = set()
    for candidate in sorted(case.candidates, key=lambda c: (-c.confidence, c.start)):
        key = (candidate.system, candidate.code)
        if candidate.status != "suggested" or candidate.rule is not None or key not in offered:
            continue
        decision = decided.get(key)
        if decision is None:
            why = UNDECIDED[adjudication.refused.get(key, "undecided")]
            candidate.reasons.append(f"{_begun(who)} was asked and decides nothing: {why}. The rules alone decide")
        elif decision.verdict == "drop":
            candidate.status = "rejected"
            candidate.reasons.append(_said(case, decision, f"Dropped by {who}"))
        elif key not in kept:
            kept.add(key)
            _keep(case, candidate, decision, f"Kept by {who}")


def _keep(case: Case, candidate: Candidate, decision: Decision, how: str) -> None:
    candidate.status = "accepted"
    candidate.reasons.append(_said(case, decision, how))
    if decision.quote != (candidate.start, candidate.end) and decision.quote not in candidate.evidence:
        candidate.evidence.append(decision.quote)


def _said(case: Case, decision: Decision, how: str) -> str:
    quote = " ".join(case.document.text[slice(*decision.quote)].split())
    return f'{how}: {BECAUSE[decision.because]}: "{quote}"'


def _begun(text: str) -> str:
    return text[0].upper() + text[1:]
