"""Instances of a profile, made from its snapshot alone: all that is mandatory or must-support, and where each stands.

Independent of the code under test: it reads the published JSON.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fhir_profiles.definitions import load

Json = dict[str, Any]
Place = tuple[str | int, ...]
PickCode = Callable[[str], tuple[str, str] | None]

PRIMITIVES: dict[str, Any] = {
    "base64Binary": "YQ==", "boolean": True, "canonical": "http://example.org/x", "code": "x", "date": "2024-01-02",
    "dateTime": "2024-01-02T03:04:05Z", "decimal": 1, "id": "x", "instant": "2024-01-02T03:04:05Z", "integer": 1,
    "markdown": "x", "oid": "urn:oid:1.2", "positiveInt": 1, "string": "x", "time": "01:02:03", "unsignedInt": 1,
    "uri": "http://example.org/x", "url": "http://example.org/x",
    "uuid": "urn:uuid:00000000-0000-4000-8000-000000000000", "http://hl7.org/fhirpath/System.String": "x",
}  # fmt: skip
SAMPLES: dict[str, Any] = {
    "Address": {"line": ["x"], "city": "x"}, "Annotation": {"text": "x"},
    "Attachment": {"contentType": "text/plain", "url": "http://example.org/x"},
    "ContactPoint": {"system": "phone", "value": "1"}, "Dosage": {"text": "x"}, "HumanName": {"family": "x"},
    "Identifier": {"system": "http://example.org/ids", "value": "1"}, "Meta": {"versionId": "1"},
    "Narrative": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'},
    "Period": {"start": "2024-01-02", "end": "2024-01-03"},
    "Quantity": {"value": 1, "unit": "1", "system": "http://unitsofmeasure.org", "code": "1"},
    "Range": {"low": {"value": 1}}, "Ratio": {"numerator": {"value": 1}, "denominator": {"value": 1}},
    "Timing": {"event": ["2024-01-02"]}, "Duration": {"value": 1}, "Age": {"value": 1, "system":
    "http://unitsofmeasure.org", "code": "a"},
}  # fmt: skip
EXCLUSIVE = {
    "Observation.dataAbsentReason",
    "Observation.component.dataAbsentReason",
    "QuestionnaireResponse.item.item",
}
"""Must-support elements that cannot stand beside another one (obs-6, vs-3, qrs-1): instances leave them out."""

ABATED = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "resolved"}]}
GIVEN: dict[str, Any] = {
    "CarePlan.text.div": SAMPLES["Narrative"]["div"], "Condition.clinicalStatus": ABATED,
    "DocumentReference.content.attachment.contentType": "text/plain",
    "Observation.component.code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
    "Provenance.target.reference": "Patient/x", "Provenance.agent.who": {"reference": "Patient/x"},
    "Provenance.agent:ProvenanceAuthor.who": {"reference": "Patient/x"},
    "Provenance.agent:ProvenanceTransmitter.who": {"reference": "Patient/x"},
    "Organization.identifier.value": "1234567893", "Practitioner.identifier.value": "1234567893",
}  # fmt: skip
"""Values that invariants ask for, by element id."""
MAX_VALUE_SET = "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet"


@dataclass
class Instance:
    """A resource of a profile and the place in it of each snapshot element that was filled."""

    resource: Json
    places: dict[str, Place] = field(default_factory=dict)


class Generator:
    """Fills a snapshot; `find` gives the StructureDefinition of a URL, `pick` a code of a value set."""

    def __init__(self, definition: Json, find: Callable[[str], Json | None], pick: PickCode) -> None:
        self.elements: dict[str, Json] = {e["id"]: e for e in definition["snapshot"]["element"]}
        self.definition = definition
        self._find = find
        self._pick = pick
        self._places: dict[str, Place] = {}

    def instance(self) -> Instance:
        """Everything that is mandatory or must-support."""
        name = self.definition["type"]
        resource: Json = {} if name == "Extension" else {"resourceType": name, "id": "x"}
        self._fill(resource, name, ())
        return Instance(resource, self._places)

    def children(self, id: str) -> Iterator[str]:
        """The ids of the elements directly below, without slices; a slice may leave them to its element."""
        depth = id.count(".") + 1
        found = [i for i in self.elements if i.startswith(f"{id}.") and i.count(".") == depth]
        if not found and ":" in id.rpartition(".")[2]:
            return self.children(id.rpartition(":")[0])
        return iter([i for i in found if ":" not in i.rpartition(".")[2]])

    def slices(self, id: str) -> list[str]:
        """The ids of an element's slices."""
        return [i for i in self.elements if i.startswith(f"{id}:") and "." not in i[len(id) :]]

    def wanted(self, id: str) -> bool:
        """Whether an element belongs into an instance."""
        element = self.elements[id]
        below = any(e.get("mustSupport") for i, e in self.elements.items() if i.startswith(f"{id}."))
        asked = element["min"] >= 1 or element.get("mustSupport", False) or below
        return asked and element["max"] != "0" and element["path"] not in EXCLUSIVE

    def _fill(self, owner: Json, id: str, place: Place) -> None:
        for child in self.children(id):
            chosen = [s for s in self.slices(child) if self.wanted(s)]
            if not chosen and not self.wanted(child):
                continue
            element = self.elements[child]
            many = element.get("base", element)["max"] != "1"
            if child.endswith("[x]"):
                chosen = chosen[:1]
            for one in chosen or [child]:
                key = self._key(one)
                if key in owner and one == child:  # of the pattern
                    self._places[child] = (*place, key, 0) if many else (*place, key)
                    continue
                at = (*place, key, len(owner.get(key, []))) if many else (*place, key)
                value = self._value(one, at)
                self._places[child] = (*place, key)
                self._places[one] = at
                if many:
                    owner.setdefault(key, []).append(value)
                else:
                    owner[key] = value
                    if any(self.wanted(s) for s in self.slices(f"{one}.extension")) and not isinstance(value, dict):
                        owner[f"_{key}"] = beside = {}  # the extensions of a primitive stand in its sibling
                        self._fill(beside, one, (*place, f"_{key}"))

    def _key(self, id: str) -> str:
        name = self.elements[id]["path"].rpartition(".")[2]
        if not name.endswith("[x]"):
            return name
        of = self._type(id)["code"]
        return name[:-3] + of[0].upper() + of[1:]

    def _type(self, id: str) -> Json:
        types: list[Json] = self.elements[id]["type"]
        return next((t for t in types if t["code"] in ("Quantity", "dateTime")), types[0])

    def _value(self, id: str, place: Place) -> Any:
        element = self.elements[id]
        if id in GIVEN:
            return copy.deepcopy(GIVEN[id])
        for key, value in element.items():
            if key.startswith("fixed"):
                return copy.deepcopy(value)
        pattern = next((copy.deepcopy(v) for k, v in element.items() if k.startswith("pattern")), None)
        if "contentReference" in element:
            return {"linkId": "x"}
        of = self._type(id)
        if of["code"] == "Extension" and of.get("profile"):
            return self._extension(of["profile"][0])
        if any(True for _ in self.children(id)) and of["code"] not in PRIMITIVES:
            made: Json = pattern if isinstance(pattern, dict) else {}
            self._fill(made, id, place)
            return made or self._sample(of, element)
        if isinstance(pattern, dict) and of["code"] in SAMPLES:
            return {**SAMPLES[of["code"]], **pattern}
        return pattern if pattern is not None else self._sample(of, element)

    def _extension(self, url: str) -> Json:
        definition = self._find(url)
        if definition is None:
            return {"url": url, "valueDateTime": "2024-01-02"}
        inner = Generator(definition, self._find, self._pick)
        made = inner.instance().resource
        if made.keys() == {"url"}:
            made[inner._key("Extension.value[x]")] = inner._value("Extension.value[x]", ())
        return made

    def _sample(self, of: Json, element: Json) -> Any:
        code = of["code"]
        bound = self._bound(element.get("binding", {}))
        system, value = bound or ("http://example.org/codes", "x")
        if code == "code":
            return value
        if code == "Coding":
            return {"system": system, "code": value}
        if code == "CodeableConcept":
            return {"coding": [{"system": system, "code": value}]}
        if code == "Reference":
            target = next(iter(of.get("targetProfile", ())), "http://hl7.org/fhir/StructureDefinition/Patient")
            definition = self._find(target)
            name = definition["type"] if definition else target.rpartition("/")[2]
            return {"reference": f"{'Patient' if name == 'Resource' else name}/x"}
        if code in PRIMITIVES:
            return value if code in ("string", "uri") and bound else PRIMITIVES[code]
        if code == "Quantity" and bound:
            return {"value": 1, "unit": value, "system": system, "code": value}
        if code in SAMPLES:
            return copy.deepcopy(SAMPLES[code])
        return self._least(code)

    def _bound(self, binding: Json) -> tuple[str, str] | None:
        """A code of the value set, and of the most that is allowed."""
        most = [e["valueCanonical"] for e in binding.get("extension", ()) if e["url"] == MAX_VALUE_SET]
        sets = [*most, *([binding["valueSet"]] if "valueSet" in binding else [])]
        if any(url.endswith("-language") for url in sets):
            return "urn:ietf:bcp:47", "en"  # of a grammar, which lists no codes
        return next((code for url in sets if (code := self._pick(url))), None)

    def _least(self, of: str) -> Json:
        """The mandatory elements of a type that the snapshot does not go into."""
        found: Json = {}
        for element in load().types[of].elements:
            if element.minimum and not element.choice:
                found[element.name] = PRIMITIVES.get(element.types[0]) or copy.deepcopy(SAMPLES[element.types[0]])
        return found


def without(instance: Json, place: Place) -> Json:
    """A copy of the resource without what stands at a place; an owner that would be empty says something else."""
    changed = copy.deepcopy(instance)
    owner: Any = changed
    for step in place[:-1]:
        owner = owner[step]
    if isinstance(place[-1], int):
        del owner[place[-1]]
        if not owner:
            return without(instance, place[:-1])
    else:
        del owner[place[-1]]
        owner.pop(f"_{place[-1]}", None)
        if not owner:
            owner["extension"] = [{"url": "http://example.org/filler", "valueBoolean": True}]
    return changed


def expression(place: Place, path: str) -> str:
    """The FHIRPath of what stands at a place, without its own index; `path` is that of its element."""
    root, *names = path.removesuffix("[x]").replace("[x].", ".").split(".")
    text, at = root, 0
    for name in names:
        text += f".{name}"
        at += 1
        if at < len(place) and isinstance(place[at], int):
            text += f"[{place[at]}]" if at < len(place) - 1 else ""
            at += 1
    return text
