"""Invariants by hand against the FHIRPath of the definitions, on generated objects (https://hl7.org/fhir/R4/fhirpath.html)."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from fhir_profiles.definitions import Element, load
from fhir_profiles.errors import FhirError
from fhir_profiles.fhirpath import compile, node
from fhir_profiles.fhirpath.syntax import parse
from fhir_profiles.fhirpath.truth import Subject, condition
from fhir_profiles.fhirpath.vacuous import triggers
from fhir_profiles.invariants import RULES, Rule
from fhir_profiles.rules import CORRECTED, ELSEWHERE, Expression, element_rules, gate, rules

Json = dict[str, Any]
ALL = [(name, rule) for name, by_hand in RULES.items() for rule in by_hand if rule.severity == "error"]

DIFFERENT = {
    "app-4": "the published expression asks for the code no-show, and R4 has noshow",
    "cnt-3": "the published expression refuses 2.0, which is a whole number",
    "que-1": "that a group has items only warns: published examples have groups without",
    "que-2": "a linkId that is missing several times is no duplicate",
    "per-1": "the published expression is asked in the same way but decides less between zones",
}
"""Where a rule by hand knowingly says something else than the published expression."""

WORDS = {
    "status": ("proposed", "cancelled", "waitlist", "booked", "no-show"),
    "type": (
        "document",
        "message",
        "searchset",
        "history",
        "batch",
        "transaction",
        "batch-response",
        "display",
        "group",
    ),
    "mode": ("working", "changes", "snapshot"),
    "system": ("http://unitsofmeasure.org", "http://example.org/other"),
    "code": ("1", "h", "entered-in-error", "resolved", "active", "a"),
    "when": ("C", "CM", "AC", "PC"),
    "kind": ("logical", "resource"),
    "path": ("A", "A.b", "A.c", "B"),
}
LIKELY = ("coding", "system", "code", "value")
CONDITIONS = "http://terminology.hl7.org/CodeSystem/"
DATES = ("2024", "2024-01", "2024-01-05", "2024-01-05T10:00:00Z", "2024-01-05T10:30:00+01:00", "2023-12-31")


class Maker:
    """Random objects of a type: each element there or not, small values from a few words."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def object(self, of: str, depth: int = 3) -> Json:
        """A value of a complex type."""
        made: Json = {}
        for element in load().types[of].elements:
            likely = 1 if element.minimum else 0.5 if depth == 3 else 0.8 if element.name in LIKELY else 0.35
            if self._chance.random() < likely and element.name not in ("id", "extension"):
                self._add(made, element, of, depth)
        return made

    def _add(self, made: Json, element: Element, of: str, depth: int) -> None:
        key, kind = self._chance.choice(list(element.properties().items()))
        if kind in ("Resource", "xhtml") or (depth == 0 and kind not in WORDS and kind[0].isupper()):
            if element.name == "resource":
                made[key] = {"resourceType": self._chance.choice(("Composition", "MessageHeader", "Patient"))}
            return
        values = [self._value(element.name, kind, of, depth) for _ in range(self._chance.choice((1, 1, 2)))]
        made[key] = values if element.many else values[0]

    def _value(self, name: str, kind: str, of: str, depth: int) -> Any:
        match kind:
            case "boolean":
                return self._chance.random() < 0.5
            case "integer" | "positiveInt" | "unsignedInt":
                return self._chance.choice((-1, 0, 1, 2))
            case "decimal":
                return self._chance.choice((Decimal("-1"), Decimal("0"), Decimal("1"), Decimal("2.5"), 3))
            case "date" | "dateTime" | "instant":
                return self._chance.choice(DATES)
            case "time":
                return "10:00:00"
        if kind in load().types and load().types[kind].kind != "primitive-type":
            return self.object(kind, depth - 1) or {"id": "x"}
        if of == "Coding" and name == "system":
            systems = ("condition-clinical", "condition-ver-status", "allergyintolerance-verification")
            return CONDITIONS + self._chance.choice(systems)
        return self._chance.choice(WORDS.get(name, ("a", "b", "a/_history/1")))


