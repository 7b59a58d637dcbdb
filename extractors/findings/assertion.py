"""Assertion by ConText: triggers, their scopes, and what they say of a mention.

The algorithm of Harkema et al. (2009, https://doi.org/10.1016/j.jbi.2009.05.002) as medspaCy runs it: within a sentence
a trigger reaches forward, backward or both ways, until a terminator, a trigger of its own category, or its `max_scope`.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence, Set

import msgspec

from extractors.findings.lines import Sentence
from extractors.findings.normalise import Normal
from extractors.findings.rules import Rule, Rules
from extractors.model import Assertion, Span

FLAGS = {
    "NEGATED_EXISTENCE": "negated",
    "POSSIBLE_EXISTENCE": "possible",
    "HISTORICAL": "historical",
    "HYPOTHETICAL": "hypothetical",
    "FAMILY": "family",
}
Trigger = tuple[int, int, str]
_PRESENT = Assertion()


class Modifier(msgspec.Struct, eq=False, gc=False):
    """A trigger in the text with the reach that is left to it."""

    start: int
    end: int
    rule: Rule
    low: int
    high: int


def find_modifiers(
    folded: str, normal: Normal, sentences: Sequence[Sentence], rules: Rules, wanted: Set[int] | None = None
) -> dict[int, list[Modifier]]:
    """The modifiers of each sentence (of the `wanted` ones, by number) with their final scopes."""
    found: dict[int, list[Modifier]] = {}
    starts = [s.start for s in sentences]
    chosen = range(len(sentences)) if wanted is None else sorted(i for i in wanted if i >= 0)
    spans = ((sentences[i].start, sentences[i].end) for i in chosen)
    for pattern, begin, stop in normal.matches(rules.automaton, spans):
        rule = rules.rules[rules.owners[pattern]]
        if rule.direction == "PSEUDO":  # it has done its work: the words are taken
            continue
        start = normal.start(begin)
        i = bisect_right(starts, start) - 1
        if i < 0 or (wanted is not None and i not in wanted):
            continue
        end = normal.end(stop)
        if end > sentences[i].end:
            continue
        modifier = _modifier(start, end, rule, sentences[i], normal, begin, stop)
        if i in found:
            found[i].append(modifier)
        else:
            found[i] = [modifier]
    for mark, rule in rules.marks:
        at = folded.find(mark)
        while at >= 0:
            i = bisect_right(starts, at) - 1
            if i in found and at < sentences[i].end:
                low = at + len(mark) if rule.direction == "FORWARD" else sentences[i].start
                insort(found[i], Modifier(at, at + len(mark), rule, low, sentences[i].end), key=_start)
            elif i >= 0 and rule.direction != "TERMINATE" and (wanted is None or i in wanted):
                found[i] = [Modifier(at, at + len(mark), rule, at + len(mark), sentences[i].end)]
            at = folded.find(mark, at + 1)
    for modifiers in found.values():
        if len(modifiers) > 1:
            _limit(modifiers)
    return found


def _start(modifier: Modifier) -> int:
    return modifier.start


def _modifier(start: int, end: int, rule: Rule, sentence: Sentence, normal: Normal, begin: int, stop: int) -> Modifier:
    low, high = sentence.start, sentence.end
    if rule.direction == "FORWARD":
        low = end
    elif rule.direction == "BACKWARD":
        high = start
    if rule.max_scope is not None:
        if rule.direction != "BACKWARD" and (reach := normal.after(stop, rule.max_scope)) is not None:
            high = min(high, reach)
        if rule.direction != "FORWARD" and (reach := normal.before(begin, rule.max_scope)) is not None:
            low = max(low, reach)
    return Modifier(start, end, rule, low, high)


def _limit(modifiers: list[Modifier]) -> None:
    """Let terminators and neighbours of the same category cut each other's scopes."""
    for i, one in enumerate(modifiers):
        for other in modifiers[i + 1 :]:
            _cut(one, other)
            _cut(other, one)


