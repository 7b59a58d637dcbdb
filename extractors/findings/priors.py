"""What a section says of everything in it, where the sentence itself says nothing else."""

from __future__ import annotations

from extractors.findings.assertion import Trigger
from extractors.findings.sections import SectionMap
from extractors.model import Span

PRIORS = {"family_history": "FAMILY", "pmh": "HISTORICAL", "psh": "HISTORICAL", "differential": "POSSIBLE_EXISTENCE"}


def section_triggers(sections: SectionMap, span: Span) -> list[Trigger]:
    """The header as a trigger, when its section has a prior and the span is not the header itself."""
    category = PRIORS.get(sections.at(span[0]))
    if category is None:
        return []
    start, end = sections.span(span[0])
    return [(start, end, category)] if span[0] >= end else []
