"""What is measured without a model: assertion of given spans, and codes by rule of short texts, from lines of JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from extractors.findings.stage import assert_spans
from extractors.learn.measures import f1
from extractors.model import Assertion, Document
from extractors.pipeline import Pipeline

Line = Mapping[str, Any]


def assertions(lines: Iterable[Line]) -> dict[str, dict[str, float]]:
    """Precision, recall and F1 of each flag over sentences with a span (`gold`: span, negation, temporality)."""
    counts: dict[str, list[int]] = {"negated": [0, 0, 0], "historical": [0, 0, 0], "hypothetical": [0, 0, 0]}
    sentences = 0
    for line in lines:
        gold, text = line["gold"], line["text"]
        if not gold.get("span"):
            continue
        sentences += 1
        start, end = gold["span"]
        (found,) = assert_spans(Document(text, "text/plain", ""), [(start, end)])
        for flag, true in _flags(gold).items():
            said = _said(found, flag)
            right, all_said, asked = counts[flag]
            counts[flag] = [right + (said and true), all_said + said, asked + true]
    return {"sentences": {"n": sentences}, **{flag: f1(*row) for flag, row in counts.items()}}


def _flags(gold: Line) -> dict[str, bool]:
    return {
        "negated": gold["negation"] == "Negated",
        "historical": gold["temporality"] == "Historical",
        "hypothetical": gold["temporality"] == "Not particular",
    }


def _said(assertion: Assertion, flag: str) -> bool:
    return bool(getattr(assertion, flag))


def rules(lines: Iterable[Line], pipeline: Pipeline) -> dict[str, Any]:
    """How many texts get every expected code, none that is forbidden, and the right one first (`failed`: their ids)."""
    outcome: Counter[str] = Counter()
    failed = []
    for line in lines:
        codes = [c.code for c in pipeline.run(line["text"], line.get("setting"))[1].codes if c.status == "accepted"]
        right = (
            set(line["expected"]) <= set(codes)
            and not set(line.get("forbidden", ())) & set(codes)
            and (not line.get("first_listed") or codes[:1] == [line["first_listed"]])
        )
        outcome["right"] += right
        outcome["forbidden"] += len(set(line.get("forbidden", ())) & set(codes))
        outcome["cases"] += 1
        if not right:
            failed.append(str(line.get("id", outcome["cases"])))
    return {**outcome, "failed": failed}
