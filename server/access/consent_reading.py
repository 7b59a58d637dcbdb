"""From a Consent resource to what it says, as far as this server can keep to it (https://hl7.org/fhir/R4/consent.html).

Whatever else an active Consent of privacy says is a problem with its place: whoever writes it is told. One that is
stored all the same, by an older version or while consents were ignored, is taken at its strictest.
"""

from __future__ import annotations

import re
from typing import Any

from fhir_profiles.dates import DAY, interval
from fhir_profiles.definitions import load
from fhir_profiles.errors import Category, FhirError, Problem
from fhir_profiles.systems import (
    ACT_CODE,
    BASE,
    CONFIDENTIALITY,
    CONSENT_ACTION,
    CONSENT_SCOPE,
    PARTICIPATION,
    PURPOSE,
    RESOURCE_TYPES,
)

from .consents import CONFIDENTIAL, Consent, Pair, Provision, Span

ACTORS = ("Organization", "Patient", "Practitioner", "PractitionerRole", "RelatedPerson")
"""Types of which a caller can be one, or be at one."""

IDENTIFIED = {f"{BASE}/client": "client", f"{BASE}/user": "user"}
"""By which identifiers apps and people are told, as the audit tells them."""

DEPTH, MOST = 5, 100
"""How deep exceptions may stand, and how many provisions a Consent may have."""

_BASIS = {"OPTIN": True, "OPTINR": True, "OPTOUT": False, "OPTOUTE": False}
_EAST, _WEST = 14 * DAY // 24, 12 * DAY // 24  # how far the first and the last zone on Earth are from UTC
_RECEIVES = ("IRCP", "PRCP")
_KNOWN = frozenset(
    {"id", "extension", "type", "period", "actor", "action", "securityLabel", "purpose", "class", "code", "data"}
    | {"provision"}
)
_REFERENCE = re.compile(r"([A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")
Json = dict[str, Any]


def check_consent(resource: Json) -> None:
    """FhirError (422) that names each element of an active Consent of privacy which this server could not keep to."""
    if about_privacy(resource):
        reading = Reading(resource)
        if reading.problems:
            raise FhirError(Category.INCORRECT, *reading.problems[:100])


def read_consent(resource: Json) -> Consent | None:
    """What a Consent says, at its strictest; None for one that says nothing now, or nobody's."""
    if not about_privacy(resource):
        return None
    reading = Reading(resource)
    return Consent(reading.patient, reading.rule) if reading.patient else None


def about_privacy(resource: Json) -> bool:
    """Whether a Consent is active and about who may see."""
    scopes = [(one.get("system"), one.get("code")) for one in (resource.get("scope") or {}).get("coding") or ()]
    return resource.get("status") == "active" and (CONSENT_SCOPE, "patient-privacy") in scopes


def lasts(resource: Json, at: int) -> bool:
    """Whether something with `active` and a `period` surely is in force at a moment, in microseconds since 1970."""
    try:
        start, end = span_of(resource.get("period") or {})
    except ValueError:
        return False
    begun, over = start is None or at >= start[1], end is not None and at >= end[0]
    return resource.get("active") is not False and begun and not over


def span_of(period: Json) -> tuple[Span | None, Span | None]:
    """When a Period begins and ends, None where it does not say; ValueError for what is no date."""
    start, end = period.get("start"), period.get("end")
    return (None if start is None else _span(start, interval(start)[0])), (
        None if end is None else _span(end, interval(end)[1])
    )


def _span(text: str, at: int) -> Span:
    """The moments that a time may be: one with a time of day has a zone, a day may be anybody's."""
    return (at, at) if "T" in text else (at - _EAST, at + _WEST)


