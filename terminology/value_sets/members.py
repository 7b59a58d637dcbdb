"""The members of a value set: asked one at a time, or listed where they can be.

Three answers throughout: True, False, and None when a code system that decides is not loaded or loaded in part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

Answer = bool | None
Pair = tuple[str, str]  # system, code
Listings = dict[int, frozenset[Pair]]
MAX_LISTED = 10_000
MAX_WORK = 250_000  # steps that one listing may take over all the sets it is made of


class TooMany(Exception):
    """The members are more than may be listed, or endless."""


@dataclass(frozen=True)
class Rule:
    """One include or exclude: codes of `system` that pass `test`, and are in all of `imports`.

    `listing` gives candidates that hold every member, or None when there is no such list; with `exact` all of them pass
    the test. `partial` says that the list holds only what is known. A rule without a system takes the codes of its
    imports.
    """

    system: str | None
    test: Callable[[str], Answer] | None = None
    listing: Callable[[], Iterable[str] | None] | None = None
    imports: tuple[Members, ...] = ()
    whole: bool = False
    exact: bool = False
    partial: bool = False

    @property
    def systems(self) -> frozenset[str]:
        """The systems that codes can come from."""
        if self.system is not None:
            return frozenset((self.system,))
        return frozenset.intersection(*(m.systems for m in self.imports)) if self.imports else frozenset()


@dataclass(eq=False)
class Members:
    """Who is in a value set."""

    url: str
    includes: tuple[Rule, ...]
    excludes: tuple[Rule, ...] = ()
    version: str | None = None
    systems: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.systems = frozenset().union(*(r.systems for r in self.includes))

    def contains(self, system: str | None, code: str) -> Answer:
        """Whether a code is in the set; without a system, whether it is so in any of the set's systems."""
        return self._asked(system, code, {})

    def _asked(self, system: str | None, code: str, known: dict[int, Answer]) -> Answer:
        """`known` holds the answers of this question, so that a set reached on many ways is asked once."""
        if not system:
            return _any(self._asked(one, code, {}) for one in sorted(self.systems))
        if id(self) not in known:
            found = _any(_holds(rule, system, code, known) for rule in self.includes)
            if found is not False and self.excludes:
                out = _any(_holds(rule, system, code, known) for rule in self.excludes)
                found = _all((found, None if out is None else not out))
            known[id(self)] = found
        return known[id(self)]

    @property
    def whole(self) -> frozenset[str]:
        """The systems all of whose codes are in the set."""
        touched = frozenset().union(*(r.systems for r in self.excludes))
        own = {r.system for r in self.includes if r.whole and r.system is not None}
        for rule in self.includes:
            if rule.system is None and len(rule.imports) == 1:
                own |= rule.imports[0].whole
        return frozenset(own - touched)

    @cached_property
    def _rules(self) -> tuple[Rule, ...]:
        """Every rule of this set and of those it is made of."""
        found: list[Rule] = []
        waiting, seen = [self], {id(self)}
        while waiting:
            one = waiting.pop()
            for rule in one.includes + one.excludes:
                found.append(rule)
                waiting.extend(m for m in rule.imports if id(m) not in seen)
                seen.update(id(m) for m in rule.imports)
        return tuple(found)

    @cached_property
    def unknown(self) -> frozenset[str]:
        """The systems that are not loaded, or in part, so that `codes` cannot hold all of their members."""
        return frozenset(r.system for r in self._rules if r.partial and r.system is not None)

    @cached_property
    def weight(self) -> int:
        """How many rules a question may have to ask."""
        return len(self._rules)

    def codes(self, limit: int = MAX_LISTED) -> tuple[Pair, ...] | None:
        """The (system, code) pairs that are known to be members, sorted; None when more than `limit`, or endless."""
        try:
            return tuple(sorted(self._listed({}, [MAX_WORK], limit)))
        except TooMany:
            return None

    def _listed(self, known: Listings, work: list[int], most: int) -> frozenset[Pair]:
        if id(self) not in known:
            found: set[Pair] = set()
            out = self._listed_excludes(work)
            for rule in self.includes:
                sure = rule.exact and not rule.imports and out is not None
                for pair in _candidates(rule, known, work):
                    work[0] -= 1 if sure else 1 + self.weight
                    if work[0] < 0 or len(found) > most:
                        raise TooMany
                    if pair not in found and (pair not in out if sure and out is not None else self.contains(*pair)):
                        found.add(pair)
            if len(found) > most:
                raise TooMany
            known[id(self)] = frozenset(found)
        return known[id(self)]

    def _listed_excludes(self, work: list[int]) -> set[Pair] | None:
        """What is excluded, where that is a plain list."""
        found: set[Pair] = set()
        for rule in self.excludes:
            listed = rule.listing() if rule.listing and rule.exact and not (rule.imports or rule.partial) else None
            if rule.system is None or listed is None:
                return None
            found.update((rule.system, code) for code in listed)
            work[0] -= len(found)
        return found


def _candidates(rule: Rule, known: Listings, work: list[int]) -> Iterable[Pair]:
    """Pairs that hold every known member of a rule."""
    listed = rule.listing() if rule.listing else None
    if rule.system is not None and listed is not None:
        return ((rule.system, code) for code in listed)
    for members in rule.imports:
        try:
            return members._listed(known, work, MAX_WORK)
        except TooMany:
            continue
    raise TooMany


def _holds(rule: Rule, system: str, code: str, known: dict[int, Answer]) -> Answer:
    if rule.system is not None and rule.system != system:
        return False
    own = rule.test(code) if rule.test else True
    if own is False or not rule.imports:
        return own
    return _all((own, *(m._asked(system, code, known) for m in rule.imports)))


def _any(answers: Iterable[Answer]) -> Answer:
    found: Answer = False
    for answer in answers:
        if answer:
            return True
        if answer is None:
            found = None
    return found


def _all(answers: Iterable[Answer]) -> Answer:
    found: Answer = True
    for answer in answers:
        if answer is False:
            return False
        if answer is None:
            found = None
    return found
