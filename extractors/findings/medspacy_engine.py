"""The same rules run by medspaCy itself: the reference for the compiled executor (https://github.com/medspacy/medspacy).

spaCy and medspaCy are imported on first use only. Sentences are ours: medspaCy's default splitter is slow and writes
the text it splits to the log, so its logger is shut before anything else is imported.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from functools import cache
from importlib.resources import as_file, files
from typing import Any

from extractors.findings import rules
from extractors.findings.assertion import Trigger
from extractors.findings.lines import Sentence
from extractors.model import Span

_GAP = re.compile(r"\s+")


@cache
def _pipeline() -> tuple[Any, Any]:
    """A blank tokenizer and the ConText component with our rule file."""
    from loguru import logger

    logger.disable("PyRuSH")
    with warnings.catch_warnings():  # their imports warn of their own dependencies' future
        warnings.simplefilter("ignore")
        import spacy
        from medspacy.context import ConText

    nlp = spacy.blank("en")
    with as_file(files("extractors.findings").joinpath(rules.CONTEXT)) as path:
        context = ConText(
            nlp,
            rules=str(path),
            terminating_types=rules.read().get("terminating_types", {}),
            span_attrs=None,
            input_span_type="group",
            span_group_name="mentions",
        )
    return nlp, context


def assert_medspacy(text: str, sentences: Sequence[Sentence], spans: Sequence[Span]) -> dict[Span, list[Trigger]]:
    """The triggers that decide on each of `spans`, sentence by sentence, by medspaCy's ConText."""
    decided: dict[Span, list[Trigger]] = {span: [] for span in spans}
    reach: dict[int, list[Trigger]] = {}
    leads = {s.lead for s in sentences if s.lead >= 0}
    for number, sentence in enumerate(sentences):
        inside = [s for s in spans if sentence.start <= s[0] < sentence.end]
        if not inside and number not in leads:
            continue
        found, tail = _sentence(text, sentence, inside)
        for span, triggers in found.items():
            decided[span] += triggers + reach.get(sentence.lead, [])
        reach[number] = tail
    return decided


def _sentence(text: str, sentence: Sentence, spans: Sequence[Span]) -> tuple[dict[Span, list[Trigger]], list[Trigger]]:
    """The triggers of each span, and those that reach the end of the sentence."""
    nlp, context = _pipeline()
    end = max([sentence.end, *(s[1] for s in spans)])
    raw = text[sentence.start : end]
    flat, back = _flatten(raw)
    doc = nlp(flat)
    for token in doc:
        token.is_sent_start = token.i == 0
    forth = {offset: i for i, offset in reversed(list(enumerate(back)))}
    targets: list[Any] = []
    owners: list[Span] = []
    for span in spans:
        a, b = _place(forth, span[0] - sentence.start), _place(forth, span[1] - sentence.start)
        target = doc.char_span(a, b, label="mention", alignment_mode="expand")
        if target is not None:
            targets.append(target)
            owners.append(span)
    doc.spans["mentions"] = targets
    with warnings.catch_warnings():  # one of medspaCy's three matchers has no patterns, which spaCy warns of
        warnings.simplefilter("ignore")
        context(doc)
    graph = doc._.context_graph
    found: dict[Span, list[Trigger]] = {span: [] for span in spans}
    place = {(t.start, t.end): owner for t, owner in zip(targets, owners, strict=True)}
    for target, modifier in graph.edges:
        first, last = modifier.modifier_span
        if last <= target.start or first >= target.end:  # medspaCy lets a trigger inside a mention modify it
            found[place[target.start, target.end]].append(_trigger(doc, modifier, back, sentence.start))
    tail = [
        _trigger(doc, m, back, sentence.start)
        for m in graph.modifiers
        if m.direction in ("FORWARD", "BIDIRECTIONAL") and m.scope_span[1] >= len(doc) - 1
    ]
    return found, tail


def _trigger(doc: Any, modifier: Any, back: Sequence[int], offset: int) -> Trigger:
    first, last = modifier.modifier_span
    words = doc[first:last]
    return offset + back[words.start_char], offset + back[words.end_char - 1] + 1, modifier.category


def _flatten(raw: str) -> tuple[str, list[int]]:
    """`raw` with each run of blanks as one space, and the offset of each character in `raw`."""
    flat: list[str] = []
    back: list[int] = []
    at = 0
    for gap in _GAP.finditer(raw):
        flat.append(raw[at : gap.start()] + " ")
        back += [*range(at, gap.start()), gap.start()]
        at = gap.end()
    flat.append(raw[at:])
    back += [*range(at, len(raw)), len(raw)]
    return "".join(flat), back


def _place(forth: dict[int, int], offset: int) -> int:
    """Where an offset of the raw text stands in the flat one (blanks inside a run: the run's space)."""
    while offset not in forth and offset > 0:
        offset -= 1
    return forth.get(offset, 0)
