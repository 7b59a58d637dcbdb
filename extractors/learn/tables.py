"""What a model gets right and wrong, by section and by rule, and how far its evidence is that of the coders."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from extractors.coding.learned import Model
from extractors.learn.aligning import translated_evidence
from extractors.learn.corpus import Row
from extractors.learn.measures import f1
from extractors.learn.training import leaf_of, leaves
from extractors.model import Code, Coded, Convention, Span
from extractors.pipeline import Pipeline
from fhir_profiles.systems import ICD10CM

Counts = Counter[tuple[str, bool]]


def error_tables(
    model: Model | None, corpus: Sequence[Row], pipeline: Pipeline, convention: Convention
) -> dict[str, Any]:
    """Right and wrong accepted codes by section and by rule, and the overlap of evidence in characters."""
    coder = dataclasses.replace(pipeline, learned=model, convention=convention)
    sections: Counts = Counter()
    rules: Counts = Counter()
    overlap = [0, 0, 0]
    touched = [0, 0]
    for row, marks in zip(corpus, _marks(corpus, pipeline), strict=True):
        asked = leaves(pipeline.lexicon, row)
        _, coded = coder.run(row.text, "inpatient")
        for code in coded.codes:
            if code.system != ICD10CM or code.status != "accepted":
                continue
            right = code.code in asked
            sections[_section(coded, code), right] += 1
            rules[code.rule or "no rule", right] += 1
            if right and (gold := marks.get(code.code)):
                own = _characters([(code.start, code.end), *code.evidence])
                both = len(own & gold)
                overlap = [overlap[0] + both, overlap[1] + len(own), overlap[2] + len(gold)]
                touched = [touched[0] + (both > 0), touched[1] + 1]
    return {
        "by_section": _told(sections),
        "by_rule": _told(rules),
        "evidence_overlap": {**f1(*overlap), "touched": touched[0], "compared": touched[1]},
    }


def _marks(corpus: Sequence[Row], pipeline: Pipeline) -> list[dict[str, set[int]]]:
    """For each document: code of today → the characters that coders marked, as far as they were found in this text."""
    translated = [row for row in corpus if row.marked_in_original]
    found = {id(r): e for r, e in zip(translated, translated_evidence(translated), strict=True)} if translated else {}
    answer = []
    for row in corpus:
        marks: dict[str, set[int]] = {}
        for code, spans in [*found.get(id(row), ()), *((m.code, m.spans) for m in row.evidence)]:
            marks.setdefault(leaf_of(pipeline.lexicon, code), set()).update(_characters(spans))
        answer.append(marks)
    return answer


def _characters(spans: Sequence[Span]) -> set[int]:
    return {i for a, b in spans for i in range(a, b)}


def _section(coded: Coded, code: Code) -> str:
    items = coded.findings.items
    return (items[code.finding].section if 0 <= code.finding < len(items) else "") or "no section"


def _told(counts: Mapping[tuple[str, bool], int]) -> dict[str, dict[str, float]]:
    names = sorted({name for name, _ in counts}, key=lambda n: -(counts.get((n, True), 0) + counts.get((n, False), 0)))
    rows = {}
    for name in names:
        right, wrong = counts.get((name, True), 0), counts.get((name, False), 0)
        rows[name] = {"right": right, "wrong": wrong, "precision": round(right / (right + wrong), 3)}
    return rows
