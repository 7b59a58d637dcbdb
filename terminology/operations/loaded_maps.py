"""What loaded maps answer to `$translate` (https://hl7.org/fhir/R4/conceptmap-operation-translate.html).

A combination, where several codes only together are the target, is one match: its first code as `concept`, the others
as `product`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from terminology.maps import MapFile, Meaning
    from terminology.terminology import Terminology

Json = dict[str, Any]
WHOLE = "?fhir_vs"
"""Ends the URL of the implicit value set of a whole code system."""


def fitting(
    terminology: Terminology | None, url: str, version: str, source: str | None, target: str | None
) -> tuple[MapFile, ...]:
    """The maps of a canonical URL, or all of them, whose ends are what is asked for: systems or their value sets."""
    if terminology is None:
        return ()
    found = terminology.maps(_system(source), _system(target))
    return tuple(m for m in found if (not url or m.url == url) and (not version or m.version == version))


def _system(scope: str | None) -> str | None:
    return scope.removesuffix(WHOLE) if scope else None


def meanings(
    terminology: Terminology, loaded: MapFile, coding: Json, wanted: str | None, origin: str, *, reverse: bool
) -> Iterator[tuple[Json, tuple[str, ...]]]:
    """A match for each meaning that one map gives of a coding, and the conditions under which it holds."""
    here, there = (loaded.target, loaded.source) if reverse else (loaded.source, loaded.target)
    if terminology.system(str(coding["system"])) != here:
        return
    if wanted and not reverse and terminology.system(wanted) != there:  # of a target it is its own system
        return
    code = str(coding["code"])
    key = "valueUri" if origin == "source" else "valueCanonical"
    named = {"name": origin, key: f"{loaded.url}|{loaded.version}"}
    for meaning in loaded.sources(code) if reverse else loaded.targets(code):
        yield _match(terminology, there, meaning, named), meaning.when


def _match(terminology: Terminology, system: str, meaning: Meaning, named: Json) -> Json:
    parts: list[Json] = [{"name": "equivalence", "valueCode": meaning.equivalence}]
    if meaning.target is not None:
        parts.append({"name": "concept", "valueCoding": _coding(terminology, system, meaning.target)})
    for code in meaning.with_:
        concept = {"name": "concept", "valueCoding": _coding(terminology, system, code)}
        parts.append({"name": "product", "part": [concept]})
    return {"name": "match", "part": [*parts, named]}


def _coding(terminology: Terminology, system: str, code: str) -> Json:
    known = terminology.lookup(system, code)
    return {"system": system, "code": code, **({"display": known.display} if known is not None else {})}
