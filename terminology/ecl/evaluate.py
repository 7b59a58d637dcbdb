"""The concepts of an edition that an expression constraint selects."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import numpy as np

from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import SNOMED_ID
from terminology.ecl.filters import DEFINED
from terminology.ecl.names import named
from terminology.ecl.refine import Refining
from terminology.ecl.substrate import Mask, Substrate
from terminology.ecl.tree import (
    Anything,
    Compound,
    Concept,
    Dotted,
    Filtered,
    History,
    MemberOf,
    Node,
    Refined,
    Test,
    Walk,
)

MOST_WORK = 1_000_000_000
"""Nanoseconds that one expression may take, by what its parts are known to cost."""

PROFILES = {"MIN": ("sameAs",), "MOD": ("sameAs", "replacedBy", "wasA", "partiallyEquivalentTo")}
"""The associations of the history profiles; MAX takes all that the edition has."""

_FEW = 2_000
"""Concepts up to which their histories are looked up one by one."""


def evaluate(substrate: Substrate, node: Node) -> Mask:
    """The concepts that a tree selects; FhirError when that would take too long."""
    return _Evaluation(substrate).select(node)


class _Evaluation:
    def __init__(self, substrate: Substrate) -> None:
        self._of = substrate
        self._work = 0
        self._refining = Refining(substrate, self.select, self._spend)

    def select(self, node: Node) -> Mask:
        """The concepts that a node selects."""
        found = self._of.none()
        self._add(node, found)
        return found

    def _spend(self, work: int) -> None:
        self._work += work
        if self._work > MOST_WORK:
            text = "The ECL expression would take too long: ask for less at once"
            raise FhirError.of(Category.INCORRECT, "too-costly", text)

    def _add(self, node: Node, found: Mask) -> None:
        """Add what a node selects to a mask; long lists of alternatives so need no mask of their own for each."""
        if isinstance(node, Concept):
            self._spend(5_000)
            number = self._of.file.id_of(node.code)
            if number is not None:
                found[number] = True
        elif isinstance(node, Compound) and node.operator == "OR":
            for one in node.of:
                self._add(one, found)
        elif isinstance(node, Walk) and node.operator in ("<", "<<") and isinstance(node.of, Concept):
            self._add_below(node.of.code, found, itself=node.operator == "<<")
        else:
            self._spend(10 * self._of.size)
            found |= self._selected(node)

    def _add_below(self, code: str, found: Mask, *, itself: bool) -> None:
        self._spend(10_000)
        number = self._of.file.id_of(code)
        if number is None:
            return
        before = bool(found[number])
        for first, last in self._of.file.intervals(code):
            self._spend(1_000 + last - first)
            found[first : last + 1] = True
        if not itself:
            found[number] = before

    def _selected(self, node: Node) -> Mask:
        match node:
            case Anything():
                return self._of.every()
            case Walk():
                return self._walk(node)
            case MemberOf():
                return self._members(node)
            case Compound():
                join = np.logical_and if node.operator == "AND" else _without
                return reduce(join, map(self.select, node.of))
            case Refined():
                return self.select(node.of) & self._refining.concepts(node.by)
            case Dotted():
                return reduce(lambda of, name: self._refining.targets(name, of), node.attributes, self.select(node.of))
            case Filtered():
                return reduce(self._tested, node.tests, self.select(node.of))
            case History():
                return self._history(node)
        raise AssertionError(node)

    def _walk(self, node: Walk) -> Mask:
        of, operator = self.select(node.of), node.operator
        self._spend(40 * self._of.size)
        walks: dict[str, Callable[[Mask], Mask]] = {
            "<": self._of.below,
            ">": self._of.above,
            "<!": self._of.children,
            ">!": self._of.parents,
        }
        if operator == "!!>":
            return _without(of, self._of.below(of))
        if operator == "!!<":
            return _without(of, self._of.above(of))
        if operator in walks:
            return walks[operator](of)
        return of | walks[operator[1:]](of)

    def _members(self, node: MemberOf) -> Mask:
        found, refsets = self._of.none(), self.select(node.of)
        for number, name in self._of.subsets.items():
            if refsets[number]:
                members = self._of.members(name)
                self._spend(len(members))
                found[members] = True
        return found

    def _tested(self, of: Mask, test: Test) -> Mask:
        """Those of a set of which a test of a filter holds."""
        if test.kind == "D":
            return named(self._of, of, test, self._spend)
        found = self._of.none()
        for value in test.values:
            if test.field == "active":
                found |= self._of.active if value else ~self._of.active
                found[0] = False
            elif isinstance(value, Concept):
                defined = test.field == "definitionStatus"
                wanted = str(value.code == DEFINED).lower() if defined else value.code
                found |= self._of.having("sufficientlyDefined" if defined else "moduleId", wanted)
        return of & (found if test.operator == "=" else ~found)

    def _history(self, node: History) -> Mask:
        """A set with the inactive concepts that an association leads to it."""
        of = self.select(node.of)
        found = of.copy()
        few = np.flatnonzero(of) if int(of.sum()) <= _FEW else None
        for name in self._associations(node):
            if few is not None:
                self._spend(5_000 * len(few))
                for code in self._of.file.codes_of(few.tolist()):
                    found |= self._of.having(name, code)
                continue
            for code, ids in self._of.file.values(name):
                self._spend(5_000)
                number = self._of.file.id_of(code)
                if number is not None and of[number]:
                    found[np.asarray(ids)] = True
        return found

    def _associations(self, node: History) -> list[str]:
        """The properties that hold the targets of the associations that are meant."""
        declared = {d.code: (d.uri or "").removeprefix(f"{SNOMED_ID}/") for d in self._of.file.declared.values()}
        refsets = {
            name: refset for name, refset in declared.items() if refset.isdigit() and name != "inactivationReason"
        }
        if node.by is not None:
            wanted = self.select(node.by)
            return [n for n, refset in refsets.items() if (i := self._of.file.id_of(refset)) is not None and wanted[i]]
        return [name for name in refsets if node.profile == "MAX" or name in PROFILES[node.profile]]


def _without(a: Mask, b: Mask) -> Mask:
    return a & ~b
