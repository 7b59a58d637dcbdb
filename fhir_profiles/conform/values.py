"""Checks of one value: what a profile asks of an element beyond its number (https://hl7.org/fhir/R4/profiling.html)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fhir_profiles import fhirpath
from fhir_profiles.conform.bindings import binding_check
from fhir_profiles.conform.items import Item, owner_of
from fhir_profiles.conform.matching import is_fixed, is_pattern, value_of
from fhir_profiles.conform.references import target_check
from fhir_profiles.conform.rules import Constraint, TypeRule
from fhir_profiles.conform.run import MAX_DEPTH, Run
from fhir_profiles.conform.tree import Node
from fhir_profiles.dates import interval
from fhir_profiles.definitions import load
from fhir_profiles.errors import FhirError
from fhir_profiles.fhirpath.errors import TooCostly
from fhir_profiles.systems import STRUCTURE_DEFINITION

if TYPE_CHECKING:
    from fhir_profiles.conform.elements import OwnerCheck

Check = Callable[[Item, Run], None]
Compile = Callable[[Node, str], "OwnerCheck | None"]
_CODED = frozenset({"code", "Coding", "CodeableConcept"})
_DATES = ("date", "dateTime", "instant")


def value_check(node: Node, label: str, compile_child: Compile) -> Check | None:
    """Everything that a node asks of one value; None when it asks nothing."""
    checks = [
        *_type_checks(node, label),
        *_literal_checks(node, label),
        *_range_checks(node, label),
        *_declared_checks(node.declared, label),
        *(_constraint_check(c, label) for c in node.constraints.values()),
    ]
    if node.binding is not None:
        units = "Quantity" in node.types and _CODED.isdisjoint(node.types)
        checks.append(binding_check(node.binding, label, units=units))
    children = _children_check(node, label, compile_child)
    if children is not None:
        checks.append(children)
    if not checks:
        return None
    if len(checks) == 1:
        return checks[0]

    def check(item: Item, run: Run) -> None:
        for one in checks:
            one(item, run)

    return check


def _type_checks(node: Node, label: str) -> list[Check]:
    """A choice or an inner resource that may be of some types only."""
    allowed = frozenset(node.types)
    if not node.narrowed or allowed & {"Resource", "DomainResource"}:
        return []
    if node.element is None or not (node.element.choice or node.element.types == ("Resource",)):
        return []
    text = f"{label}: the type here must be {' or '.join(node.types)}."

    def check(item: Item, run: Run) -> None:
        if item[2] not in allowed:
            run.add("error", "structure", text, item[3])

    return [check]


def _literal_checks(node: Node, label: str) -> list[Check]:
    checks: list[Check] = []
    for written, make, asked in ((node.fixed, is_fixed, "be"), (node.pattern, is_pattern, "hold")):
        if written is not None:
            checks.append(_literal_check(make(written), f"{label}: this must {asked} {written.decode()}."))
    return checks


def _literal_check(test: Callable[[Any], bool], text: str) -> Check:
    def check(item: Item, run: Run) -> None:
        if not test(item[0]) and not _says_why_absent(item):
            run.add("error", "value", text, item[3])

    return check


def _says_why_absent(item: Item) -> bool:
    """A primitive without a value has nothing to compare: its extensions say why."""
    return item[0] is None and item[1] is not None


def _range_checks(node: Node, label: str) -> list[Check]:
    checks: list[Check] = []
    if node.max_length is not None:
        checks.append(_length_check(node.max_length, label))
    if node.lowest is not None:
        checks.append(
            _bound_check(value_of(node.lowest), 1, f"{label}: this must not be below {node.lowest.decode()}.")
        )
    if node.highest is not None:
        high = node.highest
        checks.append(_bound_check(value_of(high), -1, f"{label}: this must not be above {high.decode()}."))
    return checks


def _length_check(most: int, label: str) -> Check:
    def check(item: Item, run: Run) -> None:
        if type(item[0]) is str and len(item[0]) > most:
            run.add("error", "too-long", f"{label}: this may have {most} characters at most.", item[3])

    return check


def _bound_check(bound: Any, sign: int, text: str) -> Check:
    def check(item: Item, run: Run) -> None:
        value, _, of, place = item
        if value is not None and _compare(value, bound, of) * sign < 0:
            run.add("error", "value", text, place)

    return check


def _compare(value: Any, bound: Any, of: str) -> int:
    """-1, 0 or 1; dates compare by their intervals, quantities of the same unit by their values; 0 if neither."""
    if isinstance(value, dict) and isinstance(bound, dict):
        same = all(value.get(k) == bound.get(k) for k in ("system", "code"))
        return _compare(value["value"], bound["value"], "decimal") if same and "value" in value else 0
    if of in _DATES:
        (low, high), (start, end) = interval(value), interval(bound)
        return -1 if high <= start else 1 if low >= end else 0
    if type(value) is not type(bound) and isinstance(value, str) != isinstance(bound, str):
        return 0
    return int(value > bound) - int(value < bound)


def _declared_checks(declared: tuple[TypeRule, ...], label: str) -> list[Check]:
    profiles = {t.code: t.profiles for t in declared if t.profiles}
    targets = tuple(dict.fromkeys(url for t in declared if t.code == "Reference" for url in t.targets))
    checks = [_profile_check(profiles, label)] if profiles else []
    narrow = targets and STRUCTURE_DEFINITION + "Resource" not in targets
    return [*checks, target_check(targets, label)] if narrow else checks


def _profile_check(profiles: dict[str, tuple[str, ...]], label: str) -> Check:
    """A value meets one of the profiles that its type names."""

    def check(item: Item, run: Run) -> None:
        urls = profiles.get(item[2])
        if not urls or run.depth >= MAX_DEPTH:
            return
        checkers = [run.checker(url) for url in urls]
        known = [c for c in checkers if c is not None]
        if len(known) < len(checkers):
            run.not_checked(f"{label} asks for {' or '.join(urls)}, which is not loaded.", item[3])
        elif len(known) == 1:
            run.depth += 1
            known[0](item, run)
            run.depth -= 1
        elif not any(meets(checker, item, run) for checker in known):
            run.add("error", "structure", f"{label}: this meets none of {', '.join(urls)}.", item[3])

    return check


def meets(checker: Check, item: Item, run: Run) -> bool:
    """Whether a value has no error by another profile."""
    inner = run.inside()
    checker(item, inner)
    return not inner.failed


def _constraint_check(constraint: Constraint, label: str) -> Check:
    """An invariant; one that is no FHIRPath that we read is not checked, and said to be so."""
    error = constraint.severity == "error"
    text = f"{label}: {constraint.key}: {constraint.human.rstrip('.') or 'the invariant does not hold'}."

    def check(item: Item, run: Run) -> None:
        if not (error or run.thorough):
            return
        value, shadow, of, place = item
        try:
            path = fhirpath.compile(constraint.expression)
            holds = path.holds(run.resource, focus=fhirpath.Node(value, of, shadow))
        except TooCostly:  # not the same as one that is not understood: nobody gets round a rule by making it dear
            dear = f"{label}: {constraint.key}: the invariant takes too many steps on this resource."
            run.add(constraint.severity, "too-costly", dear, place)
            return
        except FhirError:
            run.not_checked(f"the invariant {constraint.key} of {label} cannot be evaluated.", place)
            return
        if not holds:
            run.add(constraint.severity, "invariant", text, place)

    return check


def _children_check(node: Node, label: str, compile_child: Compile) -> Check | None:
    """The elements below, by the type of the value."""
    by_type: dict[str, list[OwnerCheck]] = {}
    for of in node.types:
        type_ = load().types.get(of)
        own = [c for name, c in node.children.items() if type_ is not None and name in type_.by_name]
        checks = [check for check in (compile_child(child, label) for child in own) if check is not None]
        if checks:
            by_type[of] = checks
    if not by_type:
        return None

    def check(item: Item, run: Run) -> None:
        checks = by_type.get(item[2])
        if checks:
            owner, place = owner_of(item), item[3]
            for one in checks:
                one(owner, place, run)

    return check
