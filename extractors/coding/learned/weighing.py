"""Every code that a narrative may have, with what speaks for it, and how surely: the features and their forest."""

from __future__ import annotations

import math
from bisect import insort
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from extractors.coding.learned.mentions import Mentioned, mentioned
from extractors.coding.learned.model import (
    COMPOSED,
    CURATED,
    EVIDENCE,
    EXACT,
    FORMED,
    INCLUSION,
    PART,
    TABLES,
    TITLE,
    TYPICAL,
    WEAK,
    Model,
    logit,
)
from extractors.coding.learned.words import beginnings, content, read_words
from extractors.coding.lexicon import Lexicon
from extractors.model import Finding, Span

FEATURES = (
    "share", "second", "documents", "right", "words", "evidence", "typical", "title", "inclusion", "curated", "table",
    "exact", "phrases", "mentions", "first", "denied", "all_denied", "seen", "covered", "covering", "rival_category",
    "rival_span", "rank", "candidates", "expected", "longest", "odds", "surely", "chapter", "length", "nine",
    "right_all", "size", "marked", "typicality", "any_share", "past", "named", "named_by", "named_words", "part",
    "before", "behind", "any_before",
    "category_share", "of_category", "category_sum", "leaves", "category_seen", "title_in_text", "title_in_clause",
    "untold", "most_right", "all_marked", "strong", "mean_share", "marked_phrases", "first_at", "composed",
)  # fmt: skip
UNSEEN = 0.0005
LEAST = 0.08  # share of documents: a code for which no phrase says more is no candidate


class Weighed(NamedTuple):
    """A code with its probability and where the text says it, the best place first; `findings` match `spans`."""

    code: str
    probability: float
    spans: list[Span]
    findings: list[int]


class Support(NamedTuple):
    """One phrase that speaks for a code."""

    share: float
    documents: int
    words: int
    right: int
    marked: int
    sources: int
    phrase: Mentioned


def weigh(model: Model, text: str, items: Sequence[Finding], lexicon: Lexicon) -> list[Weighed]:
    """The candidates of a text, likeliest first."""
    supports = supported(mentioned(model, text, items, lexicon))
    if not supports:
        return []
    rows = np.array(features(model, text, items, supports, lexicon), dtype=np.float32)
    found = []
    for (code, support), probability in zip(supports.items(), model.probability(rows), strict=True):
        spans = [span for s in support for span in s.phrase.spans]
        findings = [f for s in support for f in s.phrase.findings]
        found.append(Weighed(code, probability, spans, findings))
    return sorted(found, key=lambda w: (-w.probability, w.code))


def supported(mentions: Sequence[Mentioned]) -> dict[str, list[Support]]:
    """Code → the phrases that speak for it, the best first."""
    found: dict[str, list[Support]] = {}
    for mention in mentions:
        n = mention.documents
        for code, right, marked, sources in mention.meanings:
            prior = 0.5 if sources & ~WEAK else 0.3
            support = Support((right + prior) / (n + 1), n, mention.words, right, marked, sources, mention)
            found.setdefault(code, []).append(support)
    for supports in found.values():
        if len(supports) > 1:
            supports.sort(key=lambda s: (-s.share, -s.documents, -s.words))
    return {code: supports for code, supports in found.items() if supports[0].share >= LEAST}


