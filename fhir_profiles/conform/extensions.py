"""Extensions wherever they stand, by their own definitions (https://hl7.org/fhir/R4/extensibility.html)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_profiles import json
from fhir_profiles.conform.run import Run
from fhir_profiles.definitions import Definitions, load

_KEYS = ("extension", "modifierExtension")
_ANYWHERE = frozenset({"Element", "Resource", "DomainResource"})
Found = tuple[dict[str, Any], str, str, str]


def check_extensions(resource: dict[str, Any], place: str, run: Run) -> None:
    """Check each extension whose definition is known: its value, and whether it may stand there."""
    for extension, path, of, at in _extensions(resource, resource["resourceType"], "", place, load()):
        url = extension.get("url", "")
        checker = run.checker(url) if ":" in url else None
        if checker is None:
            continue
        profile = run.profiles.find(url)
        places = [expression for kind, expression in profile.contexts if kind == "element"] if profile else []
        if places and profile and len(places) == len(profile.contexts) and not _may_stand(places, path, of):
            text = f"{profile.name} may stand on {', '.join(places)} only."
            run.add("error", "structure", text, at)
        checker((extension, None, "Extension", at), run)


def has_extensions(resource: dict[str, Any]) -> bool:
    """Whether there is an extension anywhere: writing the JSON and looking through it is faster than to walk."""
    return b'xtension":[' in json.encode(resource)


def _may_stand(places: list[str], path: str, of: str) -> bool:
    """Whether an owner of type `of` at the element path `path` is one of the places, or a kind of one."""
    types = load().types
    own = {path, of} | _ANYWHERE
    name = of
    while name in types:
        own.add(name)
        name = types[name].base
    return any(place.removesuffix("[x]") in own for place in places)


def _extensions(owner: dict[str, Any], of: str, path: str, place: str, d: Definitions) -> Iterator[Found]:
    """Each extension below an object of type `of`, with the element path and type of its owner, and its place.

    Those of a known extension are its own affair, and so are contained resources.
    """
    here = path or of
    for key in _KEYS:
        for i, extension in enumerate(owner.get(key, ())):
            yield extension, here, of, f"{place}.{key}[{i}]"
    by_key = d.types[of].by_key
    for key, value in owner.items():
        kind = type(value)
        if (kind is not dict and kind is not list) or key in _KEYS:
            continue
        found = by_key.get(key) or by_key.get(key[1:])
        if found is None or found[1] == "Resource":
            continue
        element, inner = found
        below = f"{place}.{element.name}"
        step = f"{here}.{element.name}"
        for i, one in enumerate(value) if kind is list else ((-1, value),):
            if type(one) is dict:
                at = below if i < 0 else f"{below}[{i}]"
                yield from _extensions(one, inner, inner if "." in inner else step, at, d)