@pytest.mark.parametrize(("type_name", "rule"), ALL, ids=[f"{t}:{r.key}" for t, r in ALL])
def test_a_rule_by_hand_says_what_the_fhirpath_says(type_name: str, rule: Rule) -> None:
    """On random objects both give the same answer, except where that is written down above."""
    of = f"{type_name}.{rule.at}" if rule.at else type_name
    (expression,) = {i.expression for i in load().types[of].invariants if i.key == rule.key}
    path = compile(expression)
    maker = Maker(len(rule.key) + len(type_name))
    told = {True: 0, False: 0}
    for _ in range(800):
        value = maker.object(type_name)
        at = node(value.get(rule.at, {}) if rule.at else value, of)
        if rule.at and rule.at not in value:
            continue
        mine = bool(rule.holds(value))
        told[mine] += 1
        theirs = _engine(path, value, at)
        assert rule.key in DIFFERENT or theirs is None or mine is theirs, value
    assert told[True]
    assert told[False] or rule.key in ("bdl-7", "sdf-8a"), "no random object broke it"


def _engine(path: Any, value: Json, at: Any) -> bool | None:
    """What the engine says; None when the expression cannot be decided or evaluated on this object."""
    try:
        found = path.evaluate({"resourceType": at.type.partition(".")[0], **value}, focus=at)
    except FhirError:
        return None
    return bool(found[0]) if found else None


def _every() -> list[tuple[str, str, str]]:
    types = load().types
    return [(n, i.key, CORRECTED.get(i.key, i.expression)) for n, t in types.items() for i in t.invariants]


def test_every_invariant_is_checked() -> None:
    """No key of the definitions is left out: by hand, by FHIRPath, or as a rule of the whole resource."""
    for name, type_ in load().types.items():
        known = {rule.key for rule in rules(name)} | ELSEWHERE
        assert {i.key for i in type_.invariants} <= known, name
        for element in type_.elements:
            for of in element.properties().values():
                own = known | {r.key for r in element_rules(name, element.name, of)}
                own |= {r.key for r in rules(of)} if of in load().types else set()
                same = {
                    i.expression.replace(" ", "") for i in (load().types[of].invariants if of in load().types else ())
                }
                missing = {i.key for i in element.invariants if i.expression.replace(" ", "") not in same} - own
                assert not missing, (name, element.name)


def test_every_invariant_compiles() -> None:
    """Each published expression can be read and evaluated on an empty object."""
    for name, key, expression in _every():
        parse(expression)
        if key not in ELSEWHERE:
            rule = next(r for r in rules(name) if r.key == key)
            assert rule.holds({}) in (True, False)


def test_conditions_on_json_say_what_the_engine_says() -> None:
    """The short way gives the answer of the engine, undecided ones too, and what is not concerned holds."""
    maker = Maker(7)
    for name, key, expression in _every():
        if key in ELSEWHERE or key.endswith("-0"):
            continue
        test, path = condition(expression, name), compile(expression)
        for _ in range(12):
            value = maker.object(name)
            try:
                found = path.nodes({"resourceType": name, **value}, focus=node(value, name))
            except ValueError:
                continue
            except Exception as refused:
                with pytest.raises(type(refused)):
                    test(Subject(value, name))
                continue
            assert test(Subject(value, name)) == (None if not found else found[0]), (key, value)
            if (concerned := triggers(expression, name)) is not None and concerned.isdisjoint(value):
                assert found == [True], (key, value)


def test_the_gate_asks_expressions_together() -> None:
    """What only warns is not asked on the way in, and all FHIRPath of a type is one test."""
    found = rules("ElementDefinition")
    assert sum(isinstance(r.holds, Expression) for r in found) > 10
    (test,) = gate(found)
    assert test({"path": "A.b"})
    assert not test({"path": "A.b", "fixedString": "x", "patternString": "x"})
