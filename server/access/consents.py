"""What a Consent denies to a caller: a pure function of the two and the moment (https://hl7.org/fhir/R4/consent.html).

A Consent has a basis (its policyRule) and exceptions, which have exceptions themselves. Of those that fit, a denial
wins. What cannot be known of a caller counts against the caller: what denies fits then, what permits does not.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fhir_profiles.definitions import load
from fhir_profiles.systems import CONFIDENTIALITY
from server.search.custom import STANDARD
from server.search.query import Condition, Every, Node, Not, Some, escape

GENERAL = frozenset({"TREAT", "HPAYMT", "HOPERAT", "HRESCH", "HMARKT", "PUBHLTH", "PATRQT"})
"""Purposes of use that exclude each other; what stands below one of them is told apart by its own code only."""

CONFIDENTIAL = ("U", "L", "M", "N", "R", "V")
"""Codes of confidentiality, from what is open to what is very restricted."""

CODED = ("code", "vaccine-code", "type")
"""Search parameters that say what a resource is."""

Pair = tuple[str, str]
Span = tuple[int, int]
"""The earliest and the latest moment that a time may be, in microseconds since 1970: a day begins by its zone."""

Part = Node | bool
"""A condition on resources of a type, or whether it holds of all of them."""


class Who(msgspec.Struct, frozen=True):
    """What is known of a caller. `places` are its PractitionerRoles and Organizations; None where nobody knows them."""

    person: str
    client: str = ""
    user: str = ""
    purpose: str = ""
    places: tuple[str, ...] | None = None

    @property
    def alone(self) -> bool:
        """Whether a service calls for itself, and no person by it."""
        return self.person == self.client and not self.user


class Provision(msgspec.Struct, frozen=True):
    """A rule: what it says where all that it names fits, but for its exceptions. Empty means any.

    `actors` are `Type/id`, or a system and a value of ours; `unread`: it names something that cannot be judged.
    """

    permit: bool
    start: Span | None = None
    end: Span | None = None
    actors: tuple[str | Pair, ...] = ()
    purposes: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    labels: tuple[Pair, ...] = ()
    codes: tuple[Pair, ...] = ()
    data: tuple[Pair, ...] = ()
    parts: tuple[Provision, ...] = ()
    unread: bool = False


class Consent(msgspec.Struct, frozen=True):
    """What a patient said; times in microseconds since 1970."""

    patient: str
    rule: Provision


def denied(rule: Provision, who: Who, at: int, kind: str) -> Part:
    """Which resources of a type, among the patient's, a Consent denies to a caller at a moment."""
    if _fits(rule, who, at) is False:
        return False
    return _every((_data(rule, kind), _denied(rule, who, at, kind)))


def moments(rule: Provision) -> Iterable[int]:
    """When a rule may begin to say something else."""
    yield from (*(rule.start or ()), *(rule.end or ()))
    for part in rule.parts:
        yield from moments(part)


def places(rule: Provision) -> bool:
    """Whether a rule asks where somebody works."""
    named = any(isinstance(one, str) and one.startswith(("Organization/", "PractitionerRole/")) for one in rule.actors)
    return named or any(map(places, rule.parts))


def _denied(rule: Provision, who: Who, at: int, kind: str) -> Part:
    """What is denied of that which the rule is about."""
    fitting = [(part, _fits(part, who, at), _data(part, kind)) for part in rule.parts]
    said = _some(_every((data, _denied(part, who, at, kind))) for part, fits, data in fitting if fits is not False)
    if rule.permit:
        return said
    return _some((said, _not(_some(data for _, fits, data in fitting if fits))))


def _fits(rule: Provision, who: Who, at: int) -> bool | None:
    """Whether a rule is about this caller now; None where that cannot be known."""
    if (rule.start and at < rule.start[0]) or (rule.end and at >= rule.end[1]):
        return False
    during = not (rule.start and at < rule.start[1]) and not (rule.end and at >= rule.end[0])
    found = [None if rule.unread or not during else True]
    if rule.actors:
        found.append(_any(_is(who, one) for one in rule.actors))
    if rule.purposes:
        found.append(_any(_wants(who.purpose, one) for one in rule.purposes))
    return False if False in found else None if None in found else True


def _any(found: Iterable[bool | None]) -> bool | None:
    known = list(found)
    return True if True in known else None if None in known else False


def _is(who: Who, actor: str | Pair) -> bool | None:
    """Whether a caller is somebody."""
    if not isinstance(actor, str):
        return actor[1] == (who.client if actor[0] == "client" else who.person)
    if who.user == actor:
        return True
    if actor.partition("/")[0] in ("Organization", "PractitionerRole"):
        if who.user.startswith(("Patient/", "RelatedPerson/")):
            return False
        return None if who.places is None else actor in who.places
    return False if who.user or who.alone else None


def _wants(purpose: str, named: str) -> bool | None:
    """Whether a caller's purpose is one that a rule names."""
    if purpose == named:
        return True
    return False if {purpose, named} <= GENERAL else None


def _data(rule: Provision, kind: str) -> Part:
    """Which resources of a type a rule is about."""
    if rule.classes and kind not in rule.classes:
        return False
    parts: list[Part] = []
    if rule.data:
        ids = tuple(escape(name) for other, name in rule.data if other == kind)
        parts.append(Condition(kind, STANDARD.find(kind, "_id"), None, ids) if ids else False)
    if rule.labels:
        parts.append(_labelled(rule, kind))
    if rule.codes:
        known = load().search_params(kind)
        names = [name for name in CODED if name in known and known[name].type == "token"]
        parts.append(_some(_token(kind, name, rule.codes) for name in names))
    return _every(parts)


def _labelled(rule: Provision, kind: str) -> Part:
    """Resources with one of the labels: of confidentiality a permit goes down from it, a denial goes up."""
    levels = [CONFIDENTIAL.index(code) for system, code in rule.labels if system == CONFIDENTIALITY]
    others = tuple(pair for pair in rule.labels if pair[0] != CONFIDENTIALITY)
    found: list[Part] = [_token(kind, "_security", others)] if others else []
    if levels and rule.permit:
        above = _confidential(kind, CONFIDENTIAL[max(levels) + 1 :])
        found.append(_every((_confidential(kind, CONFIDENTIAL[: max(levels) + 1]), _not(above))))
    elif levels:
        found.append(_confidential(kind, CONFIDENTIAL[min(levels) :]))
    return _some(found)


def _confidential(kind: str, codes: tuple[str, ...]) -> Part:
    return _token(kind, "_security", tuple((CONFIDENTIALITY, code) for code in codes)) if codes else False


def _token(kind: str, name: str, pairs: Iterable[Pair]) -> Part:
    values = tuple(f"{escape(system)}|{escape(code)}" for system, code in pairs)
    return Condition(kind, STANDARD.find(kind, name), None, values)


def _every(parts: Iterable[Part]) -> Part:
    found = dict.fromkeys(part for part in parts if part is not True)
    if False in found:
        return False
    nodes = tuple(part for part in found if not isinstance(part, bool))
    return True if not nodes else nodes[0] if len(nodes) == 1 else Every(nodes)


def _some(parts: Iterable[Part]) -> Part:
    found = dict.fromkeys(part for part in parts if part is not False)
    if True in found:
        return True
    nodes = tuple(part for part in found if not isinstance(part, bool))
    return False if not nodes else nodes[0] if len(nodes) == 1 else Some(nodes)


def _not(part: Part) -> Part:
    return not part if isinstance(part, bool) else Not(part)
