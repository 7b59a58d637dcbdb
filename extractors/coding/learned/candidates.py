"""The codes of a narrative: what the model weighs, as candidates that assertion and rules may still refuse."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from extractors.coding.case import NO_FINDING, Candidate, Case
from extractors.coding.learned.mentions import NONE
from extractors.coding.learned.model import Model
from extractors.coding.learned.weighing import Weighed, weigh
from extractors.coding.weigh import SHORT
from extractors.findings.stage import assert_spans
from extractors.model import Assertion, Finding, Span
from fhir_profiles.systems import ICD10CM

SUGGEST = 0.08  # below it a candidate is not worth a coder's look
NEVER = float("inf")
Decide = Callable[[Case, Candidate, Finding, float], None]


def is_narrative(case: Case) -> bool:
    """True for a text that tells a story: long, without the headers of a note, and not of one patient's record."""
    who = case.findings.identity
    recorded = who.birth_date is not None or who.mrn is not None
    return len(case.text) > SHORT and not recorded and not any(f.section for f in case.findings.items)


def narrative_candidates(case: Case, learned: Model, decide: Decide) -> None:
    """Add a candidate for each code that the model finds worth a look; `decide` sets what the assertion allows."""
    likely = [
        w for w in weigh(learned, case.document.text, case.findings.items, case.lexicon) if w.probability >= SUGGEST
    ]
    lone = (
        sorted({s for w in likely for s, f in zip(w.spans, w.findings, strict=True) if f == NONE})
        if case.convention == "guidelines"
        else []
    )
    accept = learned.thresholds["accept"]
    chosen = sure_categories(likely, learned) if case.convention == "mentions" else frozenset()
    asserted = dict(zip(lone, assert_spans(case.document, lone), strict=True)) if lone else {}
    for weighed in likely:
        best: Candidate | None = None
        for span, number in zip(weighed.spans, weighed.findings, strict=True):
            finding = (
                case.findings.items[number]
                if number != NONE
                else Finding("problem", *span, case.document.text[slice(*span)], asserted.get(span, Assertion()))
            )
            candidate = _candidate(case, weighed, span, number)
            decide(case, candidate, finding, 0.0 if weighed.code in chosen else accept)
            if best is None or (candidate.status == "accepted") > (best.status == "accepted"):
                best = candidate
            if best.status == "accepted":
                break
        assert best is not None
        best.evidence = [s for s in dict.fromkeys(weighed.spans) if s != (best.start, best.end)]
        case.candidates.append(best)


def sure_categories(likely: Sequence[Weighed], learned: Model) -> frozenset[str]:
    """The likeliest code of each category of which no code is sure enough and all together are; likeliest first."""
    together = learned.thresholds.get("category", NEVER)
    families: dict[str, list[Weighed]] = {}
    for weighed in likely:
        families.setdefault(weighed.code[:3], []).append(weighed)
    return frozenset(
        leaves[0].code
        for leaves in families.values()
        if len(leaves) > 1
        and leaves[0].probability < learned.thresholds["accept"]
        and sum(leaf.probability for leaf in leaves) >= together
    )


def _candidate(case: Case, weighed: Weighed, span: Span, number: int) -> Candidate:
    start, end = span
    sure = round(weighed.probability, 3)
    finding = number if number != NONE else NO_FINDING
    candidate = Candidate(ICD10CM, weighed.code, start, end, finding, sure)
    candidate.reasons.append(f'"{case.document.text[start:end]}" names it')
    return candidate
