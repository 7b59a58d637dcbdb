"""What a StructureDefinition asks, as plain values (https://hl7.org/fhir/R4/elementdefinition.html).

A profile is read once, when its package is loaded or its resource stored; checking never sees the JSON again. Fixed
and pattern values stay JSON, so that no digit of a decimal is lost on the way through the file of a package.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeVar

import msgspec

from fhir_profiles import json
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.systems import FHIRPATH_TYPE, MAX_VALUE_SET

Json = Mapping[str, Any]
T = TypeVar("T")
_WRONG = (msgspec.ValidationError, KeyError, TypeError, ValueError, AttributeError)
MAX_STEPS = 40
"""How deep a path may go: Questionnaire.item.item.… has no end of its own."""

Strength = Literal["required", "extensible", "preferred", "example"]


class Bound(msgspec.Struct, frozen=True, array_like=True):
    """A value set and how strongly it binds; `beyond` is the set that no code may leave, whatever the strength."""

    strength: Strength
    value_set: str
    beyond: str = ""


class Constraint(msgspec.Struct, frozen=True, array_like=True):
    """An invariant in FHIRPath and what it says to people."""

    key: str
    severity: Literal["error", "warning"]
    expression: str
    human: str


class TypeRule(msgspec.Struct, frozen=True, array_like=True):
    """A type that is allowed, the profiles its value must meet one of, and those of what it refers to."""

    code: str
    profiles: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


class Slicing(msgspec.Struct, frozen=True, array_like=True):
    """How the items of an element are told apart: (type, path) of each discriminator."""

    discriminators: tuple[tuple[str, str], ...]
    rules: Literal["open", "closed", "openAtEnd"] = "open"
    ordered: bool = False


class ElementRule(msgspec.Struct, frozen=True, array_like=True):
    """One ElementDefinition; what it does not say is None. `place` is the path with its slices, as in `id`."""

    place: tuple[tuple[str, str], ...]
    minimum: int | None = None
    maximum: int | None = None
    types: tuple[TypeRule, ...] | None = None
    fixed: bytes | None = None
    pattern: bytes | None = None
    binding: Bound | None = None
    constraints: tuple[Constraint, ...] = ()
    slicing: Slicing | None = None
    must_support: bool = False
    max_length: int | None = None
    lowest: bytes | None = None
    highest: bytes | None = None


class Profile(msgspec.Struct, frozen=True, array_like=True):
    """A StructureDefinition that constrains a type. `whole` when its elements are a snapshot and not a differential."""

    url: str
    version: str
    name: str
    type: str
    base: str
    whole: bool
    elements: tuple[ElementRule, ...]
    contexts: tuple[tuple[str, str], ...] = ()
    stamp: str = ""

    @property
    def canonical(self) -> str:
        """The URL with the version."""
        return f"{self.url}|{self.version}" if self.version else self.url


def read_profile(definition: Json, stamp: str = "") -> Profile | None:
    """The profile in a StructureDefinition, None when it defines a type instead of constraining one.

    `stamp` tells two definitions of the same URL and version apart. FhirError(INCORRECT) says which element is wrong.
    """
    try:
        return _read(definition, stamp)
    except _WRONG as e:
        text = "A part that every StructureDefinition has is missing or of another form. Correct it."
        raise FhirError.of(Category.INCORRECT, "invalid", text, "StructureDefinition") from e


def _read(definition: Json, stamp: str) -> Profile | None:
    if definition.get("derivation") != "constraint" or definition.get("kind") == "logical":
        return None
    whole = bool(definition.get("snapshot", {}).get("element"))
    part = definition.get("snapshot" if whole else "differential") or {}
    profile = Profile(
        definition["url"],
        definition.get("version", ""),
        definition["name"],
        definition["type"],
        definition.get("baseDefinition", ""),
        whole,
        (),
        tuple((c["type"], c["expression"]) for c in definition.get("context", ())),
        stamp,
    )
    elements = tuple(_elements(part.get("element", ()), "snapshot" if whole else "differential"))
    return msgspec.structs.replace(_typed(profile, Profile), elements=elements)


def _typed(value: T, of: type[T]) -> T:
    """The value, with every part checked to be of its declared type."""
    return msgspec.convert(msgspec.to_builtins(value, builtin_types=(bytes,)), of)


def _elements(elements: Any, part: str) -> Iterator[ElementRule]:
    slices: dict[tuple[str, ...], str] = {}
    for i, element in enumerate(elements):
        try:
            yield _typed(_element(element, slices), ElementRule)
        except _WRONG as e:
            text = "This ElementDefinition cannot be read: a part is missing or of another form. Correct it."
            where = f"StructureDefinition.{part}.element[{i}]"
            raise FhirError.of(Category.INCORRECT, "invalid", text, where) from e


def _element(element: Json, slices: dict[tuple[str, ...], str]) -> ElementRule:
    maximum = element.get("max")
    return ElementRule(
        place=_place(element, slices),
        minimum=element.get("min"),
        maximum=None if maximum is None else -1 if maximum == "*" else int(maximum),
        types=tuple(_type(t) for t in element["type"]) if "type" in element else None,
        fixed=_value(element, "fixed"),
        pattern=_value(element, "pattern"),
        binding=_binding(element.get("binding")),
        constraints=tuple(
            Constraint(c["key"], c["severity"], c["expression"], c.get("human", ""))
            for c in element.get("constraint", ())
            if "expression" in c
        ),
        slicing=_slicing(element.get("slicing")),
        must_support=element.get("mustSupport", False),
        max_length=element.get("maxLength"),
        lowest=_value(element, "minValue"),
        highest=_value(element, "maxValue"),
    )


def _place(element: Json, slices: dict[tuple[str, ...], str]) -> tuple[tuple[str, str], ...]:
    """The steps below the type as (name, slice), from the path and the slice names met before it.

    `slices` remembers which slice each path is in; a new slice of an element ends those below it.
    """
    steps = tuple(element["path"].split("."))
    if len(steps) > MAX_STEPS:
        raise ValueError("too deep")
    for known in [k for k in slices if k[: len(steps)] == steps]:
        del slices[known]
    if "sliceName" in element:
        slices[steps] = element["sliceName"]
    return tuple((steps[i], slices.get(steps[: i + 1], "")) for i in range(1, len(steps)))


def _type(declared: Json) -> TypeRule:
    code = declared["code"]
    for extension in declared.get("extension", ()) if code.startswith("http") else ():
        if extension["url"] == FHIRPATH_TYPE:
            code = extension.get("valueUrl", extension.get("valueUri", code))
    return TypeRule(code, tuple(declared.get("profile", ())), tuple(declared.get("targetProfile", ())))


def _value(element: Json, prefix: str) -> bytes | None:
    for key, value in element.items():
        if key.startswith(prefix) and key[len(prefix) : len(prefix) + 1].isupper():
            return json.encode(value)
    return None


def _binding(binding: Json | None) -> Bound | None:
    if binding is None or "valueSet" not in binding:
        return None
    beyond = [e["valueCanonical"] for e in binding.get("extension", ()) if e["url"] == MAX_VALUE_SET]
    return Bound(binding["strength"], binding["valueSet"], beyond[0] if beyond else "")


def _slicing(slicing: Json | None) -> Slicing | None:
    if slicing is None:
        return None
    discriminators = tuple((d["type"], d["path"]) for d in slicing.get("discriminator", ()))
    return Slicing(discriminators, slicing.get("rules", "open"), slicing.get("ordered", False))