class Reading:
    """One Consent, read: whose it is, what it says, and what of it cannot be kept to."""

    def __init__(self, resource: Json) -> None:
        self.problems: list[Problem] = []
        self._left = MOST
        self.patient = self._patient(resource)
        self.rule = self._rule(resource)

    def _patient(self, resource: Json) -> str:
        kind, name = self._named(resource.get("patient") or {}) or ("", "")
        if kind == "Patient":
            return name
        self._object("Consent.patient", "An active Consent names its patient as Patient/[id].")
        return ""

    def _rule(self, resource: Json) -> Provision:
        changed = [name for name in ("modifierExtension", "implicitRules") if name in resource]
        for name in changed:
            self._object(f"Consent.{name}", "What changes the meaning of a Consent cannot be judged. Leave it out.")
        codings = (resource.get("policyRule") or {}).get("coding") or ()
        found = {_BASIS.get(one.get("code", "")) for one in codings if one.get("system") == ACT_CODE} - {None}
        if len(found) != 1:
            self._object("Consent.policyRule", "An active Consent needs OPTIN or OPTOUT of v3-ActCode as policyRule.")
            return Provision(permit=False)
        basis, root = found == {True}, resource.get("provision")
        if root is None or changed:
            return Provision(permit=basis and not changed)
        if "type" not in root:
            return self._provision(root, "Consent.provision", basis, DEPTH)
        return Provision(permit=basis, parts=(self._exception(root, "Consent.provision", DEPTH),))

    def _exception(self, told: Json, place: str, depth: int) -> Provision:
        if told.get("type") not in ("permit", "deny"):
            self._object(f"{place}.type", "An exception says permit or deny.")
        return self._provision(told, place, told.get("type") == "permit", depth)

    def _provision(self, told: Json, place: str, permit: bool, depth: int) -> Provision:
        self._left -= 1
        if not depth or self._left < 0:
            text = f"A Consent has at most {MOST} provisions, {DEPTH} deep. Write several Consents."
            self._object(place, text)
            return Provision(permit=permit, unread=True)
        before = len(self.problems)
        for name in told:
            if name not in _KNOWN and not name.startswith("_"):
                self._object(f"{place}.{name}", "This element of a provision cannot be judged here. Leave it out.")
        start, end = self._period(told.get("period"), place)
        actors = tuple(self._actor(one, f"{place}.actor[{n}]") for n, one in enumerate(told.get("actor") or ()))
        self._actions(told, place)
        found = {
            "start": start, "end": end, "actors": tuple(one for one in actors if one is not None),
            "purposes": tuple(code for _, code in self._codings(told, "purpose", place, PURPOSE)),
            "classes": self._classes(told, place), "labels": self._labels(told, place),
            "codes": self._codes(told, place), "data": self._data(told, place),
        }  # fmt: skip
        if unread := len(self.problems) > before:
            found = {}  # of what could not be read the rest is left out too: a rule that is about more, if it fits
        parts = tuple(
            self._exception(one, f"{place}.provision[{n}]", depth - 1)
            for n, one in enumerate(told.get("provision") or ())
        )
        return Provision(permit, **found, parts=parts, unread=unread)  # type: ignore[arg-type]

    def _period(self, period: Json | None, place: str) -> tuple[Span | None, Span | None]:
        try:
            return span_of(period or {})
        except ValueError:
            self._object(f"{place}.period", "Neither end of the period may be more than a date and a time.")
            return None, None

    def _actor(self, actor: Json, place: str) -> str | Pair | None:
        roles = [(one.get("system"), one.get("code")) for one in (actor.get("role") or {}).get("coding") or ()]
        if not any(system == PARTICIPATION and code in _RECEIVES for system, code in roles):
            text = f"An actor is who would receive data: {' or '.join(_RECEIVES)} of v3-ParticipationType."
            self._object(f"{place}.role", text)
            return None
        reference = actor.get("reference") or {}
        identifier = reference.get("identifier") or {}
        if "reference" not in reference and identifier.get("system") in IDENTIFIED and identifier.get("value"):
            return IDENTIFIED[identifier["system"]], identifier["value"]
        named = self._named(reference)
        if named is None or named[0] not in ACTORS:
            text = (
                f"An actor is one of {', '.join(ACTORS)} as Type/id, or an app or person by an identifier of the"
                f" systems {' and '.join(IDENTIFIED)}."
            )
            self._object(f"{place}.reference", text)
            return None
        return "/".join(named)

    def _actions(self, told: Json, place: str) -> None:
        for n, action in enumerate(told.get("action") or ()):
            codings = [(one.get("system"), one.get("code")) for one in action.get("coding") or ()]
            if (CONSENT_ACTION, "access") not in codings:
                self._object(f"{place}.action[{n}]", "The only action that is judged is access.")

    def _classes(self, told: Json, place: str) -> tuple[str, ...]:
        found = [code for _, code in self._codings(told, "class", place, RESOURCE_TYPES)]
        if not {*found} <= {*load().resource_types}:
            self._object(f"{place}.class", "A class is a resource type of R4.")
        return tuple(found)

    def _labels(self, told: Json, place: str) -> tuple[Pair, ...]:
        found = self._codings(told, "securityLabel", place, None)
        if any(system == CONFIDENTIALITY and code not in CONFIDENTIAL for system, code in found):
            self._object(f"{place}.securityLabel", f"A code of confidentiality is one of {', '.join(CONFIDENTIAL)}.")
        return tuple(found)

    def _codes(self, told: Json, place: str) -> tuple[Pair, ...]:
        found: list[Pair] = []
        for n, one in enumerate(told.get("code") or ()):
            codings = self._codings(one, "coding", f"{place}.code[{n}]", None)
            if not codings:
                self._object(f"{place}.code[{n}]", "A code needs a coding with system and code.")
            found += codings
        return tuple(found)

    def _data(self, told: Json, place: str) -> tuple[Pair, ...]:
        found: list[Pair] = []
        for n, one in enumerate(told.get("data") or ()):
            named = self._named(one.get("reference") or {})
            if one.get("meaning") != "instance" or named is None or named[0] not in load().resource_types:
                self._object(f"{place}.data[{n}]", "Data are resources by Type/id, with the meaning instance.")
            else:
                found.append(named)
        return tuple(found)

    def _codings(self, told: Json, name: str, place: str, system: str | None) -> list[Pair]:
        found: list[Pair] = []
        for n, one in enumerate(told.get(name) or ()):
            pair = (one.get("system"), one.get("code"))
            if pair[0] and pair[1] and system in (None, pair[0]):
                found.append(pair)
            else:
                wanted = f"the system {system}" if system else "a system"
                self._object(f"{place}.{name}[{n}]", f"This needs a code and {wanted}.")
        return found

    def _named(self, reference: Json) -> Pair | None:
        found = _REFERENCE.fullmatch(reference.get("reference") or "")
        return None if found is None else (found[1], found[2])

    def _object(self, place: str, text: str) -> None:
        self.problems.append(Problem("error", "business-rule", text, place))