def _cut(one: Modifier, other: Modifier) -> None:
    rule, cutter = one.rule, other.rule
    if rule.direction == "TERMINATE" or not (one.low < other.high and other.low < one.high):
        return
    if (
        cutter.direction != "TERMINATE"
        and cutter.category != rule.category
        and cutter.category not in rule.terminated_by
    ):
        return
    if rule.direction != "BACKWARD" and other.start > one.start:
        one.high = min(one.high, other.start)
    if rule.direction != "FORWARD" and other.end < one.end:
        one.low = max(one.low, other.end)


def applies(modifier: Modifier, start: int, end: int) -> bool:
    """True when the modifier reaches the mention and is no part of it.

    "No prior" reaches "prior MI", though both have a word in common.
    """
    if modifier.start < end and start < modifier.end:
        return modifier.rule.direction == "FORWARD" and modifier.start < start and modifier.end < end
    return modifier.low < end and start < modifier.high


def reduce_targets(modifier: Modifier, targets: Iterable[Span]) -> list[Span]:
    """The targets of a modifier, no more than its `max_targets`, the nearest first."""
    hit = [t for t in targets if applies(modifier, *t)]
    if modifier.rule.max_targets is not None and len(hit) > modifier.rule.max_targets:
        hit.sort(key=lambda t: min(abs(modifier.start - t[1]), abs(t[0] - modifier.end)))
        hit = hit[: modifier.rule.max_targets]
    return hit


def inner_triggers(
    folded: str, normal: Normal, sentences: Sequence[Sentence], spans: Sequence[Span], rules: Rules
) -> dict[Span, list[Trigger]]:
    """Words of history within a span that a caller gave ("status post CABG"): the span says it of itself."""
    found: dict[Span, list[Trigger]] = {}
    for modifiers in find_modifiers(folded, normal, sentences, rules).values():
        for m in modifiers:
            if m.rule.category == "HISTORICAL":
                for span in spans:
                    if span[0] <= m.start and m.end <= span[1]:
                        found.setdefault(span, []).append((m.start, m.end, m.rule.category))
    return found


def assertion_of(triggers: Sequence[Trigger]) -> Assertion:
    """The flags that the categories of the triggers raise."""
    if not triggers:
        return _PRESENT
    categories = {t[2] for t in triggers}
    doubted = not categories & {"CONFIRMED", "NEGATED_EXISTENCE"}  # what is confirmed or denied is in no doubt
    said = tuple(t for t in triggers if t[2] in FLAGS and (doubted or t[2] != "POSSIBLE_EXISTENCE"))
    return Assertion(**{FLAGS[c]: True for _, _, c in said}, triggers=said) if said else _PRESENT


def assert_compiled(
    folded: str, normal: Normal, sentences: Sequence[Sentence], spans: Sequence[Span], rules: Rules
) -> dict[Span, list[Trigger]]:
    """The triggers that decide on each of `spans` (ascending), by the compiled rules."""
    starts = [s.start for s in sentences]
    decided: dict[Span, list[Trigger]] = {span: [] for span in spans}
    groups: dict[int, list[Span]] = {}
    for span in decided:
        i = bisect_right(starts, span[0]) - 1
        if i >= 0:
            groups.setdefault(i, []).append(span)
    leads = {sentences[i].lead for i in groups}
    modifiers = find_modifiers(folded, normal, sentences, rules, groups.keys() | leads)
    for i, targets in groups.items():
        for modifier in modifiers.get(i, ()):
            if modifier.rule.direction != "TERMINATE":
                for span in reduce_targets(modifier, targets):
                    decided[span].append((modifier.start, modifier.end, modifier.rule.category))
        lead = sentences[i].lead
        if lead >= 0:
            inherited = [
                (m.start, m.end, m.rule.category)
                for m in modifiers.get(lead, ())
                if m.rule.direction in ("FORWARD", "BIDIRECTIONAL") and m.high >= sentences[lead].end - 1
            ]
            for span in targets:
                decided[span] += inherited
    return decided
