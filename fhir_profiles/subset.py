"""Parts of resources, for `_summary` and `_elements` (https://hl7.org/fhir/R4/search.html#summary).

What must be there and what changes the meaning of the rest always stays; each resource that was cut carries the tag
SUBSETTED, so that nobody takes it for the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from fhir_profiles import json
from fhir_profiles.definitions import Element, load
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.primitives import PREDICATES
from fhir_profiles.systems import TAGS

MODES = ("true", "text", "data", "count", "false")
LISTS = frozenset({"searchset", "history"})
"""The Bundles whose entries are cut, and not the Bundle itself."""

_TAG = {"system": TAGS, "code": "SUBSETTED", "display": "Resource encoded in summary mode"}
_ALWAYS = frozenset({"id", "meta"})


@dataclass(frozen=True, slots=True)
class Wish:
    """What of each resource a client wants: a summary mode, or the elements it names (`birthDate`, `Patient.name`)."""

    mode: str = "false"
    elements: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether nothing is to be cut."""
        return self.mode == "false" and not self.elements


WHOLE = Wish()


def read_wish(pairs: Iterable[tuple[str, str]]) -> Wish:
    """The wish in a query; FhirError(INCORRECT) when it makes no sense."""
    mode, elements = "false", []
    for name, value in pairs:
        if name == "_summary" and value:
            if value not in MODES:
                text = f"_summary must be one of {', '.join(MODES)}."
                raise FhirError.of(Category.INCORRECT, "value", text)
            mode = value
        elif name == "_elements":
            elements += [part.strip().removesuffix("[x]") for part in value.split(",") if part.strip()]
    if elements and mode not in ("false", "count"):
        text = "Ask for _summary or for _elements; both at once contradict each other."
        raise FhirError.of(Category.INCORRECT, "invalid", text)
    return Wish(mode, tuple(elements))


def cut(body: bytes, wish: Wish) -> bytes:
    """A resource, or a list of them in a Bundle, with what the wish leaves of it."""
    resource = json.decode(body)
    if resource.get("resourceType") == "Bundle" and resource.get("type") in LISTS:
        return json.encode(_cut_list(resource, wish))
    return json.encode(cut_resource(resource, wish))


def _cut_list(bundle: dict[str, Any], wish: Wish) -> dict[str, Any]:
    if wish.mode == "count":
        told = [entry for entry in bundle.pop("entry", ()) if entry.get("search", {}).get("mode") == "outcome"]
        return {**bundle, "entry": told} if told else bundle
    for entry in bundle.get("entry", ()):
        if "resource" in entry and entry.get("search", {}).get("mode") != "outcome":
            entry["resource"] = cut_resource(entry["resource"], wish)
    return bundle


def cut_resource(resource: dict[str, Any], wish: Wish) -> dict[str, Any]:
    """What the wish leaves of one resource; a new dict unless that is all of it."""
    name = resource["resourceType"]
    if wish.whole or wish.mode == "count" or name == "OperationOutcome":
        return resource
    if wish.mode == "true":
        left = _summary(resource, name)
    else:
        kept = _kept(name, wish)
        left = {key: value for key, value in resource.items() if key.removeprefix("_") in kept}
    if "contained" in resource and "contained" not in left and _points_inside(left):
        left["contained"] = resource["contained"]
    return _tagged({"resourceType": name, **left})


def refuse_part(resource: dict[str, Any]) -> None:
    """Refuse to store what was cut: the rest of the resource would be lost."""
    for tag in resource.get("meta", {}).get("tag", ()):
        if tag.get("code") == _TAG["code"] and tag.get("system") == TAGS:
            text = (
                "The tag SUBSETTED says that this is a part: stored, it would end the rest. Read it whole, or patch it."
            )
            raise FhirError.of(Category.INCORRECT, "business-rule", text, f"{resource['resourceType']}.meta.tag")


def _points_inside(value: Any) -> bool:
    """Whether a reference to a contained resource is left."""
    if isinstance(value, dict):
        written = value.get("reference")
        if type(written) is str and written[:1] == "#":
            return True
        return any(map(_points_inside, value.values()))
    return isinstance(value, list) and any(map(_points_inside, value))


def _tagged(resource: dict[str, Any]) -> dict[str, Any]:
    """The resource with the tag, and with id and meta where they are looked for."""
    meta = dict(resource.get("meta", {}))
    tags = meta.get("tag", [])
    if not any(tag.get("code") == _TAG["code"] and tag.get("system") == TAGS for tag in tags):
        meta["tag"] = [*tags, _TAG]
    front: dict[str, Any] = {key: resource[key] for key in ("resourceType", "id") if key in resource}
    return {**front, "meta": meta, **{key: value for key, value in resource.items() if key not in (*front, "meta")}}


@lru_cache(maxsize=512)
def _kept(type_name: str, wish: Wish) -> frozenset[str]:
    """The properties of a type that `_summary=text`, `_summary=data` or `_elements` keeps."""
    elements = load().types[type_name].elements
    if wish.mode == "data":
        return _keys(element for element in elements if element.name != "text")
    if wish.mode == "text":
        return _keys(e for e in elements if e.name in _ALWAYS or e.name == "text" or e.minimum)
    named = {part.removeprefix(f"{type_name}.").partition(".")[0] for part in wish.elements}
    return _keys(
        e
        for e in elements
        if e.name in _ALWAYS or e.minimum or e.modifier or e.name in named or not named.isdisjoint(e.properties())
    )


def _keys(elements: Iterable[Element]) -> frozenset[str]:
    return frozenset(key for element in elements for key in element.properties())


@cache
def _summary_keys(type_name: str) -> Mapping[str, str | None]:
    """Property that a summary keeps → the type to cut inside it, None when it is kept whole."""
    return {
        key: None if of in PREDICATES or of in ("Extension", "Resource", "xhtml") else of
        for element in load().types[type_name].elements
        for key, of in element.properties().items()
        if element.summary or element.minimum or element.modifier or element.name in _ALWAYS
    }


def _summary(value: dict[str, Any], type_name: str) -> dict[str, Any]:
    """The elements of an object that its definition marks for a summary, at every level."""
    kept = _summary_keys(type_name)
    left: dict[str, Any] = {}
    for key, child in value.items():
        name = key.removeprefix("_")
        if name not in kept:
            continue
        of = kept[name]
        if of is None:
            left[key] = child
        elif isinstance(child, list):
            if items := [part for item in child if (part := _summary(item, of))]:
                left[key] = items
        elif part := _summary(child, of):
            left[key] = part
    return left
