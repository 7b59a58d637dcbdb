"""Search parameters of one's own: a SearchParameter resource made into extraction (https://hl7.org/fhir/R4/searchparameter.html).

Expressions in the forms of R4's own parameters are compiled like those; any other is run by the FHIRPath engine, and
what it finds is read by its shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from fhir_profiles import fhirpath
from fhir_profiles.definitions import SearchParam, load
from fhir_profiles.errors import Category, FhirError
from fhir_profiles.extract.leaves import SEARCHED
from fhir_profiles.extract.paths import Unsupported
from fhir_profiles.extract.plan import Plan, plan_of
from fhir_profiles.extract.rows import Index
from fhir_profiles.extract.tree import maker

TYPES = frozenset(SEARCHED)
Json = dict[str, Any]


@dataclass(frozen=True)
class Own:
    """A parameter with the types that it is for and what reads it from a resource of each."""

    param: SearchParam
    read: Mapping[str, Callable[[Mapping[str, Any], Index], None]] = field(compare=False)


def read_parameter(resource: Json) -> Own:
    """The parameter that a SearchParameter resource describes; FhirError INCORRECT says why it cannot be used."""
    kind, expression = resource.get("type"), resource.get("expression", "")
    if kind not in TYPES:
        raise _refused("type", "Parameters of this type cannot be added; those with one value of a plain type can.")
    if not expression:
        raise _refused("expression", "A search parameter needs a FHIRPath expression here; XPath is not read.")
    bases = _types(resource.get("base", ()))
    param = SearchParam(
        resource["code"],
        kind,
        bases,
        expression,
        tuple(resource.get("target", ())) if "Resource" not in resource.get("target", ()) else (),
        (),
        resource.get("url", ""),
    )
    return Own(param, {name: _reader(name, param) for name in bases})


def _types(bases: list[str]) -> tuple[str, ...]:
    """The resource types of a base, which may be abstract."""
    definitions = load()
    found: list[str] = []
    for base in bases:
        if base not in definitions.types:
            raise _refused("base", "The base is not a resource type of R4.")
        found += [name for name in definitions.resource_types if _is_a(name, base)]
    return tuple(dict.fromkeys(found))


def _is_a(name: str, base: str) -> bool:
    while name and name != base:
        name = load().types[name].base
    return name == base


def _reader(resource_type: str, param: SearchParam) -> Callable[[Mapping[str, Any], Index], None]:
    try:
        return _run_plan(plan_of(resource_type, {param.code: param}))
    except (Unsupported, KeyError, StopIteration):
        return _run_engine(param)


def _run_plan(plan: Plan) -> Callable[[Mapping[str, Any], Index], None]:
    def read(resource: Mapping[str, Any], index: Index) -> None:
        for key, value in resource.items():
            for emit in plan.by_key.get(key, ()):
                emit(value, index)
        for always in plan.always:
            always(resource, index)

    return read


def _run_engine(param: SearchParam) -> Callable[[Mapping[str, Any], Index], None]:
    try:
        path = fhirpath.compile(param.expression)
    except FhirError as error:
        raise _refused("expression", f"The expression is not FHIRPath that can be run here: {error}") from None

    def read(resource: Mapping[str, Any], index: Index) -> None:
        try:
            found = path.evaluate(dict(resource))
        except FhirError:
            return  # what cannot be worked out for a resource gives it no value
        for value in found:
            kind = shape_of(value, param.type)
            if kind is not None:
                with suppress(ValueError):  # text among dates
                    _emit(param.type, kind, param.code)(value, index)

    return read


@cache
def _emit(search_type: str, kind: str, code: str) -> Callable[[Any, Index], None]:
    return maker(search_type, kind, ((code, None),), None, frozenset(load().resource_types))


_PRIMITIVES = {"date": "dateTime", "uri": "uri", "reference": "uri", "token": "code", "string": "string"}
_SHAPES: tuple[tuple[str, frozenset[str], str], ...] = (
    ("token", frozenset({"coding"}), "CodeableConcept"),
    ("token", frozenset({"code", "display"}), "Coding"),
    ("token", frozenset({"rank", "use"}), "ContactPoint"),
    ("token", frozenset({"value", "type", "assigner"}), "Identifier"),
    ("token", frozenset({"text"}), "CodeableConcept"),
    ("string", frozenset({"family", "given", "prefix", "suffix"}), "HumanName"),
    ("string", frozenset({"line", "city", "district", "state", "postalCode", "country"}), "Address"),
    ("string", frozenset({"text"}), "HumanName"),
    ("date", frozenset({"start", "end"}), "Period"),
    ("date", frozenset({"event", "repeat"}), "Timing"),
    ("reference", frozenset({"resourceType"}), "Resource"),
    ("reference", frozenset({"reference", "identifier", "display"}), "Reference"),
    ("quantity", frozenset({"currency"}), "Money"),
    ("quantity", frozenset({"low", "high"}), "Range"),
    ("quantity", frozenset({"value", "unit", "code"}), "Quantity"),
    ("number", frozenset({"low", "high"}), "Range"),
)
"""By which properties the type of an object is known, for each type of parameter."""


def shape_of(value: Any, search_type: str) -> str | None:
    """The type of element that a value is read as; None for one that the type of parameter cannot compare."""
    if isinstance(value, dict):
        kinds = (kind for of, names, kind in _SHAPES if of == search_type and not names.isdisjoint(value))
        return next(kinds, None)
    if isinstance(value, bool):
        return "boolean" if search_type == "token" else None
    if isinstance(value, str):
        return _PRIMITIVES.get(search_type)
    return "integer" if search_type == "token" else "decimal" if search_type == "number" else None


def _refused(where: str, text: str) -> FhirError:
    return FhirError.of(Category.INCORRECT, "not-supported", text, f"SearchParameter.{where}")
