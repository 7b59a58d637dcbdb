"""The Assertion of spans: ConText by the chosen engine, then what the section says of all that stands in it."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

from extractors.findings import rules
from extractors.findings.answers import find_answers
from extractors.findings.assertion import Trigger, assert_compiled, assertion_of, inner_triggers
from extractors.findings.normalise import term
from extractors.findings.past import past_years
from extractors.findings.reading import Reading
from extractors.findings.sections import SectionMap
from extractors.model import Assertion, Span

HABITS = (
    "tobacco",
    "alcohol",
    "etoh",
    "smok",
    "drug use",
    "drug abuse",
    "illicit",
    "drugs",
    "allerg",
)  # always history
Engine = Literal["compiled", "medspacy"]
PRIORS = {
    "family_history": "FAMILY",
    "pmh": "HISTORICAL",
    "psh": "HISTORICAL",
    "differential": "POSSIBLE_EXISTENCE",
    "precautions": "HYPOTHETICAL",
}


def decide(
    reading: Reading, spans: Sequence[Span], engine: Engine, given: Sequence[Span] = ()
) -> dict[Span, Assertion]:
    """The Assertion of each span (ascending); `given` are those that a caller cut out himself."""
    table = rules.load()
    if engine == "compiled":
        found = assert_compiled(reading.folded, reading.normal, reading.sentences, spans, table)
    else:
        from extractors.findings.medspacy_engine import assert_medspacy

        found = assert_medspacy(reading.text, reading.sentences, spans)
    if given:
        for span in given:
            if _stands_alone(reading, span) or any(w in reading.folded[slice(*span)] for w in HABITS):
                found[span] = [*found[span], (*span, "HISTORICAL")]
        for span, triggers in inner_triggers(reading.folded, reading.normal, reading.sentences, given, table).items():
            found[span] = [*found[span], *triggers]
    for low, high, verb in past_years(reading.folded, reading.sentences):
        for span in found:
            if low <= span[0] and span[1] <= high:
                found[span] = [*found[span], (*verb, "HISTORICAL")]
    ordered = sorted(found)
    for answer in find_answers(reading.text, reading.folded):
        for span in ordered[bisect_left(ordered, (answer.start, 0)) : bisect_left(ordered, (answer.end, 0))]:
            if span[1] <= answer.end:
                found[span] = [*found[span], (*answer.trigger, answer.category)]
    return {s: assertion_of([*triggers, *_section(reading.sections, s)]) for s, triggers in found.items()}


def _stands_alone(reading: Reading, span: Span) -> bool:
    """True when the whole text is one span that names a standing condition: an item cut from a list of past history."""
    if len(reading.sentences) != 1 or reading.text.strip(" .\n") != reading.text[slice(*span)].strip(" ."):
        return False
    return term(reading.text[slice(*span)]) in _standing()


@cache
def _standing() -> frozenset[str]:
    names = json.loads(files("extractors.findings").joinpath("standing.json").read_text("utf-8"))
    return frozenset(term(name) for name in names)


def _section(sections: SectionMap, span: Span) -> list[Trigger]:
    """The header as a trigger, when its section has a prior and the span is not the header itself."""
    section = sections.of(span[0])
    category = PRIORS.get(section.category)
    return [(section.start, section.end, category)] if category is not None and span[0] >= section.end else []
