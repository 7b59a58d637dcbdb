"""A slow second reading of an RF2 release: plain sets over the rows, nothing shared with the evaluator under test."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

from terminology import sctid
from tests.unit.terminology.snomed.release import INFERRED, Release

Codes = frozenset[str]
Hit = tuple[str, str, str, int]  # source, type, target or value, group


class Naive:
    """What expression constraints mean, on the raw rows."""

    def __init__(self, release: Release) -> None:
        table = release.table
        self.all: Codes = frozenset(row[0] for row in table("Concept"))
        self.active = frozenset(row[0] for row in table("Concept") if row[2] == "1")
        self.defined = frozenset(row[0] for row in table("Concept") if row[4] == sctid.DEFINED)
        rows = [r for r in table("Relationship_") if r[2] == "1" and r[8] == INFERRED]
        self.edges = [(r[4], r[5]) for r in rows if r[7] == sctid.IS_A]
        self.hits: list[Hit] = [(r[4], r[7], r[5], int(r[6])) for r in rows if r[7] != sctid.IS_A]
        self.values: list[Hit] = [(r[4], r[7], r[5], int(r[6])) for r in table("RelationshipConcreteValues")]
        self.up: dict[str, set[str]] = defaultdict(set)
        self.down: dict[str, set[str]] = defaultdict(set)
        for child, parent in self.edges:
            self.up[child].add(parent)
            self.down[parent].add(child)
        self.lists: dict[str, set[str]] = defaultdict(set)
        for part in ("Refset_Simple", "cRefset_Association"):
            for row in table(part):
                self.lists[row[4]].add(row[5])
        self.went = [(row[4], row[5], row[6]) for row in table("cRefset_Association")]
        self.names = [(row[4], row[6], row[7]) for row in table("Description")]

    def _reach(self, of: Iterable[str], step: dict[str, set[str]]) -> Codes:
        found: set[str] = set()
        waiting = [n for code in of for n in step[code]]
        while waiting:
            code = waiting.pop()
            if code not in found:
                found.add(code)
                waiting.extend(step[code])
        return frozenset(found)

    def walk(self, operator: str, of: Codes) -> Codes:
        """One step of the hierarchy."""
        below, above = self._reach(of, self.down), self._reach(of, self.up)
        children = frozenset(n for code in of for n in self.down[code])
        parents = frozenset(n for code in of for n in self.up[code])
        known = of & self.all
        return {
            "": known, "<": below, "<<": below | known, "<!": children, "<<!": children | known,
            ">": above, ">>": above | known, ">!": parents, ">>!": parents | known,
            "!!>": frozenset(c for c in known if not self._reach([c], self.up) & of),
            "!!<": frozenset(c for c in known if not self._reach([c], self.down) & of),
        }[operator]  # fmt: skip

    def members(self, refsets: Codes) -> Codes:
        """The members of reference sets."""
        return frozenset(code for refset in refsets for code in self.lists.get(refset, ()))

    def attribute(
        self,
        names: Codes,
        value: Callable[[str], bool],
        *,
        concrete: bool = False,
        reverse: bool = False,
        least: int = 1,
        most: int | None = None,
    ) -> Codes:
        """The concepts that have an attribute so many times, counting different pairs of name and value."""
        found: Counter[str] = Counter()
        rows = self.values if concrete else self.hits
        if reverse:
            rows = [(target, name, source, group) for source, name, target, group in rows]
        pairs = {(source, name, target) for source, name, target, _ in rows if name in names and value(target)}
        for source, _, _ in pairs:
            found[source] += 1
        return frozenset(c for c in self.all if found[c] >= least and (most is None or found[c] <= most))

    def groups(self, clause: Callable[[list[Hit]], bool], least: int = 1, most: int | None = None) -> Codes:
        """The concepts that have so many groups in which a clause holds."""
        found: Counter[str] = Counter()
        together: dict[tuple[str, int], list[Hit]] = defaultdict(list)
        for hit in [*self.hits, *self.values]:
            if hit[3] > 0:
                together[hit[0], hit[3]].append(hit)
        for (code, _), hits in together.items():
            found[code] += clause(hits)
        return frozenset(c for c in self.all if found[c] >= least and (most is None or found[c] <= most))

    @staticmethod
    def within(
        names: Codes, value: Callable[[str], bool], least: int = 1, most: int | None = None
    ) -> Callable[[list[Hit]], bool]:
        """A clause about one group: an attribute so many times."""

        def holds(hits: list[Hit]) -> bool:
            count = len({(name, target) for _, name, target, _ in hits if name in names and value(target)})
            return count >= least and (most is None or count <= most)

        return holds

    def dotted(self, of: Codes, names: Codes) -> Codes:
        """The values of attributes."""
        return frozenset(target for source, name, target, _ in self.hits if source in of and name in names)

    def history(self, of: Codes, refsets: Codes) -> Codes:
        """With what was replaced by them."""
        return of | frozenset(code for refset, code, target in self.went if refset in refsets and target in of)
