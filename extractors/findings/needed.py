"""The words that a pattern cannot do without: each of its matches holds one of them.

Read off the pattern itself (https://docs.python.org/3/library/re.html): a run of plain characters, alternatives and
small sets of characters is written out; of several runs the one whose shortest word is longest is taken.
"""

from __future__ import annotations

from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

MOST = 96  # words of one run; one that can be written in more ways is cut
LEAST = 2  # letters: a shorter word stands in every text
_NOTHING = frozenset({""})
_ZERO_WIDTH = (op.AT, op.ASSERT, op.ASSERT_NOT)
Words = frozenset[str]


def needed(pattern: str) -> tuple[str, ...]:
    """The words one of which is in every match of a pattern without flags; empty where that cannot be told."""
    best = _best(parser.parse(pattern))
    return tuple(sorted(best)) if best is not None else ()


def _best(parsed: Any) -> Words | None:
    """The most telling of the sets of words that a sequence cannot do without."""
    found: list[Words] = []
    run = _NOTHING
    for kind, value in parsed:
        ways = _ways(kind, value)
        grown = None if ways is None else frozenset(a + b for a in run for b in ways)
        if grown is not None and len(grown) <= MOST:
            run = grown
            continue
        found.append(run)
        run = ways if ways is not None else _NOTHING
        if ways is None and (inner := _within(kind, value)) is not None:
            found.append(inner)
    told = [_shortest(words) for words in (*found, run) if min(map(len, words)) >= LEAST]
    return max(told, key=lambda words: (min(map(len, words)), -len(words)), default=None)


def _shortest(words: Words) -> Words:
    """Without those that hold another: where the longer one stands the shorter does."""
    return frozenset(w for w in words if not any(o != w and o in w for o in words))


def _ways(kind: Any, value: Any) -> Words | None:
    """Every string that a part can match, where these are few; what has no width matches nothing but a place."""
    if kind is op.LITERAL:
        return frozenset({chr(value)})
    if kind in _ZERO_WIDTH:
        return _NOTHING
    if kind is op.IN and all(k is op.LITERAL for k, _ in value):
        return frozenset(chr(c) for _, c in value)
    if kind is op.SUBPATTERN and not (value[1] or value[2]):
        return _all_ways(value[3])
    if kind is op.BRANCH:
        branches = [_all_ways(branch) for branch in value[1]]
        joined = frozenset[str]().union(*(b for b in branches if b is not None))
        return joined if None not in branches and len(joined) <= MOST else None
    if kind is op.MAX_REPEAT and value[:2] == (0, 1):
        ways = _all_ways(value[2])
        return None if ways is None else ways | _NOTHING
    return None


def _all_ways(parsed: Any) -> Words | None:
    """Every string that a sequence can match, where these are few."""
    run = _NOTHING
    for kind, value in parsed:
        ways = _ways(kind, value)
        if ways is None or len(run) * len(ways) > MOST:
            return None
        run = frozenset(a + b for a in run for b in ways)
    return run


def _within(kind: Any, value: Any) -> Words | None:
    """What a part that can match many strings cannot do without."""
    if kind is op.SUBPATTERN and not (value[1] or value[2]):
        return _best(value[3])
    if kind is op.BRANCH:
        branches = [_best(branch) for branch in value[1]]
        return frozenset[str]().union(*(b for b in branches if b)) if None not in branches else None
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT) and value[0] >= 1:
        return _best(value[2])
    return None
