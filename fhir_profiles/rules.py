"""Every invariant of R4 on every type, by hand or from its FHIRPath (https://hl7.org/fhir/R4/conformance-rules.html#constraints).

A type's FHIRPath is compiled when the first object of the type is checked.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any

from fhir_profiles.definitions import Invariant, load
from fhir_profiles.errors import FhirError
from fhir_profiles.fhirpath.truth import Subject, Test, condition
from fhir_profiles.fhirpath.vacuous import triggers
from fhir_profiles.invariants import RULES, Holds, Rule

ELSEWHERE = frozenset(["dom-2", "dom-3", "dom-4", "dom-5", "dom-6", "ref-1", "txt-1", "txt-2", "sdf-8", "sdf-8a"])
"""Invariants that need the whole resource: validation itself knows them, or a rule by hand on the resource."""

CORRECTED = {
    "que-7": "operator = 'exists' implies (answer is boolean)",  # FHIR's boolean is not System.Boolean
    "md-1": "max.empty() or max = '*' or max.toInteger() > 0",  # max may be missing
    "ras-2": "probability.empty() or (probability is decimal implies (probability as decimal) <= 100)",  # so may this
}
"""Invariants whose published expression does not say what it means."""

UNDECIDED = frozenset({"mdd-1"})
"""Errors that hold when their expression is empty: dates of different precision have no order. Others do not hold."""


class Expression:
    """An invariant's FHIRPath as a test of the values of one type."""

    def __init__(self, text: str, type_name: str, *, undecided: bool) -> None:
        self._text = text
        self._undecided = undecided
        self.type_name = type_name

    @cached_property
    def test(self) -> Test:
        """The expression, compiled."""
        return condition(self._text, self.type_name)

    @cached_property
    def triggers(self) -> frozenset[str] | None:
        """Properties without which it surely holds; None when it must always be asked."""
        return triggers(self._text, self.type_name)

    def __call__(self, value: Any) -> bool:
        """Whether it holds for a value; what cannot be evaluated holds."""
        return self.holds(Subject(value, self.type_name))

    def holds(self, subject: Subject) -> bool:
        """The same for a value that other expressions look at too."""
        try:
            found = self.test(subject)
            return self._undecided if found is None else found
        except (FhirError, ArithmeticError):
            return True


class Together:
    """Several expressions on the same type, evaluated as one test."""

    def __init__(self, expressions: tuple[Expression, ...]) -> None:
        self._expressions = expressions
        self._type_name = expressions[0].type_name

    def __call__(self, value: Any) -> bool:
        """Whether all of them hold."""
        subject = Subject(value, self._type_name)
        for expression in self._expressions:
            concerned = expression.triggers
            if concerned is not None and type(value) is dict and concerned.isdisjoint(value):
                continue
            if not expression.holds(subject):
                return False
        return True


@cache
def rules(type_name: str) -> tuple[Rule, ...]:
    """All invariants of a type, those that only warn too."""
    by_hand = RULES.get(type_name, ())
    known = {rule.key for rule in by_hand} | ELSEWHERE
    return (*by_hand, *(_rule(i, type_name) for i in load().types[type_name].invariants if i.key not in known))


@cache
def element_rules(owner: str, name: str, type_name: str) -> tuple[Rule, ...]:
    """The invariants that an element has beyond those of its type, for values of one of its types."""
    types = load().types
    own = {_bare(i) for i in types[type_name].invariants} if type_name in types else set()
    element = types[owner].by_name[name]
    return tuple(_rule(i, type_name) for i in element.invariants if _bare(i) not in own and i.key not in ELSEWHERE)


def _bare(invariant: Invariant) -> str:
    """The expression without spaces: the same rule stands under several keys."""
    return invariant.expression.replace(" ", "")


def _rule(invariant: Invariant, type_name: str) -> Rule:
    text = CORRECTED.get(invariant.key, invariant.expression)
    undecided = invariant.severity == "warning" or invariant.key in UNDECIDED
    holds = Expression(text, type_name, undecided=undecided)
    return Rule(invariant.key, f"this does not hold: {text}", holds, invariant.severity)


def gate(found: tuple[Rule, ...]) -> tuple[Holds, ...]:
    """The tests that decide between valid and not, those from FHIRPath as one."""
    tests = [rule.holds for rule in found if rule.severity == "error"]
    expressions = tuple(test for test in tests if isinstance(test, Expression))
    by_hand = tuple(test for test in tests if not isinstance(test, Expression))
    return (*by_hand, Together(expressions)) if expressions else by_hand
