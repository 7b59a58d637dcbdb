"""What a caller may see and change, as conditions on rows: the one place where grants meet the data.

For a type and a right each grant that covers it gives a rule: within the compartment of one patient or not, and as far
as a search with its filter finds it. The rules are joined by OR; where there are none, nothing is allowed. The same
condition limits searches before anything is counted or cut, lets a resource be read, and admits what is written.
https://hl7.org/fhir/R4/compartmentdefinition-patient.html
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from fhir_profiles.definitions import load
from server.phi.blind import Blind
from server.search.blinded import blind_of
from server.search.custom import STANDARD, codes_of
from server.search.nodes import compartment
from server.search.query import Condition, Limits, Node, escape
from server.search.reach import NOTHING, Reach
from server.search.reading import read_query
from server.search.sql import Sql, join, negate
from server.search.tree import Scope, part_of
from server.search.view import View

from .caller import SHARED, Caller
from .files import BINARY, binary_of
from .grants import Grant, Pairs, Right
from .honouring import taken_away
from .owning import OWNED, owned


class Rule(msgspec.Struct, frozen=True):
    """One way to be allowed: in the compartment of the patient with this id, or anywhere; and found by all filters."""

    patient: str | None
    filters: tuple[Pairs, ...]


Rules = tuple[Rule, ...] | None


def rules_of(caller: Caller, resource_type: str, right: Right) -> Rules:
    """The rules for a type and a right; none of them: forbidden; None: allowed without condition."""
    if caller.grants is None:
        return None
    return _rules(caller.grants, caller.patient, caller.role, caller.broken, resource_type, right)


@lru_cache(maxsize=8192)
def _rules(
    grants: tuple[Grant, ...],
    patient: str | None,
    role: tuple[Grant, ...] | None,
    broken: tuple[str, ...],
    resource_type: str,
    right: Right,
) -> Rules:
    rules: dict[Rule, None] = {}
    for grant in grants:
        if not grant.covers(resource_type, right):
            continue
        own = (grant.filter,) if grant.filter else ()
        match grant.level:
            case "patient":
                if (rule := _of_patient(patient, resource_type, right, own)) is not None:
                    rules[rule] = None
            case "user" if role is not None:
                for policy in role:
                    if policy.covers(resource_type, right) and policy.type in (resource_type, *_any(resource_type)):
                        rules[Rule(None, own + ((policy.filter,) if policy.filter else ()))] = None
            case _:
                rules[Rule(None, own)] = None
    if broken and right in "rs" and resource_type not in OWNED:
        wanted = [grant.filter for grant in grants if grant.level != "system" and grant.covers(resource_type, right)]
        opened = [
            _of_patient(one, resource_type, right, (pairs,) if pairs else ()) for one in broken for pairs in wanted
        ]
        rules |= dict.fromkeys(rule for rule in opened if rule is not None)
    if Rule(None, ()) in rules:
        return None
    return tuple(rules)


def _any(resource_type: str) -> tuple[str, ...]:
    """What else a role may name to give a type: the audit trail is given by its name only."""
    return () if resource_type == "AuditEvent" else ("*",)


def _of_patient(patient: str | None, resource_type: str, right: Right, filters: tuple[Pairs, ...]) -> Rule | None:
    """What a grant at patient level gives on a type."""
    if patient is None:
        return None
    if resource_type in OWNED:
        return Rule(None, filters)
    if resource_type in SHARED:
        return Rule(None, filters) if right in "rs" else None
    if resource_type in ("Patient", BINARY) or load().compartment("Patient").get(resource_type):
        return Rule(patient, filters)
    return None


def permits(caller: Caller, resource_type: str, right: Right) -> bool:
    """Whether the caller has the right on some resources of the type."""
    return rules_of(caller, resource_type, right) != ()


def condition(
    view: View, caller: Caller, resource_type: str, right: Right, base_url: str = "", *, beside: bool = True
) -> Sql | None:
    """The condition on `{rid}` that what may be seen fulfils; None where all of the type may be.

    Without `beside` it is what the resource says itself, and nothing about its owner or by Consents.
    """
    found = _granted(view, caller, resource_type, right, base_url)
    if found is NOTHING or not beside:
        return found
    own, taken = owned(caller, resource_type, right), consented(view, caller, resource_type, right, base_url)
    parts = [part for part in (found, own, negate(taken) if taken is not None else None) if part is not None]
    return join("AND", parts) if parts else None


def consented(view: View, caller: Caller, resource_type: str, right: Right, base_url: str = "") -> Sql | None:
    """The condition on `{rid}` that a Consent keeps it from the caller; None where none does."""
    if caller.whole:
        return None
    return taken_away(view, caller, resource_type, right, base_url, keeps=permits(caller, "Consent", "u"))


def _granted(view: View, caller: Caller, resource_type: str, right: Right, base_url: str) -> Sql | None:
    """The condition on `{rid}` by what the caller was given."""
    rules = rules_of(caller, resource_type, right)
    if rules is None:
        return None
    if not rules:
        return NOTHING

    plain = _within_any(view.dialect, blind_of(view), rules, resource_type, base_url)
    if plain is not None:
        return plain

    def documents(name: str) -> Sql | None:
        return condition(view, caller, name, "r", base_url)

    found = []
    for rule in rules:
        parts = _parts(view, rule, resource_type, base_url)
        if rule.patient is not None and resource_type == BINARY:
            parts.append(binary_of(rule.patient, documents if right in "rs" else None))
        found.append(join("AND", parts) if parts else Sql("1 = 1"))
    return join("OR", found)


def reach_of(view: View, caller: Caller, right: Right = "s", base_url: str = "") -> Reach:
    """What a caller may see, as searches ask it."""
    known: dict[str, Sql | None] = {}

    def reach(resource_type: str) -> Sql | None:
        if resource_type not in known:
            known[resource_type] = condition(view, caller, resource_type, right, base_url)
        return known[resource_type]

    return reach


def both(one: Reach, other: Reach) -> Reach:
    """What lies within two reaches."""

    def reach(resource_type: str) -> Sql | None:
        parts = [part for part in (one(resource_type), other(resource_type)) if part is not None]
        return join("AND", parts) if parts else None

    return reach


@lru_cache(maxsize=8192)
def _within_any(
    dialect: str, blind: Blind | None, rules: tuple[Rule, ...], resource_type: str, base_url: str
) -> Sql | None:
    """The condition of rules where it depends on nothing that is stored; None where some have filters, or of a file."""
    if resource_type == BINARY or any(rule.filters for rule in rules):
        return None
    scope = Scope(dialect, base_url, lambda _type: None, None, blind)
    nodes = [_within(rule.patient, resource_type) for rule in rules if rule.patient is not None]
    found = [part_of(scope, node, depth=40).check for node in nodes]
    return join("OR", found) if len(found) == len(rules) else Sql("1 = 1")


def _parts(view: View, rule: Rule, resource_type: str, base_url: str) -> list[Sql]:
    """The conditions of a rule, but for that on a Binary."""
    nodes: list[Node] = []
    if rule.patient is not None and resource_type != BINARY:
        nodes.append(_within(rule.patient, resource_type))
    for pairs in rule.filters:
        nodes += filter_nodes(resource_type, pairs, base_url)
    scope = Scope(view.dialect, base_url, lambda _type: None, codes_of(view), blind_of(view))
    return [part_of(scope, node, depth=40).check for node in nodes]


def _within(patient: str, resource_type: str) -> Node:
    """What is the patient's. A Patient that says it is linked to this one is another's record, and not shared."""
    if resource_type == "Patient":
        return Condition(resource_type, STANDARD.find(resource_type, "_id"), None, (escape(patient),))
    return compartment("Patient", patient, resource_type)


@lru_cache(maxsize=4096)
def filter_nodes(resource_type: str, pairs: Pairs, base_url: str = "") -> tuple[Node, ...]:
    """The conditions of a filter; FhirError for one that no search understands.

    Only the parameters of R4: one of somebody's own could be changed, and what was given with it.
    """
    return read_query(resource_type, pairs, strict=True, limits=Limits(), base_url=base_url).branches[0].conditions