def features(
    model: Model, text: str, items: Sequence[Finding], supports: dict[str, list[Support]], lexicon: Lexicon
) -> list[list[float]]:
    """A row of `FEATURES` for each code, in order."""
    size, told = len(text), beginnings(read_words(text).text.split())
    best = _best_at(supports)
    covering = _covering(best)
    shares = {code: s[0].share for code, s in supports.items()}
    families: dict[str, list[tuple[float, str]]] = {}
    for code, share in shares.items():
        families.setdefault(code[:3], []).append((share, code))
    rank = {code: r for r, code in enumerate(sorted(shares, key=lambda c: (-shares[c], c)))}
    expected = sum(shares.values())
    denied = [f.assertion.negated for f in items]
    past = [f.assertion.historical or f.assertion.family or f.assertion.hypothetical for f in items]
    common: Counter[str] = Counter()
    for code, documents in model.seen.items():
        common[code[:3]] += documents
    rows = []
    for code, support in supports.items():
        top = support[0]
        spans, findings = top.phrase.spans, top.phrase.findings
        every = {s for x in support for s in x.phrase.spans}
        said = [f for x in support for f in x.phrase.findings if f >= 0]
        sources = 0
        for x in support:
            sources |= x.sources
        seen = model.seen.get(code, 0)
        title = content(lexicon.display_of(code))
        near = top.phrase.around
        over = [covering[s] for s in spans if s in covering and covering[s][1] != code]
        base = logit(seen / model.documents if seen else UNSEEN)
        rows.append([
            logit(top.share), logit(support[1].share) if len(support) > 1 else -7.0, top.documents, top.right,
            top.words, bool(top.sources & EVIDENCE), bool(top.sources & TYPICAL), bool(top.sources & TITLE),
            bool(top.sources & INCLUSION), bool(top.sources & CURATED), bool(sources & TABLES), bool(sources & EXACT),
            len(support), len(every), min(a for a, _ in every) / size, _part(denied, findings),
            _part(denied, said), seen, len(over) / len(spans), max((s for s, _ in over), default=0.0),
            max((s for s, c in families[code[:3]] if c != code), default=0.0),
            max((best[s][0] for s in spans if best[s][1] != code), default=0.0), rank[code], len(shares), expected,
            max(x.words for x in support), sum(logit(x.share) - base for x in support[:6]),
            top.share * math.log1p(top.documents), ord(code[0]), len(code), code.endswith("9"),
            sum(x.right for x in support), size, top.marked / (top.documents + 1),
            2 * top.right / (top.documents + seen + 1), max(best[s][0] for s in spans), _part(past, said),
            len(title & near) / len(title) if title else 0.0, len(title & near), len(title), bool(top.sources & PART),
            top.phrase.before,
            top.phrase.behind, min(x.phrase.before for x in support),
            *_of_category(code, top, [s for s, _ in families[code[:3]]]), common[code[:3]],
            *_titled(title, near, told), *_counted(support, every),
            bool(sources & FORMED) + 2 * bool(sources & COMPOSED),
        ])  # fmt: skip
    return rows


def _of_category(code: str, top: Support, shares: Sequence[float]) -> tuple[float, ...]:
    """How often the best phrase goes with any leaf of the category, and what the others of it weigh here."""
    documents = min(sum(m.documents for m in top.phrase.meanings if m.code[:3] == code[:3]), top.documents)
    return logit((documents + 0.5) / (top.documents + 1)), top.share / sum(shares), sum(shares), len(shares)


def _titled(title: frozenset[str], near: frozenset[str], told: frozenset[str]) -> tuple[float, float, int]:
    """The share of a title's words, by their beginnings, that text and clause have; those that the clause lacks."""
    wanted = beginnings(title)
    if not wanted:
        return 0.0, 0.0, 0
    return len(wanted & told) / len(wanted), len(wanted & beginnings(near)) / len(wanted), len(title - near)


def _counted(support: Sequence[Support], every: set[Span]) -> tuple[float, ...]:
    """What the phrases of a code say together, and how early."""
    return (
        max(x.right for x in support),
        sum(x.marked for x in support),
        sum(bool(x.sources & ~WEAK) for x in support),
        sum(x.share for x in support) / len(support),
        sum(x.marked > 0 for x in support),
        min(a for a, _ in every) / 1000,
    )


def _part(flags: Sequence[bool], findings: Sequence[int]) -> float:
    """The share of findings that have a flag; 0 where nothing was found."""
    told = [flags[f] for f in findings if f >= 0]
    return sum(told) / len(told) if told else 0.0


def _best_at(supports: dict[str, list[Support]]) -> dict[Span, tuple[float, str]]:
    """Place → the best share and code of the phrases that stand there."""
    best: dict[Span, tuple[float, str]] = {}
    for code, support in supports.items():
        for s in support:
            for span in s.phrase.spans:
                known = best.get(span)
                if known is None or known[0] < s.share:
                    best[span] = (s.share, code)
    return best


def _covering(best: dict[Span, tuple[float, str]]) -> dict[Span, tuple[float, str]]:
    """Place → the best of the longer places around it."""
    found: dict[Span, tuple[float, str]] = {}
    opened: list[Span] = []
    for span in sorted(best, key=lambda s: (s[0], -s[1])):
        opened = [o for o in opened if o[1] > span[0]]
        around = [best[o] for o in opened if o[1] >= span[1]]
        if around:
            found[span] = max(around)
        insort(opened, span)
    return found
