"""Which codes a model is asked about: suggested by the words alone, neither sure nor hopeless."""

from __future__ import annotations

from extractors.adjudicate.model import Bounds, Offer
from extractors.model import Coded
from fhir_profiles.systems import CPT, HCPCS, ICD10CM

_SYSTEMS = frozenset({ICD10CM, CPT, HCPCS})


def offers_of(coded: Coded, bounds: Bounds) -> tuple[Offer, ...]:
    """The offers of a document, the surest first.

    A code that a guideline rule made or doubted is not among them: what a rule says is not for a model to undo.
    """
    asked = [
        code
        for code in coded.codes
        if code.status == "suggested"
        and code.rule is None
        and code.system in _SYSTEMS
        and bounds.low <= code.confidence < bounds.high
    ]
    asked.sort(key=lambda code: (-code.confidence, code.start, code.code))
    return tuple(
        Offer(code.system, code.code, code.display, ((code.start, code.end), *code.evidence))
        for code in asked[: bounds.most]
    )
