"""Which of the scopes that an app asks for it gets (https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html)."""

from __future__ import annotations

from collections.abc import Iterable

from fhir_profiles.errors import FhirError
from server.access.grants import RIGHTS, Grant, read_scope
from server.access.reach import filter_nodes

from .identify import ADMIN

LAUNCH = frozenset({"launch", "launch/patient", "launch/encounter"})
IDENTITY = frozenset({"openid", "fhirUser", "profile"})
REFRESH = frozenset({"offline_access", "online_access"})
WORDS = LAUNCH | IDENTITY | REFRESH | {ADMIN}
"""The scopes that are no scopes of clinical data."""

MOST = 100
"""Scopes that one authorization can have."""


def is_online(granted: Iterable[str]) -> bool:
    """Whether an authorization with these scopes ends with the session in which it was given."""
    told = set(granted)
    return "online_access" in told and "offline_access" not in told


def split(text: str | None) -> tuple[str, ...]:
    """The scopes of a parameter, each once, in their order."""
    return tuple(dict.fromkeys((text or "").split()))


def allowed(asked: Iterable[str], ceiling: Iterable[str], *, backend: bool = False) -> tuple[str, ...]:
    """What of the scopes lies below the ceiling of a client; one that lies above it in part is made smaller.

    Backend services get scopes at system level only, apps none of them.
    """
    most = tuple(ceiling)
    grants = [grant for one in most if (grant := read_scope(one)) is not None]
    found: dict[str, None] = {}
    for scope in asked:
        if scope in WORDS:
            if scope in most and (not backend or scope == ADMIN):
                found[scope] = None
        elif (grant := read_scope(scope)) is not None and (grant.level == "system") == backend and _is_read(grant):
            for part in below(grant, grants):
                found[scope if part == grant else str(part)] = None
    return tuple(found)[:MOST]


def _is_read(grant: Grant) -> bool:
    """Whether the filter is one that searches understand: with another every request would be refused."""
    try:
        if grant.filter:
            filter_nodes(grant.type, grant.filter)
    except FhirError:
        return False
    return True


def below(asked: Grant, ceiling: Iterable[Grant]) -> list[Grant]:
    """What of a grant lies below others: a smaller grant for each that it has something in common with."""
    found: dict[Grant, None] = {}
    for most in ceiling:
        if most.level != asked.level or (most.type != asked.type and "*" not in (most.type, asked.type)):
            continue
        rights = "".join(letter for letter in RIGHTS if letter in asked.rights and letter in most.rights)
        if not rights:
            continue
        name = asked.type if asked.type != "*" else most.type
        filters = asked.filter + tuple(pair for pair in most.filter if pair not in asked.filter)
        part = Grant(asked.level, name, rights, filters)
        if part == asked:
            return [asked]
        found[part] = None
    return list(found)


def narrower(asked: Iterable[str], granted: Iterable[str]) -> tuple[str, ...] | None:
    """The scopes of a refresh, None when one of them was not granted."""
    given = tuple(granted)
    grants = [grant for one in given if (grant := read_scope(one)) is not None]
    for scope in asked:
        grant = read_scope(scope)
        if scope not in given and (grant is None or below(grant, grants) != [grant]):
            return None
    return tuple(dict.fromkeys(asked))
