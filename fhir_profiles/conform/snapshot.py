"""The snapshot of a profile from its differential (https://hl7.org/fhir/R4/profiling.html#snapshot).

Made from the compiled definitions, so it says all that binds and leaves HL7's explaining prose where it is published.
It is for profiles on a type of R4 itself, as ours are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_profiles.definitions import Element, Invariant, load
from fhir_profiles.primitives import PREDICATES
from fhir_profiles.systems import STRUCTURE_DEFINITION

Json = dict[str, Any]


def with_snapshot(resource: Json) -> Json:
    """A StructureDefinition with its snapshot; any other resource, or one that has a snapshot, as it is."""
    if resource["resourceType"] != "StructureDefinition" or "snapshot" in resource:
        return resource
    return {**resource, "snapshot": {"element": list(_Snapshot(resource).elements())}}


class _Snapshot:
    """The elements of one profile, in the order of the base with each slice after its element."""

    def __init__(self, definition: Json) -> None:
        self._differential: dict[str, Json] = {e["id"]: e for e in definition["differential"]["element"]}
        self._type: str = definition["type"]

    def elements(self) -> Iterator[Json]:
        """Every element, the type itself first."""
        name, type_ = self._type, load().types[self._type]
        constraints = [_constraint(i, name) for i in type_.invariants]
        base: Json = {"id": name, "path": name, "min": 0, "max": "*", "constraint": constraints}
        base["base"] = {"path": name, "min": 0, "max": "*"}
        yield self._merged(base, name)
        yield from self._below(name, name, name)

    def _below(self, id: str, path: str, type_name: str) -> Iterator[Json]:
        for element in load().types[type_name].elements:
            step = element.name + "[x]" * element.choice
            yield from self._element(f"{id}.{step}", f"{path}.{step}", element, type_name)

    def _element(self, id: str, path: str, element: Element, owner: str) -> Iterator[Json]:
        yield self._merged(_base(id, path, element, owner), id)
        yield from self._inside(id, path, element)
        for slice_id in [i for i in self._differential if i.startswith(f"{id}:") and "." not in i[len(id) :]]:
            yield self._merged({**_base(id, path, element, owner), "id": slice_id}, slice_id)
            yield from self._inside(slice_id, path, element)

    def _inside(self, id: str, path: str, element: Element) -> Iterator[Json]:
        """What is below: always for a backbone, for a datatype where the profile goes into it."""
        asked = any(i.startswith(f"{id}.") for i in self._differential)
        given = [t["code"] for t in self._differential.get(id, {}).get("type", ())]
        of = (given or element.types)[0]
        backbone = of in load().types and load().types[of].kind in ("BackboneElement", "Element")
        if (asked or (backbone and of == path)) and of not in PREDICATES:
            yield from self._below(id, path, of)

    def _merged(self, base: Json, id: str) -> Json:
        """The base with what the differential says over it; constraints are added to those of the base."""
        over = self._differential.get(id, {})
        together = {**base, **over}
        if "constraint" in base and "constraint" in over:
            together["constraint"] = base["constraint"] + over["constraint"]
        together.setdefault("definition", f"{base['path']} as FHIR R4 defines it.")
        order = ("id", "path", "sliceName", "slicing", "short", "definition", "min", "max", "base", "contentReference")
        return {
            k: together[k] for k in (*order, *(k for k in together if k not in order)) if together.get(k) or k == "min"
        }


def _base(id: str, path: str, element: Element, owner: str) -> Json:
    maximum = "*" if element.maximum == -1 else str(element.maximum)
    out: Json = {"id": id, "path": path, "min": element.minimum, "max": maximum}
    out["base"] = {"path": f"{owner}.{path.rpartition('.')[2]}", "min": element.minimum, "max": maximum}
    out |= _types(element, f"{owner}.{element.name}")
    if element.binding:
        out["binding"] = {"strength": element.binding.strength, "valueSet": element.binding.value_set}
    out["constraint"] = [_constraint(i, owner) for i in element.invariants]
    if element.modifier:
        out |= {"isModifier": True, "isModifierReason": "FHIR R4 says so."}
    if element.summary:
        out["isSummary"] = True
    return out


def _types(element: Element, own: str) -> Json:
    first = element.types[0]
    if "." in first:
        if first != own:
            return {"contentReference": f"#{first}"}
        return {"type": [{"code": load().types[first].kind}]}
    targets = [STRUCTURE_DEFINITION + t for t in element.targets]
    return {
        "type": [
            {"code": t, "targetProfile": targets} if t == "Reference" and targets else {"code": t}
            for t in element.types
        ]
    }


def _constraint(invariant: Invariant, owner: str) -> Json:
    return {
        "key": invariant.key,
        "severity": invariant.severity,
        "human": f"{invariant.key} of FHIR R4",
        "expression": invariant.expression,
        "source": STRUCTURE_DEFINITION + owner.partition(".")[0],
    }
