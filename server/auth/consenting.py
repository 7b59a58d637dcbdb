"""What a person is asked to agree to, in plain words, and the scopes that come of what stayed ticked.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from fhir_profiles import systems
from fhir_profiles.definitions import load
from server.access.caller import SHARED
from server.access.grants import Grant, read_scope

from .identify import ADMIN
from .scopes import IDENTITY, LAUNCH, REFRESH, below

REST = "other"
"""The box for all types that have none of their own."""

CATEGORIES: dict[str, tuple[str, ...]] = {
    "Condition": ("encounter-diagnosis", "problem-list-item", "health-concern"),
    "Observation": ("laboratory", "vital-signs", "social-history", "survey"),
}
_SYSTEM = {
    "encounter-diagnosis": systems.CONDITION_CATEGORY,
    "problem-list-item": systems.CONDITION_CATEGORY,
    "health-concern": systems.US_CORE_CONDITION_CATEGORY,
}


class Box(msgspec.Struct, frozen=True):
    """One thing to tick: the name and value of its field, and its words; `parts` narrow it where any is ticked."""

    name: str
    value: str
    title: str
    text: str = ""
    parts: tuple[Box, ...] = ()


class Line(msgspec.Struct, frozen=True):
    """One scope of clinical data: a box of its own, or one for each type of a scope that names all."""

    scope: str
    title: str
    rights: str
    boxes: tuple[Box, ...]
    changes: bool
    """Whether the app could change something."""


class Asked(msgspec.Struct, frozen=True):
    """Everything that is asked for, in the order it is shown."""

    patient: tuple[Line, ...]
    user: tuple[Line, ...]
    identity: tuple[Box, ...]
    lasting: tuple[Box, ...]
    admin: tuple[Box, ...]
    context: tuple[str, ...]


class _Words(msgspec.Struct, frozen=True):
    types: dict[str, str]
    categories: dict[str, str]
    identity: dict[str, str]
    lasting: dict[str, str]


@cache
def _words() -> _Words:
    return msgspec.convert(tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8")), _Words)


def asked_of(scopes: Iterable[str]) -> Asked:
    """What a request asks for."""
    words = _words()
    lines: dict[str, list[Line]] = {"patient": [], "user": []}
    plain: list[str] = []
    listed = tuple(scopes)
    for number, scope in enumerate(listed):
        grant = read_scope(scope)
        if grant is None:
            plain.append(scope)
        elif grant.level in lines and _wider(grant, listed) is None:
            lines[grant.level].append(_line(number, scope, grant))
    admin = Box("plain", ADMIN, "Look after this server", "Everything that administrators may do.")
    return Asked(
        patient=tuple(lines["patient"]),
        user=tuple(lines["user"]),
        identity=tuple(Box("plain", one, words.identity[one]) for one in plain if one in IDENTITY),
        lasting=tuple(Box("plain", one, words.lasting[one]) for one in plain if one in REFRESH),
        admin=(admin,) if ADMIN in plain else (),
        context=tuple(one for one in plain if one in LAUNCH),
    )


def _wider(grant: Grant, scopes: Iterable[str]) -> str | None:
    """The scope for all types among those asked for that holds this one: its boxes decide about both."""
    for scope in scopes:
        other = read_scope(scope)
        if other is not None and other != grant and other.type == "*" and below(grant, (other,)) == [grant]:
            return scope
    return None


def _line(number: int, scope: str, grant: Grant) -> Line:
    name = f"g{number}"
    rights = _rights(grant.rights)
    boxes: tuple[Box, ...]
    if grant.type == "*":
        boxes = tuple(_box(name, kind, _reading(grant)) for kind in _words().types if kind in types_of(grant))
        boxes += (Box(name, REST, "Everything else", "Kinds of data that are not named here."),)
        title = "All kinds of data"
    else:
        boxes = (_box(name, grant.type, _reading(grant) and not grant.filter),)
        title = boxes[0].title
    only = ", ".join(f"{key} {value.rpartition('|')[2]}" for key, value in grant.filter)
    return Line(
        scope, f"{title}, only where {only}" if only else title, rights, boxes, bool(set("cud") & set(grant.rights))
    )


def _reading(grant: Grant) -> bool:
    """Whether categories can narrow it: of what is written, they are not known beforehand."""
    return set(grant.rights) <= set("rs")


def _box(name: str, kind: str, narrow: bool) -> Box:
    words = _words()
    parts = CATEGORIES.get(kind, ()) if narrow else ()
    inner = tuple(Box(f"{name}.{kind}", one, words.categories[one]) for one in parts)
    return Box(name, kind, words.types.get(kind, kind), "" if kind not in words.types else kind, inner)


def types_of(grant: Grant) -> tuple[str, ...]:
    """The types that a grant for all of them gives."""
    if grant.level != "patient":
        return tuple(sorted(load().resource_types))
    own = {kind for kind, paths in load().compartment("Patient").items() if paths}
    return tuple(sorted(own | SHARED | {"Patient"}))


def _rights(rights: str) -> str:
    words = [
        word
        for letters, word in (("rs", "see"), ("c", "add"), ("u", "change"), ("d", "delete"))
        if set(letters) & set(rights)
    ]
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def ticked(scopes: Iterable[str], values: Callable[[str], Sequence[str]]) -> tuple[str, ...]:
    """The scopes that stay of those asked for; `values` gives the ticked values of a field. What was not asked for,
    a ticked value cannot bring in.
    """
    listed = tuple(scopes)
    kept: dict[str, None] = {}
    plain = set(values("plain"))
    for number, scope in enumerate(listed):
        grant = read_scope(scope)
        if grant is None:
            if scope in LAUNCH or scope in plain:
                kept[scope] = None
        elif _wider(grant, listed) is None:
            kept.update(dict.fromkeys(_kept(f"g{number}", scope, grant, values)))
    for scope in listed:  # what goes with a scope for all types stays by its name when that one stays whole
        grant = read_scope(scope)
        if grant is not None and _wider(grant, listed) in kept:
            kept[scope] = None
    return tuple(kept)


def _kept(name: str, scope: str, grant: Grant, values: Callable[[str], Sequence[str]]) -> Iterable[str]:
    line = _line(0, scope, grant)
    chosen = set(values(name))
    offered = {box.value: box for box in line.boxes}
    picked = {kind: _parts(name, kind, box, values) for kind, box in offered.items() if kind in chosen}
    if len(picked) == len(offered) and not any(picked.values()):
        return [scope]
    kinds = list(picked)
    if REST in picked:
        kinds = [kind for kind in types_of(grant) if kind in picked or kind not in offered]
    suffix = scope.partition(".")[2]
    found: list[str] = []
    for kind in kinds:
        parts = picked.get(kind, ())
        narrowed = [f"{grant.level}/{kind}.{grant.rights}?category={_system(kind, one)}|{one}" for one in parts]
        found += narrowed or [f"{grant.level}/{kind}.{suffix}"]
    return found


def _parts(name: str, kind: str, box: Box, values: Callable[[str], Sequence[str]]) -> tuple[str, ...]:
    """The ticked categories of a type; without one it is not limited."""
    chosen = set(values(f"{name}.{kind}"))
    return tuple(part.value for part in box.parts if part.value in chosen)


def _system(kind: str, category: str) -> str:
    return systems.OBSERVATION_CATEGORY if kind == "Observation" else _SYSTEM[category]


def told(scopes: Iterable[str]) -> tuple[str, ...]:
    """Scopes that were granted, in words."""
    asked = asked_of(scopes)
    by_rights: dict[str, list[str]] = {}
    for line in (*asked.patient, *asked.user):
        by_rights.setdefault(line.rights.capitalize(), []).append(line.title)
    found = [f"{rights}: {'; '.join(titles)}" for rights, titles in by_rights.items()]
    return tuple(found + [box.title for box in (*asked.identity, *asked.lasting, *asked.admin)])


def place_of(uri: str) -> str:
    """Where an app's answers go, as a person recognizes it: the host, or the scheme of an app on a device."""
    parts = urlsplit(uri)
    return parts.netloc if parts.scheme in ("http", "https") else f"an app on this device ({parts.scheme})"
